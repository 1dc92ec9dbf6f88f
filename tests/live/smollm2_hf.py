"""SmolLM2-135M-Instruct as a directory that `transformers serve` takes; run in that server's own environment.

    python tests/live/smollm2_hf.py FOLDER MODEL.gguf

`transformers serve` cannot start from the GGUF itself: it looks for `architectures` in a config.json. The weights are
dequantised (16 bits, 269 MB); nothing is fetched from a hub.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any, Final

OWN: Final = frozenset(
    ["quantization_config", "_name_or_path", "architectures", "transformers_version", "model_type", "dtype"]
)
"""What the configuration that was read from the GGUF says about the GGUF, not about the model."""


def convert(source: Path, target: str) -> None:
    """Write weights, configuration and tokenizer of the GGUF at `source` into the folder `target`."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    torch: Any = importlib.import_module("torch")
    library: Any = importlib.import_module("transformers")
    tokenizer = library.AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name)
    read = library.AutoModelForCausalLM.from_pretrained(str(source.parent), gguf_file=source.name, dtype=torch.bfloat16)
    known = {name: value for name, value in read.config.to_dict().items() if name not in OWN}
    config = library.LlamaConfig(**known)
    config.architectures = ["LlamaForCausalLM"]
    config.bos_token_id, config.eos_token_id = tokenizer.bos_token_id, tokenizer.eos_token_id
    config.pad_token_id = tokenizer.pad_token_id or tokenizer.eos_token_id
    plain = library.LlamaForCausalLM(config).to(torch.bfloat16)
    plain.load_state_dict(read.state_dict())
    plain.tie_weights()
    plain.save_pretrained(target)
    tokenizer.save_pretrained(target)


if __name__ == "__main__":
    convert(Path(sys.argv[2]), sys.argv[1])
