"""Pages of A4 filled from the top down: text that wraps, rows, rules, and a new page where the last one ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from marketplace.adapters.pdf.fonts import BOLD, REGULAR, runs_of, width_of

WIDTH, HEIGHT = 595.2756, 841.8898
LEFT, RIGHT, TOP, BOTTOM = 51.0, WIDTH - 51.0, HEIGHT - 51.0, 68.0
INK, ACCENT, QUIET, HAIR, SHADE = (0.13, 0.15, 0.19), (0.12, 0.23, 0.42), (0.42, 0.45, 0.51), (0.8, 0.82, 0.86), 0.955


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """How a text is set; ``size`` and ``leading`` in points."""

    font: str = REGULAR
    size: float = 9
    leading: float = 12
    colour: tuple[float, float, float] = INK


BODY = Style()
STRONG = Style(font=BOLD)
SMALL = Style(size=7.5, leading=10, colour=QUIET)
HEAD = Style(font=BOLD, size=7.5, leading=10, colour=QUIET)
TITLE = Style(font=BOLD, size=20, leading=24, colour=ACCENT)
BRAND = Style(font=BOLD, size=12, leading=15, colour=ACCENT)
SUM = Style(font=BOLD, size=11, leading=15, colour=ACCENT)


@dataclass(kw_only=True, slots=True)
class Sheet:
    """``y`` is how far the page is filled. ``on_new_page`` draws what every page after the first begins with."""

    title: str
    author: str
    subject: str
    y: float = TOP
    on_new_page: Callable[[Sheet], None] = lambda sheet: None
    _buffer: BytesIO = field(default_factory=BytesIO)
    _canvas: Any = field(init=False)
    _pages: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        from reportlab.pdfgen.canvas import Canvas

        # Invariant: neither the time nor chance gets into the bytes.
        self._canvas = Canvas(self._buffer, pagesize=(WIDTH, HEIGHT), invariant=1, pageCompression=1)
        self._canvas.setTitle(self.title)
        self._canvas.setAuthor(self.author)
        self._canvas.setSubject(self.subject)

    def need(self, height: float) -> None:
        """Begin a new page unless so much is free on this one."""
        if self.y - height < BOTTOM:
            self._turn()
            self.on_new_page(self)

    def text(self, text: str, x: float, y: float, style: Style = BODY, *, right: bool = False) -> None:
        """One line, from ``x`` on, or up to it."""
        start = x - width_of(text, style.font, style.size) if right else x
        self._canvas.setFillColorRGB(*style.colour)
        for run in runs_of(text, style.font):
            self._canvas.setFont(run.font, style.size)
            self._canvas.drawString(start, y, run.text)
            start += width_of(run.text, run.font, style.size)

    def block(self, lines: Sequence[tuple[str, Style]], x: float, y: float, width: float) -> float:
        """Lines below each other, each wrapped; gives where they end."""
        for text, style in lines:
            for line in wrapped(text, style, width):
                y -= style.leading
                self.text(line, x, y, style)
        return y

    def rule(self, y: float, *, x: float = LEFT, to: float = RIGHT, width: float = 0.5) -> None:
        self._canvas.setStrokeColorRGB(*HAIR)
        self._canvas.setLineWidth(width)
        self._canvas.line(x, y, to, y)

    def shade(self, y: float, height: float, *, x: float = LEFT, to: float = RIGHT) -> None:
        """A pale ground, drawn before what stands on it."""
        self._canvas.setFillGray(SHADE)
        self._canvas.rect(x, y, to - x, height, stroke=0, fill=1)

    def bar(self) -> None:
        """The coloured edge at the top of a page."""
        self._canvas.setFillColorRGB(*ACCENT)
        self._canvas.rect(0, HEIGHT - 9, WIDTH, 9, stroke=0, fill=1)

    def finish(self, footer: Callable[[Sheet, int, int], None]) -> bytes:
        """The file. ``footer`` is drawn on each page, with its number and how many there are."""
        self._turn()
        for number, page in enumerate(self._pages, start=1):
            self._canvas.__dict__.update(page)
            self.bar()
            footer(self, number, len(self._pages))
            self._canvas.showPage()
        self._canvas.save()
        return self._buffer.getvalue()

    def _turn(self) -> None:
        """Put the page aside: how many there will be is not known yet."""
        self._pages.append(dict(self._canvas.__dict__))
        self._canvas._startPage()
        self.y = TOP


def wrapped(text: str, style: Style, width: float) -> list[str]:
    """The lines of a text that is ``width`` points wide: cut at blanks, and anywhere in what has none."""
    lines, line = [], ""
    for word in _pieces(text, style, width):
        longer = line + word
        if line and width_of(longer.rstrip(" "), style.font, style.size) > width:
            lines.append(line.rstrip(" "))
            line = word.lstrip(" ")
        else:
            line = longer
    return [*lines, line.rstrip(" ")] if line.strip(" ") or not lines else lines


def _pieces(text: str, style: Style, width: float) -> list[str]:
    """Words with the blank behind them; each ideograph, and each character of a word that is too long, by itself."""
    pieces: list[str] = []
    for word in text.replace("\n", " ").split(" "):
        if width_of(word, style.font, style.size) > width or any(ord(each) > 0x2E80 for each in word):
            pieces += [*word[:-1], f"{word[-1]} "]
        else:
            pieces.append(f"{word} ")
    return pieces
