"""Text in pictures through the transport and the client, on the real models."""

from __future__ import annotations

import asyncio
import base64
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from hf_tools import AsyncHfInference, HfInference, local
from hf_tools.errors import InvalidRequest, LocalBackendError, MissingExtra
from hf_tools.local import picture
from hf_tools.local.answers import Refused
from hf_tools.local.ocr import Piece, Reader, lines
from hf_tools.local.weights import PPOCR
from tests.local.test_local_speech import FORK, QUIET

INVOICE = Path(__file__).parent.parent.parent / "hf_tools" / "demo_files" / "invoice.png"
TEXT = """\
Green Lane Office Supplies
12 Harbour Street, Dublin
Invoice 48213 Date: 14 May 2026
Item Quantity Amount
Desk lamp 4 $180.00
Office chair 2 $356.00
Printer paper, box 10 $245.50
Total due: $781.50
Please pay by 13 June 2026."""
PATH = "/models/PaddlePaddle/PP-OCRv6_small_rec/pipeline/image-to-text"


def drawn(text: str, colour: str = "black", size: tuple[int, int] = (640, 90), ground: str = "white") -> Image.Image:
    image = Image.new("RGB", size, ground)
    ImageDraw.Draw(image).text((20, 20), text, fill=colour, font=ImageFont.load_default(size=36))
    return image


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def read(hub: httpx.Client) -> Any:
    """The text in a picture."""

    def post(data: bytes) -> str:
        response = hub.post(PATH, content=data, headers={"content-type": "image/png"})
        assert response.status_code == 200, response.text
        ((key, text),) = response.json()[0].items()
        assert (key, len(response.json())) == ("generated_text", 1)
        return str(text)

    return post


def test_an_invoice_is_read_line_by_line(read: Any) -> None:
    assert read(INVOICE.read_bytes()) == TEXT


def test_base64_in_json_is_read_too(hub: httpx.Client) -> None:
    body = {"inputs": base64.b64encode(INVOICE.read_bytes()).decode(), "parameters": {"max_new_tokens": None}}
    assert hub.post(PATH, json=body).json() == [{"generated_text": TEXT}]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_formats(read: Any, kind: str) -> None:
    assert read(saved(drawn("Meeting at noon"), kind)) == "Meeting at noon"


@pytest.mark.parametrize(
    "image",
    [
        drawn("Meeting at noon", "white", ground="navy"),
        drawn("Meeting at noon").convert("1"),
        drawn("Meeting at noon").convert("L"),
        drawn("Meeting at noon").convert("CMYK"),
        drawn("Meeting at noon").quantize(8),
        drawn("Meeting at noon").rotate(180),
        drawn("Meeting at noon", size=(5000, 3000)).crop((0, 0, 1500, 800)),
    ],
    ids=["dark", "black and white", "grey", "cmyk", "palette", "upside down", "wide"],
)
def test_modes_and_turns(read: Any, image: Image.Image) -> None:
    assert read(saved(image, "TIFF")) == "Meeting at noon"


def test_what_is_transparent_is_white(read: Any) -> None:
    image = Image.new("RGBA", (640, 90), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((20, 20), "Meeting at noon", fill="black", font=ImageFont.load_default(size=36))
    assert read(saved(image)) == "Meeting at noon"


def test_a_photograph_that_lies_on_its_side_is_turned_upright(read: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    lying = drawn("Meeting at noon").rotate(90, expand=True)
    assert read(saved(lying, "JPEG", exif=exif)) == "Meeting at noon"


@pytest.mark.parametrize("size", [(1, 1), (20, 300), (3000, 1), (1, 3000), (640, 480)])
def test_empty_pictures_of_any_shape_have_no_text(read: Any, size: tuple[int, int]) -> None:
    assert read(saved(Image.new("RGB", size, "white"))) == ""


def test_noise_is_no_text(read: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    assert read(saved(Image.fromarray(noise))) == ""


def test_thin_pictures_get_ground_and_large_ones_are_shrunk() -> None:
    assert picture.decoded(saved(Image.new("RGB", (8000, 40), "red"))).shape == (500, 2000, 3)
    assert picture.decoded(saved(Image.new("RGB", (10, 100), "red"))).shape == (100, 25, 3)
    framed = picture.decoded(saved(Image.new("RGB", (10, 100), "red")))
    assert (framed == (0, 0, 255)).all()  # blue, green, red


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises this size, with next to nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (b"", 400, "The picture is empty: 0 bytes"),
        (b"no picture", 400, "The picture cannot be read: UnidentifiedImageError"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 400, "The picture cannot be read: Unidentified"),
        (INVOICE.read_bytes()[:6000], 400, "The picture cannot be read: OSError"),
        (bomb(10, 10), 400, "The picture cannot be read: OSError"),
        (bomb(8000, 6251), 413, "The picture is too large: 8000 x 6251 pixels, at most 50,000,000 are read"),
        (bomb(10_000, 9_000), 413, "The picture is too large: "),
        (bomb(60_000, 60_000), 413, "The picture is too large: "),
    ],
)
def test_what_is_no_picture_is_refused(hub: httpx.Client, data: bytes, status: int, says: str) -> None:
    response = hub.post(PATH, content=data)
    assert response.status_code == status
    assert says in response.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        (PATH, {"inputs": "AAAA", "parameters": {"max_new_tokens": 5}}, 422, "max_new_tokens: PaddlePaddle/PP-OCRv6"),
        (PATH, {"inputs": "AAAA", "parameters": {"generation_parameters": {}}}, 422, "'generation_parameters'"),
        (PATH, {"inputs": "AAAA", "parameters": []}, 400, "parameters: must be an object"),
        (PATH, {"inputs": "AAAA", "prompt": "a"}, 422, "'prompt'"),
        (PATH, {"inputs": "not base64!"}, 400, "inputs: must be the picture in base64"),
        (PATH, {"inputs": ""}, 400, "The picture is empty: 0 bytes"),
        (PATH, {}, 400, "inputs: must be the picture in base64"),
        (PATH, [], 400, "The body: must be an object"),
        (PATH.replace("small_rec", "large_rec"), {"inputs": "AAAA"}, 404, "does not have 'PaddlePaddle/PP-OCRv6_large"),
    ],
)
def test_wrong_bodies_are_refused_by_name(hub: httpx.Client, path: str, body: Any, status: int, says: str) -> None:
    response = hub.post(path, json=body)
    assert response.status_code == status
    assert says in response.json()["error"]


def test_broken_json_is_refused(hub: httpx.Client) -> None:
    response = hub.post(PATH, content=b"{", headers={"content-type": "application/json; charset=utf-8"})
    assert response.status_code == 400
    assert response.json()["error"].startswith("The body is not JSON: ")


def test_pieces_on_one_height_make_a_line() -> None:
    pieces = [
        Piece("b", 200, 12, 32),
        Piece("below", 10, 34, 54),
        Piece("a", 10, 8, 28),
        Piece("small", 90, 16, 26),
        Piece("last", 10, 60, 80),
    ]
    assert lines(pieces) == ["a small b", "below", "last"]
    assert lines([]) == []


@pytest.mark.parametrize("code", [QUIET, FORK], ids=["quiet", "fork"])
def test_no_network_and_nothing_on_the_terminal_also_in_a_forked_child(code: str) -> None:
    command = [sys.executable, "-W", "error", "-c", code, PATH, str(INVOICE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "" or code == FORK


def test_the_clients_know_the_task() -> None:
    with HfInference(provider="local") as client:
        assert client.image_to_text(INVOICE).generated_text == TEXT
        with pytest.raises(InvalidRequest, match="The picture cannot be read") as caught:
            client.image_to_text(INVOICE.read_bytes()[:3000])
        assert caught.value.status == 400
        with pytest.raises(InvalidRequest, match="max_new_tokens: PaddlePaddle"):
            client.image_to_text(INVOICE, max_new_tokens=9)

    async def seen() -> str:
        async with AsyncHfInference(provider="local") as client:
            return (await client.image_to_text(INVOICE, model="pp-ocrv6")).generated_text

    assert asyncio.run(seen()) == TEXT
    assert local.TASKS["image-to-text"] == local.OCR_MODEL == "PaddlePaddle/PP-OCRv6_small_rec"


@pytest.mark.parametrize("name", ["rapidocr", "onnxruntime"])
def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=rf"needs {name}: pip install 'hf-tools\[local-vision\]'"):
        Reader()


def test_pillow_is_part_of_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(MissingExtra, match=r"needs PIL.Image: pip install 'hf-tools\[local-vision\]'"):
        picture.decoded(INVOICE.read_bytes())


def test_an_own_model_must_load_and_know_its_characters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from hf_tools.local.weights import locate

    folder = locate(PPOCR).parent
    for companion in PPOCR.companions:
        (tmp_path / companion.filename).write_bytes((folder / companion.filename).read_bytes())
    own = tmp_path / "own.onnx"
    own.write_bytes(b"not a model")
    monkeypatch.setenv(PPOCR.variable, str(own))
    with pytest.raises(LocalBackendError, match=r"onnxruntime cannot load own.onnx: \w+"):
        Reader()
    own.write_bytes((tmp_path / PPOCR.companions[0].filename).read_bytes())
    with pytest.raises(LocalBackendError, match=r"own.onnx does not hold the characters it writes"):
        Reader()
    with pytest.raises(Refused):
        picture.decoded(b"")
