"""What a policy may be made of, and what it lets be written."""

import pickle
import stat
from pathlib import Path
from typing import Any

import pytest

from hf_tools.errors import InputError, MediaError
from hf_tools.media import Image, MediaPolicy, Text

PNG = b"\x89PNG\r\n\x1a\nrest"
POLICY = MediaPolicy()


# writing


def test_results_are_written_privately_under_our_names(tmp_path: Path) -> None:
    policy = MediaPolicy(out=tmp_path / "out")
    name = policy.save(Image(PNG), "../../a cat\0.svg")
    assert name == "a-cat-svg-f02a830cf03a.png"
    assert policy.save(Image(PNG), "../../a cat\0.svg") == name
    assert policy.save(Text(b"x"), "..").startswith("media-")
    path = tmp_path / "out" / name
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (PNG, 0o600)
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_link_of_that_name_is_replaced_not_followed(tmp_path: Path) -> None:
    policy = MediaPolicy(out=tmp_path)
    name = policy.save(Image(PNG), "cat")
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to(tmp_path / "target")
    policy.save(Image(PNG), "cat")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_where_nothing_may_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^nothing may be written\. "):
        POLICY.save(Image(PNG), "cat")
    policy = MediaPolicy(out=tmp_path / "out")
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(MediaError, match=r"^cat-[0-9a-f]{12}.png cannot be written: File exists$"):
        policy.save(Image(PNG), "cat")


# making one


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"roots": "inputs"}, "`roots` = 'inputs': must be a list of directories"),
        ({"roots": [5]}, "`roots` = 5: must be a directory"),
        ({"roots": [""]}, "`roots` = '': must be a directory"),
        ({"roots": [b"x"]}, "`roots` = b'x': must be a directory"),
        ({"roots": ["a\0"]}, "`roots` = 'a\\x00': must be a directory"),
        ({"roots": ["/"]}, "`roots` = '/': must be directories that exist, and not the whole disk"),
        ({"roots": ["/none"]}, "`roots` = '/none': must be directories that exist, and not the whole disk"),
        ({"hosts": "example.org"}, "`hosts` = 'example.org': expected a list of host names, or \"public\""),
        ({"schemes": ()}, "`schemes` = (): must be a list of 'https' and 'http'"),
        ({"schemes": ["ftp"]}, "`schemes` = ['ftp']: must be a list of 'https' and 'http'"),
        ({"schemes": "https"}, "`schemes` = 'https': must be a list of schemes"),
        ({"ports": 443}, "`ports` = 443: must be a list of port numbers"),
        ({"ports": []}, "`ports` = []: must be a list of port numbers"),
        ({"ports": [0]}, "`ports` = 0: must be a whole number from 1 to 65,535"),
        ({"max_bytes": 5}, "`max_bytes` = {'': 5}: must be a mapping with some of image, audio, video and text"),
        (
            {"max_bytes": {"pdf": 5}},
            "`max_bytes` = {'pdf': 5}: must be a mapping with some of image, audio, video and text",
        ),
        (
            {"max_bytes": {"text": 2**40}},
            "`max_bytes[text]` = 1099511627776: must be a whole number from 1 to 268,435,456",
        ),
        ({"inline_max": -1}, "`inline_max` = -1: must be a whole number from 0 to 268,435,456"),
        ({"max_pixels": True}, "`max_pixels` = True: must be a whole number from 1 to 1,000,000,000,000"),
        ({"max_redirects": 1.0}, "`max_redirects` = 1.0: must be a whole number from 0 to 20"),
        ({"timeout": 0}, "`timeout` = 0: must be a number of seconds above 0"),
        ({"max_seconds": "60"}, "`max_seconds` = '60': must be a number of seconds above 0"),
        ({"out": 5}, "`out` = 5: must be a directory"),
        ({"out": __file__}, f"`out` = {__file__!r}"),
    ],
)
def test_values_that_cannot_be_meant(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        MediaPolicy(**values)
    assert caught.value.message.startswith(message[:60])


def test_some_caps_leave_the_others() -> None:
    policy = MediaPolicy(max_bytes={"image": 5})
    assert policy.max_bytes == {"image": 5, "audio": 50 * 2**20, "video": 200 * 2**20, "text": 20 * 2**20}
    assert POLICY.max_bytes == {"image": 20 * 2**20, "audio": 50 * 2**20, "video": 200 * 2**20, "text": 20 * 2**20}


def test_it_travels_in_a_pickle(tmp_path: Path) -> None:
    policy = MediaPolicy(roots=[tmp_path], hosts=["Example.org"], out=tmp_path)
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert (policy.hosts, policy.roots) == (("example.org",), (tmp_path,))
