"""What a card can be offered in: languages, versions (prints), conditions and grades."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import ConditionId, GradeId, LanguageId, VersionId

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_FINISH = re.compile(r"[a-z][a-z0-9]{0,29}")
_VERSION = re.compile(r"[a-z][a-z0-9]{0,29}(-[a-z0-9]{1,30}){0,4}")
_CODE = re.compile(r"[A-Z][A-Z0-9]{0,19}")


def _checked(field_name: str, value: str, pattern: re.Pattern[str], example: str) -> None:
    if not pattern.fullmatch(value):
        message = f"{value!r} is not a {field_name}; write one like {example}."
        raise Invalid(message, errors={field_name: [message]})


@dataclass(kw_only=True, slots=True)
class Language:
    """A language that cards are printed in. ``code`` is ISO 639-1, with a script where needed (``zh-Hant``)."""

    id: LanguageId
    code: str
    name: str

    def __post_init__(self) -> None:
        _checked("code", self.code, _LANGUAGE, "fr")


@dataclass(kw_only=True, slots=True)
class Version:
    """A print: a finish, perhaps a first edition, perhaps shadowless. ``tcg_types``: the games it occurs in."""

    id: VersionId
    code: str
    name: str
    tcg_types: frozenset[str] = frozenset()
    description: str = ""
    displayable: bool = True

    def __post_init__(self) -> None:
        _checked("code", self.code, _VERSION, "holo-first-edition")

    def describe(
        self,
        *,
        name: str | None = None,
        tcg_types: Iterable[str] | None = None,
        description: str | None = None,
        displayable: bool | None = None,
    ) -> None:
        """Say something else of it; what is left out stays."""
        self.name = self.name if name is None else name
        self.tcg_types = self.tcg_types if tcg_types is None else frozenset(tcg_types)
        self.description = self.description if description is None else description
        self.displayable = self.displayable if displayable is None else displayable


@dataclass(kw_only=True, slots=True)
class Condition:
    """A state of preservation. ``rank`` 1 is the best; whether it is the graded one never changes."""

    id: ConditionId
    code: str
    label: str
    rank: int
    is_graded: bool = False

    def __post_init__(self) -> None:
        _checked("code", self.code, _CODE, "NM")


@dataclass(kw_only=True, slots=True)
class Grade:
    """A grading company's mark, 1 to 10 in halves. ``value`` is a decimal text without trailing zeros."""

    id: GradeId
    grader: str
    value: str

    def __post_init__(self) -> None:
        _checked("grader", self.grader, _CODE, "PSA")
        message = f"{self.value!r} is not a grade; write 1 to 10 in halves, such as 9.5."
        try:
            number = Decimal(self.value)
        except InvalidOperation as error:
            raise Invalid(message, errors={"value": [message]}) from error
        if not (number.is_finite() and 1 <= number <= 10 and number * 2 % 1 == 0):
            raise Invalid(message, errors={"value": [message]})
        self.value = f"{number.normalize():f}"

    @property
    def code(self) -> str:
        """How collectors write it: ``PSA 9.5``."""
        return f"{self.grader} {self.value}"


def version_code(finish: str, *, first_edition: bool = False, shadowless: bool = False) -> str:
    """The code of a print: ``holo``, ``holo-first-edition``, ``normal-first-edition-shadowless``. Raises Invalid."""
    _checked("finish", finish, _FINISH, "holo")
    return finish + "-first-edition" * first_edition + "-shadowless" * shadowless


def version_name(code: str) -> str:
    """A name for a print that nobody has named: ``Holo, first edition``."""
    finish, *rest = code.replace("-first-edition", ", first edition").replace("-shadowless", ", shadowless").split(", ")
    return ", ".join([finish.replace("-", " ").capitalize(), *rest])


T = TypeVar("T", Language, Version, Condition, Grade)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attributes:
    """All languages, versions, conditions and grades, to be found by id or by code (without regard to case)."""

    languages: Mapping[int | str, Language]
    versions: Mapping[int | str, Version]
    conditions: Mapping[int | str, Condition]
    grades: Mapping[int | str, Grade]

    @classmethod
    def of(
        cls,
        *,
        languages: Iterable[Language],
        versions: Iterable[Version],
        conditions: Iterable[Condition],
        grades: Iterable[Grade],
    ) -> Attributes:
        return cls(
            languages=_indexed(languages),
            versions=_indexed(versions),
            conditions=_indexed(conditions),
            grades=_indexed(grades),
        )

    def language(self, ref: int | str) -> Language:
        """Raises Invalid, naming the field ``language``; likewise the other three."""
        return _found("language", self.languages, ref)

    def version(self, ref: int | str) -> Version:
        return _found("version", self.versions, ref)

    def condition(self, ref: int | str) -> Condition:
        return _found("condition", self.conditions, ref)

    def grade(self, ref: int | str) -> Grade:
        return _found("grade", self.grades, ref)

    def require_languages(self, codes: Iterable[str], *, field: str) -> None:
        """Raises Invalid for the first code that is no language's, blaming ``field`` and naming those there are."""
        _require_codes("language", self.languages, codes, field)

    def require_versions(self, codes: Iterable[str], *, field: str) -> None:
        """As ``require_languages``, of prints."""
        _require_codes("version", self.versions, codes, field)


def _indexed(things: Iterable[T]) -> dict[int | str, T]:
    index: dict[int | str, T] = {}
    for thing in things:
        index[thing.id] = index[thing.code.casefold()] = thing
    return index


def _found(kind: str, index: Mapping[int | str, T], ref: int | str) -> T:
    found = index.get(" ".join(ref.casefold().split()) if isinstance(ref, str) else ref)
    if found is None:
        message = f"There is no {kind} {ref!r}; GET /api/v1/{kind}s/ lists them with their ids and codes."
        raise Invalid(message, errors={kind: [message]})
    return found


def _require_codes(kind: str, index: Mapping[int | str, T], codes: Iterable[str], field: str) -> None:
    known = {thing.code: None for thing in index.values()}
    for code in codes:
        if code not in known:
            message = f"There is no {kind} {code!r}; there are: {', '.join(known)}."
            raise Invalid(message, errors={field: [message]})
