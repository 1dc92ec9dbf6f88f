"""Every Hugging Face inference task as a typed client, sync and async.

from hf_tools import HfInference

hf = HfInference()
hf.summarization("a long text", model="facebook/bart-large-cnn")
"""

from __future__ import annotations

from hf_tools import errors
from hf_tools.client import AsyncHfInference, AsyncHfInferenceEndpoint, HfInference, HfInferenceEndpoint
from hf_tools.errors import HfError
from hf_tools.media import Audio, Image, Media, Video
from hf_tools.options import Options, Timeout
from hf_tools.response import Response
from hf_tools.streams import AsyncStream, Stream
from hf_tools.version import __version__

__all__ = [
    "AsyncHfInference",
    "AsyncHfInferenceEndpoint",
    "AsyncStream",
    "Audio",
    "HfError",
    "HfInference",
    "HfInferenceEndpoint",
    "Image",
    "Media",
    "Options",
    "Response",
    "Stream",
    "Timeout",
    "Video",
    "__version__",
    "errors",
]
