"""Write inference_client.json: the signatures of the inference tasks of `huggingface_hub.InferenceClient`.

Run it with a Python that has the release to compare with, in an environment of its own (huggingface_hub is no
dependency of this project), and check the result in:

    python -m venv /tmp/hub && /tmp/hub/bin/pip install huggingface_hub==2.4.0
    /tmp/hub/bin/python tests/facts/make_inference_client.py

The file holds `{"version": ..., "methods": {name: [{"name", "kind", "default", "annotation"}, ...]}}`, without `self`:
`kind` as inspect names it, `default` as `repr` (null: the parameter is required), `annotation` as inspect formats it
(null: none). The file in the repository was made from huggingface_hub 2.4.0 on 2026-11-22.
"""

import inspect
import json
from pathlib import Path
from typing import Any

NOT_TASKS = {"close", "health_check", "list_deployed_models"}
"""Public methods that are no inference task; so is everything that begins with `get_`."""


def parameters(method: Any) -> list[dict[str, str | None]]:
    """The parameters of a method as plain data."""
    found = [each for each in inspect.signature(method).parameters.values() if each.name != "self"]
    empty = inspect.Parameter.empty
    return [
        {
            "name": each.name,
            "kind": each.kind.name,
            "default": None if each.default is empty else repr(each.default),
            "annotation": None if each.annotation is empty else inspect.formatannotation(each.annotation),
        }
        for each in found
    ]


def main() -> None:
    """Read the installed client and write the file beside this script."""
    import huggingface_hub  # pyright: ignore[reportMissingImports]

    client: Any = huggingface_hub.InferenceClient  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    methods = {
        name: parameters(member)
        for name, member in sorted(inspect.getmembers(client, inspect.isfunction))
        if not name.startswith(("_", "get_")) and name not in NOT_TASKS
    }
    version: str = huggingface_hub.__version__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    target = Path(__file__).with_name("inference_client.json")
    target.write_text(json.dumps({"version": version, "methods": methods}, indent=1) + "\n", encoding="utf-8")
    print(f"{target.name}: {len(methods)} methods of huggingface_hub {version}")


if __name__ == "__main__":
    main()
