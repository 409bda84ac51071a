"""The letters of the pages: Noto Sans for Latin, Greek and Cyrillic, and others for what it has not.

Droid Sans Fallback has Chinese, Japanese and Korean, DejaVu Sans the signs in names of cards, such as a star or the
sign of Venus. All come with the package and are embedded as far as they are used: a page looks the same wherever it is
read, and its bytes depend on no machine. The others are read when they are first needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from itertools import groupby
from threading import Lock
from typing import Any

REGULAR, BOLD = "NotoSans-Regular", "NotoSans-Bold"
OTHERS = ("DroidSansFallback", "DejaVuSans")
_loading = Lock()


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that one font has."""

    font: str
    text: str


def runs_of(text: str, font: str) -> list[Run]:
    """The text cut where the font changes. What no font has is shown as ``?``, so that it is seen to be missing."""
    has = _characters(font)
    if all(ord(character) in has for character in text):
        return [Run(font, text)] if text else []
    chosen = [_set(each, font) for each in text]
    return [Run(name, "".join(each for _, each in part)) for name, part in groupby(chosen, key=lambda pair: pair[0])]


def _set(character: str, font: str) -> tuple[str, str]:
    """The font that shows it, and what is shown."""
    found = next((name for name in (font, *OTHERS) if ord(character) in _characters(name)), None)
    return (font, "?") if found is None else (found, character)


def width_of(text: str, font: str, size: float) -> float:
    """In points."""
    return float(sum(_loaded(run.font).stringWidth(run.text, size) for run in runs_of(text, font)))


@cache
def _characters(name: str) -> frozenset[int]:
    return frozenset(_loaded(name).face.charToGlyph)


def _loaded(name: str) -> Any:
    """The font, registered by name with the library; the same object each time."""
    with _loading:
        return _registered(name)


@cache
def _registered(name: str) -> Any:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    content = files("marketplace.adapters.pdf").joinpath("fonts", f"{name}.ttf").read_bytes()
    font = TTFont(name, BytesIO(content))
    pdfmetrics.registerFont(font)
    return font
