"""What an import brings: which lines are valid, and what they say of a set or a card."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.domain.catalogue.attributes import version_code
from marketplace.domain.catalogue.card_sets import SetDetails, digest
from marketplace.domain.catalogue.products import ProductDetails
from marketplace.domain.catalogue.rows import GAME, ID, LANGUAGE, MAX_NAME, Row
from marketplace.domain.shared.errors import Invalid

_SET_REST = {"card_count": int, "cardmarket_id": int, "tcgplayer_id": int}
_CARD_REST = {
    "supertype": str,
    "subtypes": list,
    "types": list,
    "hp": int,
    "dex_ids": list,
    "finishes": list,
    "first_edition": bool,
    "variants": list,
    "regulation_mark": str,
    "cardmarket_id": int,
    "tcgplayer_id": int,
    "image_url": str,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedCard:
    """A card as a line of ``cards.jsonl`` has it, with its set. ``attributes`` is what has no field here."""

    external_id: str
    card_set: SetDetails
    number: str
    name: str
    names: Mapping[str, str] = field(default_factory=dict)
    printed_number: str | None = None
    rarity: str | None = None
    artist: str | None = None
    description: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tcg_type(self) -> str:
        return self.card_set.tcg_type

    @property
    def key(self) -> tuple[str, str]:
        """Game and external id, without regard to case: what makes it the same card."""
        return self.tcg_type, self.external_id.casefold()

    def document(self) -> dict[str, Any]:
        """The line again."""
        return {
            "id": self.external_id,
            "game": self.tcg_type,
            "set_id": self.card_set.external_id,
            "number": self.number,
            "name": self.name,
            "names": dict(self.names),
            **({"printed_number": self.printed_number} if self.printed_number is not None else {}),
            "rarity": self.rarity,
            "artist": self.artist,
            **({"description": self.description} if self.description else {}),
            **self.attributes,
        }

    def fingerprint(self, set_fingerprint: bytes) -> bytes:
        """Of the line and of its set's: the same means that nothing about the product would change."""
        return digest(self.document(), set_fingerprint)

    @property
    def versions(self) -> tuple[str, ...]:
        """The codes of the prints that it exists in, as far as the line says."""
        return prints(self.attributes)

    def details(self, *, languages: Collection[str]) -> ProductDetails:
        """What its product says of itself; ``languages`` are the codes of those that a card can be offered in."""
        return ProductDetails(
            name=self.name,
            names=self.names,
            number=self.number,
            printed_number=self.printed_number,
            series=self.card_set.series,
            block=self.card_set.block,
            rarity=self.rarity,
            artist=self.artist,
            description=self.description,
            attributes=self.attributes,
            allowed_languages=tuple(code for code in self.names if code in languages),
            allowed_versions=self.versions,
        )


def parse_set(raw: object) -> SetDetails:
    """Raises Invalid with every fault of the line."""
    row = Row(raw)
    parsed = SetDetails(
        external_id=row.key("id", ID, "base1"),
        tcg_type=row.key("game", GAME, "pokemon"),
        region=row.key("region", GAME, "intl"),
        code=row.key("code", ID, "BS"),
        name=row.text("name", MAX_NAME, required=True) or "",
        names=row.texts("names", LANGUAGE),
        codes=row.texts("codes"),
        series_id=row.text("series_id", 100),
        series=row.text("series", MAX_NAME),
        block=row.text("block", MAX_NAME),
        release_date=row.day("release_date"),
        card_count_official=row.count("card_count_official", at_most=1_000_000),
        attributes=row.rest(_SET_REST),
    )
    row.finish()
    return parsed


def parse_card(raw: object, sets: Mapping[tuple[str, str], SetDetails]) -> ImportedCard:
    """``sets`` are the known ones by their key. Raises Invalid with every fault of the line."""
    row = Row(raw)
    external_id = row.key("id", ID, "base1-4")
    game = row.key("game", GAME, "pokemon")
    set_id = row.key("set_id", ID, "base1")
    card_set = sets.get((game, set_id.casefold()))
    if card_set is None and game and set_id:
        row.fault("set_id", f"There is no set {set_id!r} of the game {game!r}; put it into the file of the sets.")
    number = row.text("number", 50, required=True) or ""
    name = row.text("name", MAX_NAME, required=True) or ""
    names = row.texts("names", LANGUAGE)
    printed_number = row.text("printed_number", 50)
    rarity = row.text("rarity", 100)
    artist = row.text("artist", MAX_NAME)
    description = row.text("description", 10_000) or ""
    attributes = _read_attributes(row)
    row.finish()
    assert card_set is not None  # a missing one is a fault of the line
    return ImportedCard(
        external_id=external_id,
        card_set=card_set,
        number=number,
        name=name,
        names=names,
        printed_number=printed_number,
        rarity=rarity,
        artist=artist,
        description=description,
        attributes=attributes,
    )


def require_attributes(attributes: Mapping[str, Any]) -> None:
    """Raises Invalid, naming ``attributes``, for what the line of a card could not hold beside its own fields."""
    row = Row(attributes)
    _read_attributes(row)
    if row.errors:
        messages = [f"{name}: {each}" if name else each for name, faults in row.errors.items() for each in faults]
        raise Invalid(" ".join(messages), errors={"attributes": messages})


def _read_attributes(row: Row) -> dict[str, Any]:
    attributes = row.rest(_CARD_REST)
    try:
        prints(attributes)
    except Invalid as error:
        row.fault("finishes", str(error))
    return attributes


def prints(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """The version codes that a card's ``finishes``, ``first_edition`` and ``variants`` speak of. Raises Invalid."""
    codes: dict[str, None] = {}
    finishes = [each if isinstance(each, str) else "" for each in _list_in(attributes, "finishes")]
    for finish in finishes:
        codes[version_code(finish)] = None
    if attributes.get("first_edition"):
        for finish in finishes:
            codes[version_code(finish, first_edition=True)] = None
    for variant in _list_in(attributes, "variants"):
        subtype = variant.get("subtype") if isinstance(variant, dict) else None
        # The source knows shadowless ones with more to tell (`shadowless-red-cheek`).
        if isinstance(subtype, str) and subtype.split("-")[0] == "shadowless":
            first = "1st-edition" in _list_in(variant, "stamp")
            codes[version_code(str(variant.get("finish")), first_edition=first, shadowless=True)] = None
    return tuple(codes)


def _list_in(values: Mapping[str, Any], name: str) -> list[Any]:
    found = values.get(name)
    return found if isinstance(found, list) else []
