"""Devices, as their owner tells them apart in a list: a program, a system and an address of the network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

MAX_DEVICE_NAME = 80
_MAX_ADDRESS = 45
"""An address of IPv6 with one of IPv4 in it, written out."""

# What a User-Agent says, and what people call it; the first that is found counts, since most claim to be several.
_PROGRAMS = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_UNPRINTABLE = re.compile(r"[^ -~]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """``name`` is what it says of itself, ``address`` where it called from; each empty when nothing is known."""

    name: str = ""
    address: str = ""

    @classmethod
    def seen(cls, *, user_agent: str, address: str) -> Self:
        """``user_agent`` is the header of a request, however long and strange."""
        return cls(name=device_name(user_agent), address=address[:_MAX_ADDRESS])


UNKNOWN_DEVICE = Device()


def device_name(user_agent: str) -> str:
    """A User-Agent in a few words: ``Firefox on Windows``; of what is no browser the beginning, ``curl/8.5.0``."""
    said = _UNPRINTABLE.sub(" ", user_agent).strip()
    program = next((name for mark, name in _PROGRAMS if mark in said), None)
    system = next((name for mark, name in _SYSTEMS if mark in said), None)
    if program is None:
        return said.partition(" ")[0][:MAX_DEVICE_NAME]
    return program if system is None else f"{program} on {system}"
