"""Small copies of pictures, for chat models that can see what a tool has made."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from hf_tools.errors import MissingExtra
from hf_tools.media import Image, Media
from hf_tools.media.probe import size_of

if TYPE_CHECKING:
    import PIL.Image

SIDE = 256
"""Pixels of the longer side."""
MOST = 60_000
"""Bytes of the JPEG, before it is base64."""
PIXELS = 64_000_000
"""Pixels of a picture that is decoded: 256 MB as RGBA."""
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
"""The decoders that are let at bytes of unknown origin."""
QUALITIES = (85, 70, 40)
"""Tried in this order. The worst that fits into 256×256 pixels is noise of black and white: 62 kB at 85, 47 at 70."""


def preview(media: Media) -> dict[str, Any] | None:
    """An image block of LangChain's with a JPEG of at most 256 pixels a side and 60 kB, or None.

    Animations give their first picture, transparent ones stand on white, and what a camera turned is upright; nothing
    of the file but its pixels is in it. None for what is no picture of a known format, is broken, or has more than
    64 million pixels. MissingExtra without Pillow.
    """
    size = size_of(media)
    if size is None or size[0] * size[1] > PIXELS:
        return None
    try:
        picture = _small(media.data)
    except ImportError as error:
        raise MissingExtra("previews of pictures need Pillow: pip install 'hf-tools[media]'") from error
    except Exception:  # noqa: BLE001 - a decoder may raise anything where the bytes are broken
        return None
    data = next(data for quality in QUALITIES if len(data := _jpeg(picture, quality)) <= MOST)
    return {"type": "image", "base64": Image(data).base64, "mime_type": "image/jpeg"}


def _small(data: bytes) -> PIL.Image.Image:
    """The picture, upright, opaque and small."""
    import PIL.Image
    import PIL.ImageOps

    picture = PIL.Image.open(BytesIO(data), formats=FORMATS)
    if picture.width * picture.height > PIXELS:  # the header may have said less
        raise ValueError(picture.size)
    picture.draft("RGB", (SIDE, SIDE))  # a JPEG is decoded at a fraction of its size
    plain = _in_colours(PIL.ImageOps.exif_transpose(picture))
    plain.thumbnail((SIDE, SIDE))
    paper = PIL.Image.new("RGB", plain.size, "white")
    # pasted, so that neither comments nor what a camera wrote goes along
    paper.paste(plain, mask=plain.getchannel("A") if plain.mode == "RGBA" else None)
    return paper


def _in_colours(picture: PIL.Image.Image) -> PIL.Image.Image:
    """The picture as RGB, or as RGBA where it is transparent."""
    if picture.mode.startswith("I"):  # 16 bits a pixel, of which the conversion would cut off the upper ones
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _jpeg(picture: PIL.Image.Image, quality: int) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()
