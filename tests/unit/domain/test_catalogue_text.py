"""One spelling for what people spell in many ways."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.catalogue.text import matches, normalised, number_key, relevance, search_text, slug, words

ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)))


class TestNormalised:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Évoli", "EVOLI"),
            ("Nœunoeuf", "nœunœuf"),
            ("Straße", "STRASSE"),
            ("Farfetch'd", "farfetch\u2019d"),
            ("Lt. Surge's", "lt. surges"),
            ("Charizard-EX", "Charizard EX"),
            ("Pikachu \u2014 VMAX", "pikachu vmax"),
            ("\uff30\uff49\uff4b\uff41\uff43\uff48\uff55", "pikachu"),
            ("ﾋﾟｶﾁｭｳ", "ピカチュウ"),
            ("Gold ★", "gold ☆"),
            ("  Mr.\t Mime ", "mr. mime"),
        ],
    )
    def test_finds_the_same_in_different_spellings(self, one, other):
        assert normalised(one) == normalised(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [("ハハ", "パパ"), ("バハ", "ハハ"), ("리자몽", "리자모"), ("_____'s Pikachu", "Pikachu"), ("100%", "100")],
    )
    def test_keeps_apart_what_differs(self, one, other):
        assert normalised(one) != normalised(other)

    @given(ANY_TEXT)
    def test_is_idempotent(self, text):
        assert normalised(normalised(text)) == normalised(text)

    @given(ANY_TEXT)
    def test_leaves_no_mark_of_the_search_text(self, text):
        assert not set(normalised(text)) & set("=#\n\r\t\0")

    @given(st.text(st.characters(categories=("L",), max_codepoint=0x24F)))
    def test_does_not_depend_on_case(self, text):
        assert normalised(text.upper()) == normalised(text.upper().lower())


class TestWords:
    def test_are_told_once_each_in_order(self):
        assert words("Pikachu  VMAX pikachu-vmax") == ("pikachu", "vmax")

    def test_are_none_in_nothing(self):
        assert words(" ' - ") == ()


class TestSearchText:
    CHARIZARD = search_text(
        names=["Charizard", "Dracaufeu"], numbers=["4", "4/102", ""], others=["Base Set", "BS", "base1"]
    )

    @pytest.mark.parametrize(
        "query", ["charizard", "DRACAUFEU base", "4/102", "chari set", "bs 4", "base-set charizard", ""]
    )
    def test_is_found_by_every_word(self, query):
        assert matches(self.CHARIZARD, query)

    @pytest.mark.parametrize("query", ["charizard 5", "blastoise", "char%zard", "charizard_"])
    def test_is_not_found_by_a_word_that_is_not_there(self, query):
        assert not matches(self.CHARIZARD, query)

    @pytest.mark.parametrize(
        ("query", "rank"),
        [
            ("Charizard", 0),
            ("dracaufeu", 0),
            ("4/102", 0),
            ("chari", 1),
            ("charizard 4/102", 2),
            ("base set", 2),
            ("izard", 3),
        ],
    )
    def test_ranks_whole_names_then_beginnings_then_whole_words(self, query, rank):
        assert relevance(self.CHARIZARD, query) == rank

    @given(ANY_TEXT.filter(lambda name: normalised(name)))
    def test_is_found_by_the_whole_of_any_name(self, name):
        text = search_text(names=["Other", name], numbers=[], others=[])
        assert matches(text, name)
        assert relevance(text, name) == 0


class TestNumberKey:
    def test_sorts_as_numbers_do(self):
        numbers = ["TG12", "10", "4", "105a", "TG3", "105", "006", None, "!"]
        assert sorted(numbers, key=number_key) == [None, "!", "4", "006", "10", "105", "105a", "TG3", "TG12"]


class TestSlug:
    @pytest.mark.parametrize(
        ("name", "id", "expected"),
        [
            ("Charizard", "base1-4", "charizard-base1-4"),
            ("Évoli & Pikachu", "sv03.5-9", "evoli-pikachu-sv03.5-9"),
            ("Unown", "exu-!", "unown-exu-~21"),
            ("Unown", "exu-%3F", "unown-exu-~253f"),
            ("ピカチュウ", "jp-SV2a-025", "jp-sv2a-025"),
            ("Trading Cards", "", "trading-cards"),
            ("!", "", "unnamed"),
        ],
    )
    def test_can_be_read(self, name, id, expected):
        assert slug(name, id) == expected

    @given(ANY_TEXT, st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=100))
    def test_needs_no_quoting_in_an_address(self, name, id):
        made = slug(name, id)
        assert quote(made, safe="") == made
        assert re.fullmatch(r"[a-z0-9.~-]+", made)

    @given(st.sets(st.text(st.characters(min_codepoint=33, max_codepoint=126)).map(str.lower), min_size=2, max_size=2))
    def test_differs_where_ids_differ(self, ids):
        one, other = ids
        assert slug("", one) != slug("", other) or not (one and other)
