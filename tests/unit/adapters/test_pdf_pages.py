"""The pages of documents and statements, read back: every letter there, the same bytes each time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from pypdf import PdfReader

from marketplace.adapters.pdf.fonts import BOLD, REGULAR, runs_of
from marketplace.adapters.pdf.renderer import ReportLabPages
from marketplace.adapters.pdf.sheet import BODY, wrapped
from marketplace.adapters.pdf.words import ENGLISH, FRENCH, words_of
from marketplace.domain.documents import (
    Document,
    DocumentContent,
    DocumentKind,
    DocumentLine,
    LineGroup,
    LineKind,
    Mention,
    Party,
    vat_of,
)
from marketplace.domain.payments.refund import RefundCause
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, DocumentId, OrderId
from marketplace.domain.statements import MAX_PRINTED, Entry, EntryKind, Month, Statement, StatementTooLong

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TITLES = ("リザードン 拡張パック", "Τσάριζαρντ", "Чаризард", "Dracaufeu d'été", "리자몽", "喷火龙", "Nidoran ♀ ★ δ")
PAGES = ReportLabPages()


def an_invoice(*titles: str, language: str = "en", **changes) -> Document:
    lines = tuple(
        DocumentLine(kind=LineKind.ITEM, text=title, detail="Near Mint", quantity=2, unit_price=1050, amount=2100)
        for title in titles
    )
    fees = (
        DocumentLine(kind=LineKind.COMMISSION, amount=500, detail="5.5%"),
        DocumentLine(kind=LineKind.SHIPPING, amount=1000),
    )
    content = DocumentContent(
        issuer=Party(name="Marché des Cartes", address=("1 rue des Cartes",), vat_number="FR40303265045"),
        recipient=Party(name="Ash", address=("3 Long Street", "FR"), registration="73282932000074"),
        language=language,
        currency="EUR",
        order_reference="K7QF-2M9X",
        supplied_at=NOON,
        groups=(LineGroup(title="Red's", reference="K7QF-2M9X-1", lines=lines), LineGroup(title="", lines=fees)),
        vat=vat_of(500, Decimal("0.20")),
        mentions=(Mention.PAID, Mention.SOLD_BY_SELLERS, Mention.VAT_INCLUDED),
        **changes,
    )
    return Document(
        id=DocumentId(1),
        kind=DocumentKind.CREDIT_NOTE if changes.get("refers_to") else DocumentKind.ORDER_INVOICE,
        number="INV-2026-000001",
        fact="order:1",
        account_id=AccountId(1),
        order_id=OrderId(1),
        issued_at=NOON,
        content=content,
    )


def read(content: bytes) -> list[str]:
    """The text of each page, its blanks alike."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(content)).pages]


def test_every_letter_of_a_title_is_there_and_embedded() -> None:
    content = PAGES.document(an_invoice(*TITLES))
    (page,) = read(content)
    for title in TITLES:
        assert title in page
    fonts = PdfReader(BytesIO(content)).pages[0]["/Resources"]["/Font"]
    embedded = {str(font.get_object()["/BaseFont"]).partition("+")[2] for font in fonts.values()}
    assert {"NotoSans-Regular", "NotoSans-Bold", "DroidSansFallback", "DejaVuSans"} <= embedded


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            ["Invoice", "INV-2026-000001", "Billed to", "€21.00", "€36.00", "1 November 2026", "20%", "€0.83", "5.5%"],
        ),
        ("fr", ["Facture", "Facturé à", "21,00 €", "36,00 €", "1er novembre 2026", "20 %", "0,83 €", "5,5 %"]),
        ("de", ["Invoice", "Page 1 of 1"]),
    ],
)
def test_an_invoice_is_in_the_language_of_its_recipient(language: str, said: list[str]) -> None:
    (page,) = read(PAGES.document(an_invoice("Charizard", language=language)))
    for text in said:
        assert text in page
    for text in ("Marché des Cartes", "FR40303265045", "Ash", "73282932000074", "K7QF-2M9X-1", "Charizard"):
        assert text in page


def test_a_credit_note_names_its_invoice_and_its_reason() -> None:
    (page,) = read(PAGES.document(an_invoice("Charizard", refers_to="INV-2026-000009", reason="not_shipped")))
    for text in ("Credit note", "INV-2026-000009", "Not supplied", "Total given back"):
        assert text in page


def test_without_fees_there_is_no_table_of_vat() -> None:
    document = an_invoice("Charizard")
    content = replace(document.content, vat=vat_of(0, Decimal("0.20")))
    (page,) = read(PAGES.document(replace(document, content=content)))
    assert "VAT rate" not in page


def test_the_head_of_the_table_and_the_number_stand_on_every_page() -> None:
    pages = read(PAGES.document(an_invoice(*[f"Card {number}" for number in range(80)])))
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert "INV-2026-000001" in page
        assert f"Page {number} of {len(pages)}" in page
    assert all("Unit price" in page for page in pages[:-1])
    assert [f"Card {number}" for number in range(80) if f"Card {number} " not in " ".join(pages)] == []


def test_the_same_document_is_the_same_bytes_in_every_process() -> None:
    first = PAGES.document(an_invoice(*TITLES))
    assert PAGES.document(an_invoice(*TITLES)) == first
    program = (
        "import hashlib, sys; from tests.unit.adapters.test_pdf_pages import *; "
        "sys.stdout.write(hashlib.sha256(PAGES.document(an_invoice(*TITLES))).hexdigest())"
    )
    import hashlib

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == hashlib.sha256(first).hexdigest()


def test_another_layout_is_refused_rather_than_drawn_otherwise() -> None:
    with pytest.raises(Invalid, match="layout"):
        PAGES.document(an_invoice("Charizard", layout="0"))


def a_statement(*entries: Entry, language: str = "en", is_final: bool = True) -> Statement:
    return Statement(
        seller_id=AccountId(1),
        seller_name="Red カード",
        seller_address=("3 Long Street",),
        issuer_name="Marché des Cartes",
        issuer_address=("1 rue des Cartes",),
        language=language,
        month=Month(2026, 11),
        currency="EUR",
        opening=1000,
        entries=entries,
        standing={"pending": 0, "on_hold": 0, "payable": 1500, "receivable": -500} if entries else {},
        as_of=NOON,
        is_final=is_final,
    )


def entries(number: int) -> list[Entry]:
    kinds = [kind for kind in EntryKind]
    return [
        Entry(
            kind=kinds[i % len(kinds)],
            at=NOON + timedelta(hours=i),
            amount=(-1) ** i * 1234,
            reference="R-1",
            source="s",
        )
        for i in range(number)
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_statement_shows_every_entry_and_both_balances(language: str) -> None:
    words = words_of(language)
    pages = read(PAGES.statement(a_statement(*entries(60), language=language, is_final=False)))
    text = " ".join(pages)
    assert len(pages) > 1
    for kind in EntryKind:
        assert " ".join(words.entries[kind].split()) in text
    for label in ("opening", "closing", "standing", "date", "balance"):
        assert words.labels[label] in text
    assert "Red カード" in text
    assert ("2026" in text, ("not over" in text) == (language == "en")) == (True, True)


def test_a_statement_of_nothing_says_so() -> None:
    (page,) = read(PAGES.statement(a_statement()))
    assert "Nothing has moved in this month." in page


def test_too_long_a_statement_is_not_printed() -> None:
    with pytest.raises(StatementTooLong, match="format=csv"):
        PAGES.statement(a_statement(*entries(MAX_PRINTED + 1)))


def test_what_no_font_has_is_seen_to_be_missing() -> None:
    assert [run.text for run in runs_of("A\U0001f409B", REGULAR)] == ["A?B"]
    assert runs_of("", BOLD) == []
    assert [(run.font, run.text) for run in runs_of("Aカ", BOLD)] == [(BOLD, "A"), ("DroidSansFallback", "カ")]


def test_text_is_cut_at_blanks_and_anywhere_in_what_has_none() -> None:
    assert wrapped("", BODY, 100) == [""]
    assert wrapped("one two three", BODY, 40) == ["one two", "three"]
    assert "".join(wrapped("x" * 60, BODY, 50)) == "x" * 60
    assert len(wrapped("カード" * 10, BODY, 100)) > 2


@pytest.mark.parametrize("words", [ENGLISH, FRENCH])
def test_both_languages_have_words_for_everything(words) -> None:
    assert set(words.kinds) == set(DocumentKind)
    assert set(words.mentions) == set(Mention)
    assert set(words.lines) == set(LineKind)
    assert set(words.entries) == set(EntryKind)
    assert set(words.causes) == {cause.value for cause in RefundCause}
    assert set(words.labels) == set(ENGLISH.labels)


def test_amounts_are_written_as_each_language_does() -> None:
    assert [ENGLISH.money(amount, "EUR") for amount in (123456, -50)] == ["€1,234.56", "-€0.50"]
    assert FRENCH.money(123456, "EUR") == "1\u00a0234,56\u00a0€"
    assert (ENGLISH.money(1234, "JPY"), ENGLISH.money(1234, "CHF")) == ("¥1,234", "12.34\u00a0CHF")
    assert FRENCH.money(1234, "JPY") == "1\u00a0234\u00a0¥"
