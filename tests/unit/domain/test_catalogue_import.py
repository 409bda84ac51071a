"""Which lines of an import are valid, and what they say."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.catalogue.imported import parse_card, parse_set, prints
from marketplace.domain.catalogue.rows import MAX_ATTRIBUTES, MAX_NAME
from marketplace.domain.shared.errors import Invalid

SET = {
    "id": "base1",
    "game": "pokemon",
    "region": "intl",
    "series_id": "base",
    "series": "Base",
    "name": "Base Set",
    "names": {"en": "Base Set", "fr": "Set de Base"},
    "code": "BS",
    "codes": {"ptcgo": "BS"},
    "release_date": "1999-01-09",
    "card_count_official": 102,
    "card_count": 102,
}
CARD = {
    "id": "base1-4",
    "game": "pokemon",
    "set_id": "base1",
    "number": "4",
    "name": "Charizard",
    "names": {"en": "Charizard", "fr": "Dracaufeu", "xx": "?"},
    "printed_number": "4/102",
    "supertype": "Pokemon",
    "hp": 120,
    "rarity": "Rare",
    "artist": None,
    "finishes": ["holo"],
    "first_edition": True,
    "variants": [
        {"finish": "holo", "subtype": "shadowless", "stamp": ["1st-edition"]},
        {"finish": "holo", "subtype": "shadowless-red-cheek"},
        {"finish": "holo", "subtype": "unlimited"},
    ],
}
BASE = parse_set(SET)
SETS = {BASE.key: BASE}


def card(**changes):
    return parse_card({**CARD, **changes}, SETS)


def faults(parse, raw) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as refused:
        parse(raw)
    return refused.value.facts.get("errors", {})


class TestSets:
    def test_say_what_the_line_says(self):
        assert (BASE.external_id, BASE.code, BASE.release_date) == ("base1", "BS", date(1999, 1, 9))
        assert BASE.attributes == {"card_count": 102}

    def test_give_the_line_again(self):
        assert BASE.document() == SET

    def test_may_leave_out_what_is_not_known(self):
        short = {"id": "x", "game": "magic", "region": "intl", "code": "X", "name": "X"}
        document = {**short, "names": {}, "codes": {}, "card_count_official": 0}
        assert parse_set(short).document() == document

    def test_are_the_same_without_regard_to_case(self):
        assert parse_set({**SET, "id": "BASE1", "code": "bs"}).key == BASE.key
        assert parse_set({**SET, "id": "BASE1", "code": "bs"}).code_key == BASE.code_key

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("id", None),
            ("id", ""),
            ("id", "two words"),
            ("id", "é"),
            ("id", "x" * 101),
            ("id", 5),
            ("game", "Pokemon!"),
            ("region", ""),
            ("code", None),
            ("name", ""),
            ("name", "   "),
            ("name", "x" * (MAX_NAME + 1)),
            ("name", "nul\0"),
            ("name", "half \ud800"),
            ("names", ["Base Set"]),
            ("names", {"english": "Base Set"}),
            ("names", {"en": ""}),
            ("names", {"en": 5}),
            ("codes", {"x" * 51: "BS"}),
            ("series", 5),
            ("release_date", "09/01/1999"),
            ("release_date", 19990109),
            ("card_count_official", -1),
            ("card_count_official", 1.5),
            ("card_count_official", True),
            ("card_count", "many"),
        ],
    )
    def test_name_the_field_that_will_not_do(self, field, value):
        assert list(faults(parse_set, {**SET, field: value})) == [field]

    def test_tell_every_fault_at_once(self):
        assert sorted(faults(parse_set, {})) == ["code", "game", "id", "name", "region"]

    @pytest.mark.parametrize("raw", [None, [], "line", 5])
    def test_are_objects(self, raw):
        with pytest.raises(Invalid, match="JSON object"):
            parse_set(raw)


class TestCards:
    def test_say_what_the_line_says(self):
        parsed = card()
        assert (parsed.key, parsed.number, parsed.artist) == (("pokemon", "base1-4"), "4", None)
        assert parsed.attributes["hp"] == 120

    def test_give_the_line_again(self):
        assert card().document() == CARD

    def test_give_a_description_again(self):
        assert card(description="Spits fire.").document()["description"] == "Spits fire."

    def test_keep_fields_that_nobody_knows(self):
        assert card(weight={"kg": 90.5, "exact": False, "notes": [None]}).attributes["weight"]["kg"] == 90.5

    def test_describe_their_product(self):
        details = card().details(languages={"en", "fr", "de"})
        assert details.series == "Base"
        assert details.allowed_languages == ("en", "fr")
        assert details.allowed_versions == (
            "holo",
            "holo-first-edition",
            "holo-first-edition-shadowless",
            "holo-shadowless",
        )

    @pytest.mark.parametrize("id", ["exu-!", "exu-%3F", "tk-bw-e-1"])
    def test_may_have_ids_that_are_awkward_in_addresses(self, id):
        assert card(id=id).external_id == id

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("id", ""),
            ("id", "x y"),
            ("game", None),
            ("set_id", None),
            ("set_id", "base99"),
            ("number", ""),
            ("number", 4),
            ("number", "4" * 51),
            ("name", None),
            ("names", {"en": "\x07"}),
            ("printed_number", 4),
            ("rarity", "x" * 101),
            ("artist", []),
            ("description", "x" * 10_001),
            ("supertype", 1),
            ("types", "Fire"),
            ("hp", "120"),
            ("hp", True),
            ("hp", 2**53),
            ("finishes", ["Cosmos Foil"]),
            ("finishes", [None]),
            ("first_edition", 1),
            ("variants", {}),
            ("weight", float("inf")),
            ("weight", float("nan")),
            ("weight", "\0"),
            ("weight", {"\ud800": 1}),
            ("weight", {1, 2}),
            ("weight", [[[[[[[[[1]]]]]]]]]),
        ],
    )
    def test_name_the_field_that_will_not_do(self, field, value):
        assert list(faults(lambda raw: parse_card(raw, SETS), {**CARD, field: value})) == [field]

    def test_name_no_field_whose_name_will_not_do(self):
        assert list(faults(lambda raw: parse_card(raw, SETS), {**CARD, "x\0": 1})) == [""]

    def test_hold_no_more_than_is_bearable(self):
        big = {f"field{i}": "x" * 1000 for i in range(MAX_ATTRIBUTES // 1000 + 1)}
        with pytest.raises(Invalid, match="too many"):
            card(**big)

    def test_tell_every_fault_at_once(self):
        found = faults(lambda raw: parse_card(raw, SETS), {"set_id": 1})
        assert sorted(found) == ["game", "id", "name", "number", "set_id"]


class TestPrints:
    @pytest.mark.parametrize(
        ("attributes", "codes"),
        [
            ({}, ()),
            ({"finishes": None, "first_edition": True}, ()),
            ({"finishes": ["normal", "reverse"]}, ("normal", "reverse")),
            ({"variants": [None, {"subtype": 3}, {"finish": "holo", "subtype": "unlimited"}]}, ()),
            ({"variants": [{"finish": "holo", "subtype": "shadowless", "stamp": "x"}]}, ("holo-shadowless",)),
        ],
    )
    def test_are_what_the_line_speaks_of(self, attributes, codes):
        assert prints(attributes) == codes

    def test_need_a_finish(self):
        with pytest.raises(Invalid):
            prints({"variants": [{"subtype": "shadowless", "finish": "A B"}]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class TestFingerprints:
    def test_do_not_depend_on_the_order_of_fields(self):
        turned = parse_card(dict(reversed(CARD.items())), SETS)
        assert turned.fingerprint(b"set") == card().fingerprint(b"set")

    @pytest.mark.parametrize("change", [{"name": "X"}, {"hp": 121}, {"rarity": None}, {"weight": 1}, {"id": "BASE1-4"}])
    def test_differ_where_lines_differ(self, change):
        assert card(**change).fingerprint(b"set") != card().fingerprint(b"set")

    def test_differ_where_sets_differ(self):
        assert card().fingerprint(b"set") != card().fingerprint(b"other")

    @given(st.dictionaries(st.sampled_from([*CARD, "weight"]), JSON, max_size=3))
    def test_survive_the_way_through_the_files(self, changes):
        """Whatever a line holds: it is refused in words, or comes out as it went in."""
        try:
            parsed = parse_card({**CARD, **changes}, SETS)
        except Invalid as refused:
            said = str(refused)
            said.encode()
            return
        again = parse_card(json.loads(json.dumps(parsed.document(), ensure_ascii=False)), SETS)
        assert again == parsed
        assert again.fingerprint(b"") == parsed.fingerprint(b"")
