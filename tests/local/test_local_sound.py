"""Sound files and how they are read and cut: no model runs."""

from __future__ import annotations

import importlib
import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_tools.local import sound
from hf_tools.local.answers import Refused
from tests.local.test_local_speech import VOICEMAIL

AV: Any = importlib.import_module("av")


def wav(samples: Any, rate: int = 16_000, channels: int = 1) -> bytes:
    """A WAV file of numbers between -1 and 1."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.asarray(samples) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def video() -> bytes:
    """A film of four grey frames without sound."""
    file = io.BytesIO()
    with AV.open(file, "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=4)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(4):
            frame = AV.VideoFrame.from_ndarray(np.full((32, 32, 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "The sound cannot be read: "),
        (b"no sound at all" * 100, "The sound cannot be read: InvalidDataError"),
        (b"RIFF", "The sound cannot be read: "),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n", "The sound cannot be read: "),
        (b"ffconcat version 1.0\nfile voicemail.ogg\n", "The sound cannot be read: "),
        (wav([]), "The sound cannot be read: there is no intact part in it"),
        (video(), "The file has no sound: there is no audio track in it"),
    ],
)
def test_what_is_no_sound_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(Refused) as caught:
        sound.decoded(data)
    assert caught.value.status == 400
    assert says in caught.value.message


def test_a_playlist_opens_no_file(tmp_path: Path) -> None:
    (tmp_path / "voicemail.ogg").write_bytes(VOICEMAIL.read_bytes())
    with pytest.raises(Refused):
        sound.decoded(f"ffconcat version 1.0\nfile '{tmp_path}/voicemail.ogg'\n".encode())


def test_a_title_in_another_encoding_is_nothing_to_fail_for() -> None:
    title = b"INFOINAM\x06\0\0\0caf\xe9\0\0"
    data = wav(np.zeros(16_000)) + b"LIST" + len(title).to_bytes(4, "little") + title
    assert len(sound.decoded(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])) == 16_000


@pytest.mark.parametrize(("version", "told"), [("18.1.0", {"metadata_errors": "ignore"}), ("19.0.2", {})])
def test_each_version_of_pyav_is_asked_as_it_can_be(
    version: str, told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(file: Any, options: dict[str, str], **more: str) -> Any:
        assert more == told
        raise ValueError(options["protocol_whitelist"])

    monkeypatch.setattr(AV, "__version__", version)
    monkeypatch.setattr(AV, "open", opened)
    with pytest.raises(Refused) as caught:
        sound.decoded(VOICEMAIL.read_bytes())
    assert str(caught.value.__cause__) == "none"


def test_damaged_parts_are_left_out() -> None:
    data = bytearray(VOICEMAIL.read_bytes())
    data[12_000:14_000] = b"\xff" * 2000
    assert 8 < len(sound.decoded(bytes(data))) / sound.RATE < len(sound.decoded(VOICEMAIL.read_bytes())) / sound.RATE


def test_two_channels_at_another_rate_become_one() -> None:
    tone = 0.5 * np.sin(np.arange(44_100) * 2 * np.pi * 440 / 44_100)
    found = sound.decoded(wav(np.stack([tone, tone], axis=1).reshape(-1), 44_100, 2))
    assert len(found) == pytest.approx(16_000, abs=2)
    assert float(found.max()) == pytest.approx(0.5, abs=0.02)


def test_a_sound_of_more_than_an_hour_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "LONGEST", 1)
    assert len(sound.decoded(wav(np.zeros(16_000)))) == 16_000
    with pytest.raises(Refused, match="The sound is longer than 1 seconds: send it in parts") as caught:
        sound.decoded(wav(np.zeros(16_100)))
    assert caught.value.status == 413


def test_pieces_are_cut_in_the_quietest_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "PIECE", 10)
    monkeypatch.setattr(sound, "SEARCH", 3)
    long = np.random.default_rng(0).standard_normal(16_000 * 25).astype(np.float32)
    long[16_000 * 8 : 16_000 * 8 + 4_000] *= 0.01
    found = list(sound.pieces(long))
    assert np.array_equal(np.concatenate([piece for _, piece in found]), long)
    assert found[1][0] == pytest.approx(8.1, abs=0.15)
    assert all(len(piece) <= 160_000 for _, piece in found)
    assert len(list(sound.pieces(long[:160_000]))) == 1
