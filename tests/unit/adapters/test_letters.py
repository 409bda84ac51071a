"""Every letter in every language, as text and as HTML."""

import html
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from marketplace.adapters.letters import jinja_letters
from marketplace.adapters.letters.formats import formats
from marketplace.adapters.letters.jinja_letters import JinjaLetters
from marketplace.domain.notifications import RULES, Kind
from marketplace.domain.shared.money import Money
from tests.letters import SAMPLES, UNWRITTEN

TEMPLATES = Path(jinja_letters.__file__).parent / "templates"
LANGUAGES = ("en", "fr")
EVERY_LETTER = [(language, kind) for language in LANGUAGES for kind in sorted(SAMPLES)]
HOSTILE = "<script>alert(1)</script>\r\nBcc: all@example.com {{ 7 * 7 }} & \"'"


@pytest.fixture(scope="module")
def letters():
    return JinjaLetters(brand="Card Corner", public_url="https://cards.example")


def told(language, value):
    """Every text that a reader must find, of whatever a letter was given."""
    match value:
        case Money():
            return [formats(language)["money"](value)]
        case date():  # a moment begins with its day
            return [formats(language)["day"](value)]
        case dict():
            return [text for part in value.values() for text in told(language, part)]
        case list() | tuple():
            return [text for part in value for text in told(language, part)]
        case bool():
            return []
        case _:
            return [str(value)]


def hostile(value):
    """The same, with something else in each text."""
    match value:
        case str():
            return HOSTILE
        case dict():
            return {key: hostile(part) for key, part in value.items()}
        case list():
            return [hostile(part) for part in value]
        case _:
            return value


def read(page):
    """What a person sees of an HTML page, on one line."""
    body = re.sub(r"<(style|title)>.*?</\1>", "", page, flags=re.DOTALL)
    return _flat(html.unescape(re.sub(r"<[^>]+>", " ", body)))


def _flat(text):
    return re.sub(r"[ \n]+", " ", text)


class TestEveryLetter:
    def test_there_is_a_sample_and_a_template_in_each_language_for_each_kind(self):
        for language in LANGUAGES:
            written = {path.stem for path in (TEMPLATES / language).glob("*.jinja")} - {"words"}
            assert written == set(SAMPLES)
        assert set(RULES) == set(Kind) == set(SAMPLES) | UNWRITTEN

    @pytest.mark.parametrize(("language", "kind"), EVERY_LETTER)
    def test_says_all_that_it_was_given_as_text_and_as_html(self, letters, language, kind):
        letter = letters.render(kind, language=language, name="Ash", **SAMPLES[kind])
        text, page = _flat(letter.text), read(letter.html)
        for value in ["Ash", *told(language, SAMPLES[kind])]:
            assert _flat(value) in text
            assert _flat(value) in page
        assert letter.language == language
        assert f'<html lang="{language}">' in letter.html

    @pytest.mark.parametrize(("language", "kind"), EVERY_LETTER)
    def test_is_readable_anywhere(self, letters, language, kind):
        letter = letters.render(kind, language=language, name="Ash", **SAMPLES[kind])
        assert letter.subject
        assert len(letter.subject) <= 90
        assert letter.brief
        assert letter.text.endswith("\n")
        assert max(len(line) for line in letter.text.splitlines() if "://" not in line) <= 72
        assert "<" not in letter.text
        assert "\n\n\n" not in letter.text
        # Nothing is fetched by opening it, and no program runs.
        assert not re.search(r"<(script|img|link|iframe|form)|url\(|@import|src=", letter.html)

    @pytest.mark.parametrize(("language", "kind"), EVERY_LETTER)
    def test_what_people_wrote_stays_text(self, letters, language, kind):
        values = {key: hostile(value) for key, value in SAMPLES[kind].items()}
        letter = letters.render(kind, language=language, name=HOSTILE, **values)
        assert "<script" not in letter.html
        assert "{{ 7 * 7 }}" in read(letter.html)
        assert "\n\nBcc:" not in letter.text
        assert not re.search(r"[\r\n]", letter.subject + letter.brief)

    @pytest.mark.parametrize(("language", "kind"), EVERY_LETTER)
    def test_needs_every_value_that_it_names(self, letters, language, kind):
        for missing in ("name", *SAMPLES[kind]):
            values = {key: value for key, value in {"name": "Ash", **SAMPLES[kind]}.items() if key != missing}
            with pytest.raises(UndefinedError, match=missing):
                letters.render(kind, language=language, **values)

    @pytest.mark.parametrize("kind", sorted(SAMPLES))
    def test_french_lines_never_begin_with_a_punctuation_mark(self, letters, kind):
        letter = letters.render(kind, language="fr", name="Sacha", unsubscribe_url="https://x", **SAMPLES[kind])
        told = (letter.subject, letter.brief, letter.text, read(letter.html))
        assert [found for text in told for found in re.findall(r".{0,20} [:;?!](?= |$)", text)] == []


class TestFrame:
    def test_a_language_without_letters_gets_english(self, letters):
        letter = letters.render(Kind.SELLER_APPROVED, language="ja", name="Ash")
        assert (letter.language, letter.subject) == ("en", "Your shop is approved")

    def test_speaks_french(self, letters):
        letter = letters.render(Kind.SELLER_APPROVED, language="fr", name="Sacha")
        assert letter.subject == "Votre boutique est approuvée"
        assert letter.text.startswith("Bonjour Sacha,\n\n")
        assert "L\u2019équipe Card Corner" in letter.text

    def test_offers_the_way_out_of_what_is_not_necessary(self, letters):
        way_out = "https://cards.example/unsubscribe/x/?a=1&b=2"
        letter = letters.render(Kind.SELLER_APPROVED, language="en", name="Ash", unsubscribe_url=way_out)
        assert f"Unsubscribe\n{way_out}\n" in letter.text
        assert f'href="{html.escape(way_out)}"' in letter.html
        without = letters.render(Kind.SELLER_APPROVED, language="en", name="Ash")
        assert "Unsubscribe" not in without.text + without.html

    def test_a_letter_that_does_not_exist_is_named(self, letters):
        with pytest.raises(LookupError, match="'nonsense'"):
            letters.render("nonsense", language="en", name="Ash")


@pytest.mark.parametrize(
    ("amount", "english", "french"),
    [
        (Money(2599, "EUR"), "€25.99", "25,99\u00a0€"),
        (Money(123456789, "EUR"), "€1,234,567.89", "1\u202f234\u202f567,89\u00a0€"),
        (Money(-5, "GBP"), "-£0.05", "-0,05\u00a0£"),
        (Money(1500, "JPY"), "¥1,500", "1\u202f500\u00a0¥"),
        (Money(100050, "CHF"), "1,000.50\u00a0CHF", "1\u202f000,50\u00a0CHF"),
        (Money(1000500, "KWD"), "1,000.500\u00a0KWD", "1\u202f000,500\u00a0KWD"),
    ],
)
def test_amounts_are_written_as_people_do(amount, english, french):
    assert formats("en")["money"](amount) == english
    assert formats("fr")["money"](amount) == french


def test_days_and_moments_are_written_as_people_do():
    at = datetime(2026, 8, 1, 9, 5, tzinfo=UTC)
    assert (formats("en")["day"](at), formats("fr")["day"](at)) == ("1 August 2026", "1er août 2026")
    assert formats("en")["moment"](at) == "1 August 2026, 09:05 UTC"
    assert formats("fr")["moment"](at) == "1er août 2026 à 09\u00a0h\u00a005 UTC"
    assert formats("fr")["day"](date(2026, 12, 25)) == "25 décembre 2026"
