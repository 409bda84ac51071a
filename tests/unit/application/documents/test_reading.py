"""Who may open which document."""

from __future__ import annotations

import pytest

from marketplace.adapters.memory.orders import InMemoryOrderQueries
from marketplace.application.access import OPERATOR, Actor
from marketplace.application.documents.reading import ReadDocuments
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.documents import InvoiceNotReady
from marketplace.domain.shared.errors import NotFound
from tests.cashier import Cashier
from tests.clerk import Clerk


@pytest.fixture
def read(clerk: Clerk, cashier: Cashier) -> ReadDocuments:
    market = cashier.market
    return ReadDocuments(
        unit_of_work=market.unit_of_work,
        clock=market.clock,
        queries=clerk.queries,
        orders=InMemoryOrderQueries(market.unit_of_work().store),  # type: ignore[attr-defined]  # it is the one in memory
        files=clerk.files,
    )


def buyer_of(cashier: Cashier, order_id) -> Actor:
    return cashier.market.people[cashier.till.order(order_id).buyer_id]


def test_a_seller_opens_what_they_were_charged_and_nobody_else_does(
    clerk: Clerk, cashier: Cashier, read: ReadDocuments
) -> None:
    seller = cashier.seller()
    order_id = cashier.due(seller)
    invoice, fees = clerk.issue.everything_of(order_id)
    opened = read.one_of_seller(actor=seller, document_id=fees.id)
    assert (opened.document, opened.name) == (fees, f"{fees.number}.pdf")
    assert opened.content == clerk.files.read(fees)
    for other in (cashier.seller(), buyer_of(cashier, order_id)):
        with pytest.raises(NotFound):
            read.one_of_seller(actor=other, document_id=fees.id)
        with pytest.raises(NotFound):
            read.one(actor=other, document=fees)
    # Theirs, but what they bought is no invoice of fees.
    with pytest.raises(NotFound, match=str(invoice.id)):
        read.one_of_seller(actor=buyer_of(cashier, order_id), document_id=invoice.id)


def test_a_buyer_opens_the_documents_of_their_order_and_no_others(
    clerk: Clerk, cashier: Cashier, read: ReadDocuments
) -> None:
    order_id, other_id = cashier.due(cashier.seller()), cashier.paid(cashier.seller())
    buyer = buyer_of(cashier, order_id)
    with pytest.raises(InvoiceNotReady):
        read.invoice(actor=buyer, order_id=order_id)
    invoice, fees = clerk.issue.everything_of(order_id)
    (others,) = clerk.issue.everything_of(other_id)
    assert read.invoice(actor=buyer, order_id=order_id).document == invoice
    assert read.one_of_order(actor=buyer, order_id=order_id, document_id=invoice.id).document == invoice
    assert read.of_order(PageRequest(size=9), actor=buyer, order_id=order_id).items == [invoice]
    for document in (fees, others):
        with pytest.raises(NotFound):
            read.one_of_order(actor=buyer, order_id=order_id, document_id=document.id)
    with pytest.raises(NotFound):
        read.invoice(actor=buyer, order_id=other_id)
    with pytest.raises(NotFound):
        read.of_order(PageRequest(size=9), actor=buyer, order_id=other_id)


def test_whoever_opens_what_is_for_another_is_written_down(clerk: Clerk, cashier: Cashier, read: ReadDocuments) -> None:
    order_id = cashier.paid(cashier.seller())
    (invoice,) = clerk.issue.everything_of(order_id)
    read.invoice(actor=buyer_of(cashier, order_id), order_id=order_id)
    store = cashier.market.unit_of_work().store  # type: ignore[attr-defined]  # it is the one in memory

    def acts() -> list[str]:
        return [entry.subject_id for entry in store.table("audit_entries").values() if entry.action == "document.read"]

    assert acts() == []
    read.one(actor=OPERATOR, document=invoice)
    assert acts() == [invoice.number]
