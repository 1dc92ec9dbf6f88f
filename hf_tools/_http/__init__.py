"""The HTTP library, and nothing but it: the only package that imports httpx."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from hf_tools._http.sync import Http, drain, pieces

if TYPE_CHECKING:
    from hf_tools._http.aio import AsyncHttp as AsyncHttp
    from hf_tools._http.aio import adrain as adrain
    from hf_tools._http.aio import apieces as apieces

Client = httpx.Client
AsyncClient = httpx.AsyncClient

__all__ = ["AsyncClient", "Client", "Http", "drain", "pieces"]
