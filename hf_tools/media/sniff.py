"""Tell a media type from the first bytes; names and declared types are never trusted."""

from __future__ import annotations

EXTENSIONS = {
    "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp", "image/bmp": "bmp",
    "image/tiff": "tiff", "image/avif": "avif", "image/heic": "heic",
    "audio/wav": "wav", "audio/flac": "flac", "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/aac": "aac",
    "audio/AMR": "amr", "audio/AMR-WB": "awb", "audio/m4a": "m4a", "audio/webm": "weba",
    "video/mp4": "mp4", "video/webm": "webm", "video/x-matroska": "mkv", "video/quicktime": "mov",
    "video/x-msvideo": "avi", "video/mpeg": "mpg", "video/3gpp": "3gp",
    "application/pdf": "pdf",
}  # fmt: skip
"""File extension of each type that `sniff` can name."""
TEXTS = {"text/plain": "txt", "text/csv": "csv", "text/markdown": "md", "application/json": "json"}
"""File extension of each type of text; text has no magic bytes."""

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR-WB", "audio/AMR-WB"),
    (b"#!AMR", "audio/AMR"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"%PDF-", "application/pdf"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"avif": "image/avif", b"avis": "image/avif", b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic",
    b"M4A ": "audio/m4a", b"M4B ": "audio/m4a", b"qt  ": "video/quicktime",
}  # fmt: skip


def sniff(data: bytes) -> str | None:
    """The media type of `data` by its magic bytes, or None where nothing known is found."""
    for start, mime in _STARTS:
        if data.startswith(start):
            return mime
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return _BRANDS.get(brand) or ("video/3gpp" if brand.startswith(b"3g") else "video/mp4")
    if data[:4] == b"\x1aE\xdf\xa3":
        return "video/webm" if b"webm" in data[:64] else "video/x-matroska"
    if data[:2] == b"BM" and len(data) > 26 and data[6:10] == b"\0\0\0\0":
        return "image/bmp"
    return _mpeg_audio(data)


def _mpeg_audio(data: bytes) -> str | None:
    """MPEG audio has no magic number, only a frame header: eleven set bits and fields with forbidden values."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    version, layer, bit_rate, rate = (data[1] >> 3) & 3, (data[1] >> 1) & 3, data[2] >> 4, (data[2] >> 2) & 3
    if data[1] & 0xF6 == 0xF0:
        return "audio/aac"
    # layer I (3) is extinct, and a UTF-16 byte order mark looks like it
    valid = version != 1 and layer in (1, 2) and bit_rate != 15 and rate != 3
    return "audio/mpeg" if valid else None
