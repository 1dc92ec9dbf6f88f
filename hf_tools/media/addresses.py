"""Which addresses of the internet a download may reach that a model has asked for."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NOT_PUBLIC = [
    ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's own server in each of its virtual networks
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
]  # fmt: skip
"""IANA's special-purpose registries (RFC 6890 and its updates): private, link-local, shared, multicast, documentation;
2001::/23 has Teredo (RFC 4380), 2002::/16 is 6to4 (RFC 3056): both carry IPv4 addresses of any kind."""
_UNICAST = ip_network("2000::/3")
"""All that IPv6 has of public addresses (RFC 4291). NAT64, mapped and compatible forms of IPv4, unique local
(fc00::/7), link-local, site-local and multicast addresses lie outside."""


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, without the zone of an IPv6 one; None for a name."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet; False for what is no address."""
    found = literal(address)
    if found is None or "%" in address or not found.is_global:
        return False
    if isinstance(found, IPv6Address) and found not in _UNICAST:
        return False
    return not any(found in network for network in _NOT_PUBLIC)
