"""Sound files as Whisper hears them: one channel of 16,000 numbers a second."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hf_tools.local.answers import Refused
from hf_tools.local.embed import package
from hf_tools.local.weights import WHISPER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sound = NDArray[np.float32]

RATE = 16_000
"""Numbers a second."""
LONGEST = 3600
"""Seconds; an hour is 115 MB while it is decoded and five to ten minutes of one core."""
FORMATS = "aac,aiff,amr,asf,au,avi,caf,flac,matroska,mov,mp3,mpeg,mpegts,ogg,w64,wav"
"""FFmpeg's names of the containers that are read. Playlists are none of them: they name other files."""
PIECE = 300
"""Seconds that are transcribed at once: FFT and features of an hour would take 3 GB."""
SEARCH = 30
"""Seconds at the end of a piece in which a quiet place to cut is looked for."""
QUIET = RATE // 10
"""A place is as quiet as the tenth of a second around it."""


def decoded(data: bytes) -> Sound:
    """The sound of a file, between -1 and 1; damaged parts are left out. Raises Refused."""
    av, np = package("av", WHISPER.install), package("numpy", WHISPER.install)
    parts: list[Any] = []
    length = 0
    try:
        # Nothing but these bytes is read: a file may name others, on this machine or elsewhere.
        options = {"format_whitelist": FORMATS, "protocol_whitelist": "none"}
        # Titles that are not UTF-8 are nothing to fail for: PyAV must be told so up to version 18, and cannot be since.
        lenient = {} if _since_19(av) else {"metadata_errors": "ignore"}
        with av.open(io.BytesIO(data), options=options, **lenient) as container:
            for part in _parts(av, container):
                parts.append(part)
                length += part.shape[-1]
                if length > LONGEST * RATE:
                    raise Refused(413, f"The sound is longer than {LONGEST} seconds: send it in parts")
    except (av.FFmpegError, ValueError, OSError) as error:
        raise Refused(400, f"The sound cannot be read: {type(error).__name__}") from error
    if not length:
        raise Refused(400, "The sound cannot be read: there is no intact part in it")
    found: Sound = np.concatenate(parts, axis=1)[0].astype(np.float32) / 32768
    return found


def _since_19(av: Any) -> bool:
    return int(av.__version__.partition(".")[0]) >= 19


def _parts(av: Any, container: Any) -> Iterator[Any]:
    """The first track in arrays of shape (1, n)."""
    if not container.streams.audio:
        raise Refused(400, "The file has no sound: there is no audio track in it")
    stream = container.streams.audio[0]
    stream.codec_context.thread_count = 1
    # Since version 19 it has a thread for each core, for which a forked child would wait for ever.
    alone = {"threads": 1} if _since_19(av) else {}
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE, **alone)
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            continue
        for frame in frames:
            frame.pts = None  # times that run back or jump are nothing to fail for
            yield from (part.to_ndarray() for part in resampler.resample(frame))
    yield from (part.to_ndarray() for part in resampler.resample(None))


def pieces(sound: Sound) -> Iterator[tuple[float, Sound]]:
    """Where each piece begins, in seconds, and the piece: at most PIECE seconds, cut where it is quiet."""
    begin = 0
    while len(sound) - begin > PIECE * RATE:
        end = _quietest(sound, begin + (PIECE - SEARCH) * RATE, begin + PIECE * RATE)
        yield begin / RATE, sound[begin:end]
        begin = end
    yield begin / RATE, sound[begin:]


def _quietest(sound: Sound, begin: int, end: int) -> int:
    """The middle of the quietest tenth of a second in this span."""
    rows = (end - begin) // QUIET
    loudness = (sound[begin : begin + rows * QUIET].reshape(rows, QUIET) ** 2).sum(axis=1)
    return begin + int(loudness.argmin()) * QUIET + QUIET // 2
