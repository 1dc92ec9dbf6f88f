"""Keys that nobody passed: found in the environment or the login file, and for Hugging Face's hosts only."""

from __future__ import annotations

import os
from typing import Any, Self

from pydantic import SecretStr

from hf_tools.auth import Token, find_token
from hf_tools.errors import ConfigurationError

LANGCHAIN = "HUGGINGFACEHUB_API_TOKEN"
"""LangChain's name for the token; Hugging Face's own names come before it, the login file after."""


class AmbientKey(SecretStr):
    """A key from the environment. It stays ambient wherever it is copied to, and is read anew where it is unpickled."""

    def __init__(self, token: Token) -> None:
        super().__init__(token.secret.get_secret_value())
        self.token = token

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return ambient_key, ()  # the token itself is never pickled


def ambient_key() -> AmbientKey | None:
    """The key of the environment or the login file, None without one; ConfigurationError for one that cannot be."""
    found, named = find_token(), os.environ.get(LANGCHAIN, "").strip()
    if named and (found is None or found.source == "the login file"):
        try:
            checked = find_token(named)
        except ConfigurationError as error:
            raise ConfigurationError(error.message.replace("the token", LANGCHAIN)) from None
        found = None if checked is None else Token(checked.secret, LANGCHAIN)
    return None if found is None else AmbientKey(found)
