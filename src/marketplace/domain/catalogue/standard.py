"""The languages, prints, conditions and grades that every catalogue begins with, as the migration inserts them."""

from __future__ import annotations

from marketplace.domain.catalogue.attributes import (
    Attributes,
    Condition,
    Grade,
    Language,
    Version,
    version_name,
)
from marketplace.domain.shared.ids import ConditionId, GradeId, LanguageId, VersionId

GAMES = {"pokemon": "Pokémon", "yugioh": "Yu-Gi-Oh!", "magic": "Magic: The Gathering", "other": "Other"}
"""Games by code: their names, which also name their root category."""

RESERVED_IDS = 100
"""Identities up to here belong to what this module lists; a sequence of identities starts above."""

_LANGUAGES = (
    "en English, fr Français, de Deutsch, es Español, it Italiano, pt Português, ja 日本語, ko 한국어, zh 中文, "
    "nl Nederlands, ru Русский, pl Polski, cs Čeština, sv Svenska, id Bahasa Indonesia, th ไทย"
)
_VERSIONS = {
    "normal": "Without foil, or the only print of its card.",
    "reverse": "Foil everywhere but on the picture.",
    "holo": "Foil on the picture.",
    "normal-first-edition": "Without foil, with the first-edition stamp.",
    "reverse-first-edition": "Foil everywhere but on the picture, with the first-edition stamp.",
    "holo-first-edition": "Foil on the picture, with the first-edition stamp.",
}
_CONDITIONS = {
    "MT": "Mint",
    "NM": "Near mint",
    "EX": "Excellent",
    "GD": "Good",
    "LP": "Light played",
    "PL": "Played",
    "PO": "Poor",
    "GRADED": "Graded",
}
_HALVES = tuple(f"{half / 2:g}" for half in range(2, 21))
_GRADES = {
    "PSA": tuple(value for value in _HALVES if value != "9.5"),
    "BGS": _HALVES,
    "CGC": _HALVES,
    "PCA": (*(str(value) for value in range(1, 10)), "9.5", "10"),
}


def standard_attributes() -> Attributes:
    languages = [pair.split(" ", 1) for pair in _LANGUAGES.split(", ")]
    marks = [(grader, value) for grader, values in _GRADES.items() for value in values]
    return Attributes.of(
        languages=[Language(id=LanguageId(i), code=code, name=name) for i, (code, name) in enumerate(languages, 1)],
        versions=[
            Version(
                id=VersionId(i), code=code, name=version_name(code), tcg_types=frozenset(GAMES), description=description
            )
            for i, (code, description) in enumerate(_VERSIONS.items(), 1)
        ],
        conditions=[
            Condition(id=ConditionId(i), code=code, label=label, rank=i, is_graded=code == "GRADED")
            for i, (code, label) in enumerate(_CONDITIONS.items(), 1)
        ],
        grades=[Grade(id=GradeId(i), grader=grader, value=value) for i, (grader, value) in enumerate(marks, 1)],
    )
