"""What documents are held to before they have a number."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.documents import (
    DocumentContent,
    DocumentKind,
    DocumentLine,
    DraftDocument,
    LineGroup,
    LineKind,
    Party,
    number_of,
    vat_given_back,
    vat_of,
    vat_within,
)
from marketplace.domain.ledger import JournalKind, Line, pending
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, DocumentId, OrderId
from marketplace.domain.statements import Agreed, EntryKind, Move, entries_of

NOW = datetime(2026, 12, 31, 23, tzinfo=UTC)


def a_draft(amount: int = 100, **changes) -> DraftDocument:
    content = DocumentContent(
        issuer=Party(name="Card Market"),
        recipient=Party(name="Ash"),
        language="en",
        currency="EUR",
        order_reference="K7QF-2M9X",
        supplied_at=NOW,
        groups=(LineGroup(title="", lines=(DocumentLine(kind=LineKind.COMMISSION, amount=amount),)),),
        vat=vat_of(max(amount, 0), Decimal("0.2")),
        mentions=(),
    )
    of = {"id": DocumentId(1), "kind": DocumentKind.ORDER_INVOICE, "fact": "order:1", "content": content}
    return DraftDocument(**{**of, "account_id": AccountId(1), "order_id": OrderId(1), **changes})


def test_a_number_says_its_series_and_its_year() -> None:
    assert a_draft().issue(7, at=NOW).number == "INV-2026-000007"
    assert number_of(DocumentKind.FEE_CREDIT_NOTE, 2027, 1_234_567) == "FCR-2027-1234567"


@pytest.mark.parametrize("amount", [0, -1])
def test_there_is_no_document_of_nothing(amount: int) -> None:
    with pytest.raises(Invalid, match="nothing to document"):
        a_draft(amount)


def test_credit_notes_refer_to_an_invoice_and_invoices_to_nothing() -> None:
    with pytest.raises(Invalid, match="refers to an invoice"):
        a_draft(kind=DocumentKind.CREDIT_NOTE)
    with pytest.raises(Invalid, match="refers to an invoice"):
        a_draft(invoice_id=DocumentId(2))
    assert replace(a_draft(), kind=DocumentKind.CREDIT_NOTE, invoice_id=DocumentId(2)).kind.is_credit


def test_vat_is_rounded_half_up_out_of_what_includes_it() -> None:
    assert [vat_within(gross, Decimal("0.20")) for gross in (0, 3, 9, 120, 2200)] == [0, 1, 2, 20, 367]
    assert vat_within(500, Decimal(0)) == 0
    with pytest.raises(Invalid, match="rate"):
        vat_within(100, Decimal("-0.1"))


@given(st.lists(st.integers(0, 10_000), max_size=8), st.sampled_from(["0", "0.055", "0.20", "0.255"]))
def test_a_return_in_any_parts_gives_back_the_whole_vat(parts: list[int], rate: str) -> None:
    given_back, before = 0, 0
    for part in parts:
        vat = vat_given_back(before, part, Decimal(rate))
        assert 0 <= vat.amount <= part
        given_back, before = given_back + vat.amount, before + part
    assert given_back == vat_of(before, Decimal(rate)).amount


def test_a_journal_that_is_not_as_its_sale_was_agreed_is_told_as_it_is() -> None:
    seller = AccountId(1)
    move = Move(
        kind=JournalKind.PAYMENT_CAPTURED,
        source_key="charge:ch_1",
        at=NOW,
        lines=(Line(pending(seller), -900),),
        agreed=Agreed(items=1000, commission=50, seller_fees=0),
    )
    assert [(entry.kind, entry.amount) for entry in entries_of([move])] == [(EntryKind.OTHER, 900)]
    without = replace(move, agreed=None)
    assert [(entry.kind, entry.amount) for entry in entries_of([without])] == [(EntryKind.OTHER, 900)]
