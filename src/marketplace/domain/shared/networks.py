"""Where a request comes from, as far as it is of use for counting."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

IPV6_PREFIX = 64
"""Bits of an IPv6 address that name a subscriber; of the rest anybody has as many as they like (RFC 6177)."""


def network_of(address: str) -> str:
    """The unit in which callers are counted: an IPv4 address, the /64 around an IPv6 one, or the text as it is."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(IPv6Network((int(parsed), IPV6_PREFIX), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed)
