"""The answers of all tasks together: each field says what it is."""

from pathlib import Path

import pytest

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference.md"
"""Generated from the docstrings of the fields; tests/test_public_api.py compares it with them."""


@pytest.mark.parametrize("kind", ["field", "parameter"])
def test_every_row_of_the_reference_page_has_a_description(kind: str) -> None:
    tables = REFERENCE.read_text(encoding="utf-8").split(f"| {kind} | type | what it is |")[1:]
    rows = [row for table in tables for row in table.split("\n\n")[0].splitlines() if row.startswith("| `")]
    assert len(rows) > 100
    assert [row for row in rows if not row.rsplit("|", 2)[1].strip()] == []
