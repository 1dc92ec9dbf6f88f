"""The base of typed answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Base of typed answers: promised fields are checked, unknown ones kept as attributes."""

    model_config = ConfigDict(
        extra="allow", frozen=True, defer_build=True, protected_namespaces=(), populate_by_name=True
    )
