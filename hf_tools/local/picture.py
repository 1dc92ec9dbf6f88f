"""Picture files as the reader of text sees them: rows of points in blue, green, red."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

from hf_tools.local.answers import Refused
from hf_tools.local.embed import package
from hf_tools.local.weights import PPOCR

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Points = NDArray[np.uint8]

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Pillow's names of the formats that are read; it would start another program for some of the others."""
MOST_PIXELS = 50_000_000
"""150 MB once decoded; a page of A4 scanned at 600 dpi has 35 million."""
LONGEST_SIDE = 2000
"""Pixels; a larger picture is shrunk to it, as RapidOCR does."""
THINNEST = 4
"""The most that the long side may be of the short one: the detector enlarges the short side to 736 pixels, and a
strip of 20 by 300 took it 8 seconds, one of 20 by 2000 would take 54 million pixels."""


def decoded(data: bytes) -> Points:
    """The picture upright on white, of shape (height, width, 3); the first one of several. Raises Refused."""
    pillow, np = package("PIL.Image", PPOCR.install), package("numpy", PPOCR.install)
    turned = package("PIL.ImageOps", PPOCR.install).exif_transpose
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            with pillow.open(io.BytesIO(data), formats=FORMATS) as image:
                _allowed(image.size)
                image.load()
                points = np.asarray(_framed(pillow, _on_white(pillow, turned(image))))
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        raise _too_large("far more") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Refused(400, f"The picture cannot be read: {type(error).__name__}") from error
    found: Points = np.ascontiguousarray(points[:, :, ::-1])
    return found


def _allowed(size: tuple[int, int]) -> None:
    # From the file's header, before anything of that size is made.
    width, height = size
    if width * height > MOST_PIXELS:
        raise _too_large(f"{width} x {height}")


def _too_large(size: str) -> Refused:
    return Refused(413, f"The picture is too large: {size} pixels, at most {MOST_PIXELS:,} are read")


def _on_white(pillow: Any, image: Any) -> Any:
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = pillow.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB")


def _framed(pillow: Any, image: Any) -> Any:
    """The picture within LONGEST_SIDE, and a thin one on a wider ground of its own colour."""
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    width, height = image.size
    size = max(width, -(-height // THINNEST)), max(height, -(-width // THINNEST))
    if size == image.size:
        return image
    ground = pillow.new("RGB", size, image.getpixel((0, 0)))
    ground.paste(image, ((size[0] - width) // 2, (size[1] - height) // 2))
    return ground
