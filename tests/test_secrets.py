"""No credential is checked in: not in the sources, not in a cassette, not in a recording."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PATTERNS = {
    "Hugging Face": r"\b(?:hf|api_org)_[A-Za-z0-9]{20,}",
    "OpenAI and its like": r"\bsk-(?:[a-z]+[0-9]*-)*[A-Za-z0-9]{20,}",
    "bearer": r"\b[Bb]earer [A-Za-z0-9][A-Za-z0-9._~+/-]{15,}",
    "Replicate": r"\br8_[A-Za-z0-9]{20,}",
    "GitHub": r"\b(?:gh[opsu]|github_pat)_[A-Za-z0-9_]{20,}",
    "LangSmith": r"\blsv2_[a-z]{2}_[A-Za-z0-9]{20,}",
    "AWS": r"\bAKIA[A-Z0-9]{16}\b",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
}
SECRET = re.compile("|".join(PATTERNS.values()))


def files() -> list[Path]:
    """What git tracks, and what it would track next."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split("\0")
    paths = {ROOT / name for name in listed if name} | set((ROOT / "cassettes").rglob("*"))
    return sorted(path for path in paths if path.is_file())


def text_of(path: Path) -> str | None:
    """The text of a file; None for one that is none."""
    content = path.read_bytes()
    return None if b"\0" in content[:8192] else content.decode("utf-8", "replace")


def secrets_in(text: str) -> list[str]:
    """Where and what, without showing it whole."""
    return [f"character {found.start()}: {found[0][:8]}…" for found in SECRET.finditer(text)]


def test_no_file_holds_a_credential() -> None:
    found = {str(path.relative_to(ROOT)): secrets_in(text) for path in files() if (text := text_of(path))}
    assert "pyproject.toml" in found
    assert {name: secrets for name, secrets in found.items() if secrets} == {}


@pytest.mark.parametrize(
    "prefix",
    ["hf_", "api_org_", "sk-", "sk-proj-", "sk-ant-api03-", "Bearer ", "r8_", "ghp_", "github_pat_", "lsv2_pt_"],
)
def test_credentials_are_recognised(prefix: str) -> None:
    assert secrets_in(f"token = '{prefix + 'Ab3' * 10}'")


@pytest.mark.parametrize("text", ["AKIA" + "A1B2" * 4, "-----BEGIN RSA " + "PRIVATE KEY-----"])
def test_keys_are_recognised(text: str) -> None:
    assert secrets_in(text)


@pytest.mark.parametrize("text", ["hf_test", "Bearer hf_x", "a task-oriented-and-very-hyphenated-name", "hf_***"])
def test_other_text_is_not(text: str) -> None:
    assert not secrets_in(text)
