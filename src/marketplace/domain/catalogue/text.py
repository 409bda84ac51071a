"""Text as it is searched, sorted and put into addresses: one spelling for what people spell in many ways."""

from __future__ import annotations

import re
import unicodedata

MAX_QUERY = 100
"""Characters of a search text; a longer one is refused."""

# Marks that make another letter in Japanese (ハ, バ, パ), where every other mark is an accent.
_VOICED = "\u3099\u309a"
_SAME = str.maketrans(
    {
        "œ": "oe",
        "æ": "ae",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "\u0131": "i",
        "★": "☆",
        # Apostrophes come in many shapes and are as often left out.
        **dict.fromkeys("'`\u2018\u2019\u201b\u2032\u02bc\u00b4", ""),
        # Hyphens too: Charizard-EX, Charizard EX. The rest are the marks that `search_text` is built with.
        **dict.fromkeys("-\u2010\u2011\u2012\u2013\u2014\u2212=#\n\r\t\0", " "),
    }
)
_PADDED_NUMBER = re.compile(r"\d+")
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")
_NOT_IN_KEY = re.compile(r"[^a-z0-9.-]")


def normalised(text: str) -> str:
    """Without accents, case, apostrophes, hyphens or repeated spaces: Évoli and evoli, Charizard-EX and charizard ex.

    Idempotent. Japanese voiced sounds and Korean syllables are kept apart; ``_`` and ``%`` stay.
    """
    if text.isascii():
        plain = text.lower()
    else:
        apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        kept = "".join(c for c in apart if not unicodedata.combining(c) or c in _VOICED)
        plain = unicodedata.normalize("NFC", kept)
    return " ".join(plain.translate(_SAME).split())


def words(query: str) -> tuple[str, ...]:
    """The words of a search, normalised, each once, in the order typed."""
    return tuple(dict.fromkeys(normalised(query).split()))


def search_text(*, names: list[str], numbers: list[str], others: list[str]) -> str:
    """What a search looks through: a line for each text, names marked ``=`` and numbers ``#``.

    Every word stands between spaces, so that a whole word, a whole name and the beginning of a name can be told from
    a mere part of a word: ``= charizard ``, ``# 4/102 ``.
    """
    lines: dict[str, None] = {}
    for mark, texts in (("=", names), ("#", numbers), ("", others)):
        for text in texts:
            if plain := normalised(text):
                lines[f"{mark} {plain} \n"] = None
    return "".join(lines)


def number_key(number: str | None) -> str:
    """A collector number so that text order is number order: ``4`` before ``10``, ``TG3`` before ``TG12``."""
    return _PADDED_NUMBER.sub(lambda digits: digits.group().zfill(6), normalised(number or ""))


def slug(name: str, external_id: str = "") -> str:
    """A readable address: ``charizard-base1-4``. The id keeps ``.`` and writes other signs as ``~`` and their code."""
    plain = _NOT_IN_SLUG.sub("-", unicodedata.normalize("NFKD", normalised(name))).strip("-")
    key = _NOT_IN_KEY.sub(lambda sign: f"~{ord(sign.group()):x}", external_id.lower())
    return "-".join(part for part in (plain[:80].rstrip("-"), key) if part) or "unnamed"


def matches(haystack: str, query: str) -> bool:
    """Whether every word of the query occurs in a ``search_text``, be it as a part of a word."""
    return all(word in haystack for word in words(query))


def relevance(haystack: str, query: str) -> int:
    """How well what matches fits: 0 a whole name or number, 1 the beginning of a name, 2 whole words, 3 parts."""
    plain = normalised(query)
    if f"= {plain} \n" in haystack or f"# {plain} \n" in haystack:
        return 0
    if f"= {plain}" in haystack:
        return 1
    return 2 if all(f" {word} " in haystack for word in words(query)) else 3
