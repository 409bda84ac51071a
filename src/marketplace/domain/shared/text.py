"""Free text from outside: what may be stored, shown and put into a spreadsheet."""

from __future__ import annotations

import unicodedata

from marketplace.domain.shared.errors import Invalid

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula."""

_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of the text behind it, beyond its own field: on a page, in a letter, in a log (UAX 9)."""


def checked_text(text: str, *, field: str, maximum: int, minimum: int = 0, lines: bool = False) -> str:
    """``text`` without white space around it. Raises Invalid, naming ``field``, on text that cannot be stored or shown.

    That is: lone surrogates, control characters (line breaks and tabs pass with ``lines``), signs that turn the
    direction of what follows, a length outside ``minimum`` to ``maximum`` characters, and invisible signs alone.
    """
    kept = text.strip()
    if any("\ud800" <= character <= "\udfff" for character in kept):
        raise _refused(field, "It holds half of a character (a lone surrogate); send well-formed Unicode.")
    allowed = "\n\r\t" if lines else ""
    if any(_is_control(character) and character not in allowed for character in kept):
        raise _refused(field, "It holds control characters; send plain text.")
    if any(character in _TURNS for character in kept):
        message = "It holds signs that turn the direction of text (U+202A to U+202E, U+2066 to U+2069); leave them out."
        raise _refused(field, message)
    if len(kept) < minimum:
        raise _refused(field, "It must not be empty." if minimum == 1 else f"It needs at least {minimum} characters.")
    if len(kept) > maximum:
        raise _refused(field, f"It has {len(kept)} characters; the most is {maximum}.")
    if kept and not text_key(kept):
        raise _refused(field, "It needs a character that can be seen.")
    return kept


def text_key(text: str) -> str:
    """The form in which two names are the same, whatever their case, Unicode form, spacing and invisible signs.

    NFKC of the case-folded text, twice, since the compatible form of a letter may be a capital one (UAX 15, UTS 39).
    """
    shown = "".join(character for character in text if unicodedata.category(character) != "Cf")
    once = unicodedata.normalize("NFKC", shown.casefold())
    return " ".join(unicodedata.normalize("NFKC", once.casefold()).split())


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run ``text`` instead of showing it."""
    return text.startswith(FORMULA_STARTS)


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character <= "\x9f"


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", errors={field: [message]})
