"""Which hosts and addresses a model may reach."""

from typing import Any

import pytest

from hf_tools.errors import InputError, MediaError
from hf_tools.media.addresses import is_public
from hf_tools.media.hosts import Gate, checked_hosts

PUBLIC = Gate("public", ("https",), (443,))


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "2a00:1450:4001::1"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "192.0.0.1", "192.0.2.1", "192.88.99.1",
        "198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "168.63.129.16", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1",
        "fe80::1%eth0", "2606:2800:220:1::1%eth0", "fec0::1", "ff02::1", "", "example.org", "2130706433", "127.1",
    ],
)  # fmt: skip
def test_what_is_no_public_address(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a.png",
        "https://EXAMPLE.org:443/",
        "https://a_b.xn--bcher-kva.example/?q=1",
        "https://hf.co",
    ],
)
def test_public_hosts_are_admitted(url: str) -> None:
    PUBLIC.check(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://example.org/", "http URLs are refused: only https is read"),
        ("https://example.org:8443/", "the port 8443 is refused: open is 443"),
        ("https://example.org:22/", "the port 22 is refused: open is 443"),
        ("https://me:secret@example.org/", "the URL has a user or password in it"),
        ("https://example.org\\@10.0.0.1/", "the URL is refused: it is too long, or has a backslash"),
        ("https://b\u00fccher.example/", "the URL is refused: it is too long, or has a backslash"),
        ("https://example.org/" + "a" * 2000, "the URL is refused: it is too long, or has a backslash"),
        ("https://example.org/a b", "the URL has characters that no URL has"),
        ("https://example.org\t/", "the URL has characters that no URL has"),
        ("https:///path", "the URL has no host"),
        ("https://[::1", "the URL has no valid host and port"),
        ("https://example.org:99999/", "the URL has no valid host and port"),
        *[
            (f"https://{host}/", f"the host '{host.strip('[]')}' is not allowed")
            for host in (
                "localhost", "kubernetes", "metadata.google.internal", "printer.local", "a.localhost", "example.org.",
                "ex%61mple.org", "-a.example.org", "a..example.org", "example.org;x", "127.0.0.1", "93.184.216.34",
                "169.254.169.254", "[::1]", "[2002:7f00:1::]", "[::ffff:127.0.0.1]", "[2606:2800:220:1::1]",
                "2130706433",
                "0x7f000001", "0x7f.1", "017700000001", "127.1", "0", "1.2.3.4.5", "0x", "0177.0.0.1",
            )
        ],
    ],
)  # fmt: skip
def test_urls_that_are_refused(url: str, message: str) -> None:
    with pytest.raises(MediaError) as caught:
        PUBLIC.check(url)
    assert caught.value.message.startswith(message)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("hosts", "host", "admitted"),
    [
        (("example.org",), "example.org", True),
        (("Example.ORG",), "EXAMPLE.org", True),
        (("example.org",), "www.example.org", False),
        (("example.org",), "badexample.org", False),
        (("example.org",), "example.org.evil.test", False),
        (("*.example.org",), "a.b.example.org", True),
        (("*.example.org",), "example.org", False),
        (("*.example.org",), "badexample.org", False),
        (("localhost",), "localhost", True),
        (("127.0.0.1",), "127.0.0.1", True),
        (("127.0.0.1",), "127.0.0.2", False),
        (("127.0.0.1",), "2130706433", False),
        (("::1",), "0:0:0:0:0:0:0:1", True),
        (("0:0::1",), "::1", True),
    ],
)
def test_hosts_that_were_listed(hosts: tuple[str, ...], host: str, admitted: bool) -> None:
    gate = Gate(checked_hosts(hosts), ("http", "https"), (80, 443))
    if admitted:
        gate.admit(host, 80)
        return
    with pytest.raises(MediaError, match="is not allowed"):
        gate.admit(host, 80)


def test_without_hosts_no_url_is_read() -> None:
    with pytest.raises(MediaError, match=r"^URLs are not read here$"):
        Gate((), ("https",), (443,)).check("https://example.org/")


def test_every_address_of_a_host_must_be_public_or_listed() -> None:
    PUBLIC.admit_addresses("example.org", ["93.184.216.34", "2606:2800:220:1::1"])
    gate = Gate(("intranet.example", "10.0.0.5", "fd00::5"), ("https",), (443,))
    gate.admit_addresses("intranet.example", ["10.0.0.5", "fd00:0::5", "93.184.216.34"])
    for addresses in (["93.184.216.34", "10.0.0.6"], ["::1"], ["10.0.0.6", "10.0.0.5"]):
        message = r"^the host 'intranet.example' is not allowed: it is not on the public internet$"
        with pytest.raises(MediaError, match=message):
            gate.admit_addresses("intranet.example", addresses)


@pytest.mark.parametrize(
    "wrong",
    ["example.org", 5, None, ["*"], ["https://example.org"], ["example.org:443"], ["a/b"], [""], [5], ["*.*.org"],
     ["bücher.example"], ["*.127.0.0.1"], ["2130706433"], ["a b"], ["example.org."], {"example.org"}],
)  # fmt: skip
def test_hosts_that_cannot_be_meant(wrong: Any) -> None:
    with pytest.raises(InputError, match=r"^`hosts` (= |has )"):
        checked_hosts(wrong)
