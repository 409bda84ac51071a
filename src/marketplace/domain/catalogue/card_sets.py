"""Card sets: what was published together, under one code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

from marketplace.domain.catalogue import text
from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.ids import CardSetId

_DERIVATION = b"1"
"""Raised when rows are made differently from the same lines, so that the next import writes them again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetDetails:
    """What a line of ``sets.jsonl`` says of a set. ``attributes`` is what has no field here.

    ``code`` is what collectors type, unique in a game and region; ``codes`` are others, by who uses them.
    ``card_count_official`` is the number printed after the slash, 0 where none is.
    """

    external_id: str
    tcg_type: str
    region: str
    code: str
    name: str
    names: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    series_id: str | None = None
    series: str | None = None
    block: str | None = None
    release_date: date | None = None
    card_count_official: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """Game and external id, without regard to case: what makes it the same set."""
        return self.tcg_type, self.external_id.casefold()

    @property
    def code_key(self) -> tuple[str, str, str]:
        """Game, region and code, without regard to case: no two sets have the same."""
        return self.tcg_type, self.region, self.code.casefold()

    def document(self) -> dict[str, Any]:
        """The line again."""
        optional = {"series_id": self.series_id, "series": self.series, "block": self.block}
        return {
            "id": self.external_id,
            "game": self.tcg_type,
            "region": self.region,
            **{key: value for key, value in optional.items() if value is not None},
            "name": self.name,
            "names": dict(self.names),
            "code": self.code,
            "codes": dict(self.codes),
            **({"release_date": self.release_date.isoformat()} if self.release_date else {}),
            "card_count_official": self.card_count_official,
            **self.attributes,
        }

    @property
    def fingerprint(self) -> bytes:
        return digest(self.document())

    @property
    def search_lines(self) -> list[str]:
        """What a search for a card finds it by, of its set."""
        return [self.name, *self.names.values(), self.code, *self.codes.values(), self.external_id]

    @property
    def search_text(self) -> str:
        """What a search for the set itself looks through."""
        return text.search_text(
            names=[self.name, *self.names.values()],
            numbers=[self.code, self.external_id],
            others=[*self.codes.values()],
        )


@dataclass(kw_only=True, slots=True)
class CardSet(Aggregate):
    id: CardSetId
    details: SetDetails
    created_at: datetime
    updated_at: datetime


def digest(document: Mapping[str, Any], *more: bytes) -> bytes:
    """A fingerprint of a line: the same whatever the order of its fields."""
    made = blake2b(_DERIVATION, digest_size=16)
    made.update(json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
    for each in more:
        made.update(each)
    return made.digest()
