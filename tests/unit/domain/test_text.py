"""Free text from outside."""

import pytest

from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.text import checked_text, is_formula


def checked(text: str, **limits: object) -> str:
    return checked_text(text, field="note", **{"maximum": 20, **limits})


def test_keeps_what_people_write():
    assert checked("Évoli ☆ リザードン 🙂") == "Évoli ☆ リザードン 🙂"


def test_loses_the_white_space_around_it():
    assert checked("  near mint \n") == "near mint"


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "nul\0", "bell\x07", "\x7f", "\x9b31m", "two\nlines", "a\tb"])
def test_refuses_what_cannot_be_stored_or_shown(text):
    with pytest.raises(Invalid) as refusal:
        checked(text)
    assert list(refusal.value.facts["errors"]) == ["note"]


@pytest.mark.parametrize("text", ["\u202egnp.exe", "a\u2066b", "pop\u202c", "\u2069"])
@pytest.mark.parametrize("lines", [False, True])
def test_refuses_what_turns_the_direction_of_other_text(text, lines):
    with pytest.raises(Invalid, match="turn the direction"):
        checked(text, lines=lines)


@pytest.mark.parametrize("text", ["\u200b", "\u200d\u2060", "\ufeff"])
def test_refuses_what_nobody_can_see(text):
    with pytest.raises(Invalid, match="can be seen"):
        checked(text)


@pytest.mark.parametrize("text", ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f469\u200d\U0001f4bb", ""])
def test_takes_joiners_where_scripts_need_them(text):
    assert checked(text) == text


def test_takes_line_breaks_and_tabs_where_text_has_lines():
    assert checked("two\nlines\tof it", lines=True) == "two\nlines\tof it"


def test_counts_characters():
    assert checked("é" * 20) == "é" * 20
    with pytest.raises(Invalid, match="21 characters; the most is 20"):
        checked("é" * 21)


@pytest.mark.parametrize(("minimum", "message"), [(1, "must not be empty"), (3, "at least 3")])
def test_refuses_too_little(minimum, message):
    with pytest.raises(Invalid, match=message):
        checked("  ", minimum=minimum)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_knows_what_a_spreadsheet_would_run(text):
    assert is_formula(text)


@pytest.mark.parametrize("text", ["", "near mint", "'=1", "1-2", " spaced"])
def test_knows_plain_text(text):
    assert not is_formula(text)
