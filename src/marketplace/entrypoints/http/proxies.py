"""Who really asked, when reverse proxies stand in front: address, scheme and host, believed of trusted proxies alone.

``X-Forwarded-For`` (or ``Forwarded``, RFC 7239, where there is none) lists everybody whom the request came through,
the nearest last. Read from that end, the first that is no trusted proxy is the client: whatever stands before it, the
client may have written itself. Scheme and host are those that the proxy next to the client saw.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Network = IPv4Network | IPv6Network

_HEADERS = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
)
_MOST_HOPS = 32
_ADDRESS_AND_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?")
_PAIR = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)\s*')


class _Hop(NamedTuple):
    """What one proxy says of whoever came to it; empty where it says nothing."""

    address: str = ""
    scheme: str = ""
    host: str = ""


class TrustedProxies:
    """A WSGI application around another, which then reads ``REMOTE_ADDR``, scheme and host as they really are."""

    def __init__(self, app: WSGIApplication, networks: Sequence[Network]) -> None:
        self._app = app
        self._is_trusted = _membership(networks)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        peer = _address(environ.get("REMOTE_ADDR", ""))
        if peer and self._is_trusted(peer):
            self._believe(environ, peer)
        for name in _HEADERS:
            environ.pop(name, None)
        return self._app(environ, start_response)

    def _believe(self, environ: WSGIEnvironment, peer: str) -> None:
        client, seen = peer, _Hop()
        for hop in _hops(environ):
            # The proxy at ``client`` is trusted, and so is what it says.
            seen = _Hop("", hop.scheme or seen.scheme, hop.host or seen.host)
            address = _address(hop.address)
            if not address:
                break  # it does not know, or would not say: the proxy itself is the best that there is
            client = address
            if not self._is_trusted(address):
                break
        environ["REMOTE_ADDR"] = client
        if seen.scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = seen.scheme
        if seen.host:
            environ["HTTP_HOST"] = seen.host


def _membership(networks: Sequence[Network]) -> Callable[[str], bool]:
    @lru_cache(maxsize=4096)
    def is_trusted(address: str) -> bool:
        parsed = ip_address(address)
        return any(parsed.version == network.version and parsed in network for network in networks)

    return is_trusted


def _hops(environ: WSGIEnvironment) -> list[_Hop]:
    """The nearest first."""
    forwarded_for = environ.get("HTTP_X_FORWARDED_FOR", "")
    if not forwarded_for and "HTTP_FORWARDED" in environ:
        return _of_forwarded(environ["HTTP_FORWARDED"])
    addresses = _nearest_first(forwarded_for) or [""]
    # One who sets these anew, as most do, leaves one value, which then goes for all hops.
    schemes = _nearest_first(environ.get("HTTP_X_FORWARDED_PROTO", ""))
    hosts = _nearest_first(environ.get("HTTP_X_FORWARDED_HOST", ""))
    return [
        _Hop(address, _at(schemes, place).lower(), _at(hosts, place))
        for place, address in enumerate(addresses[:_MOST_HOPS])
    ]


def _at(values: list[str], place: int) -> str:
    return values[place] if place < len(values) else ""


def _nearest_first(header: str) -> list[str]:
    return [value.strip() for value in reversed(header.split(","))] if header else []


def _of_forwarded(header: str) -> list[_Hop]:
    """The elements of a ``Forwarded`` header; none when it cannot be read to its end."""
    hops: list[_Hop] = []
    values: dict[str, str] = {}
    position = 0
    while position < len(header):
        pair = _PAIR.match(header, position)
        if pair is None:
            return []
        values[pair[1].lower()] = _unquoted(pair[2])
        position = pair.end()
        separator = header[position : position + 1]
        if separator not in ("", ";", ","):
            return []
        if separator != ";":
            hops.append(_Hop(values.get("for", ""), values.get("proto", "").lower(), values.get("host", "")))
            values = {}
        position += 1
    return hops[: -_MOST_HOPS - 1 : -1]


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value.strip()


@lru_cache(maxsize=4096)
def _address(text: str) -> str:
    """The address alone, without a port, as it is written shortest; nothing when it is none (``unknown``)."""
    with_port = _ADDRESS_AND_PORT.fullmatch(text)
    try:
        parsed: Any = ip_address((with_port[1] or with_port[2]) if with_port else text)
    except ValueError:
        return ""
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
