"""What stores of documents and statements promise, whatever keeps them. Subclasses provide ``clerk``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.application.documents import drafting
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.documents import AlreadyIssued, DocumentKind, DraftDocument
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import DocumentId, OrderId
from marketplace.domain.statements import Month
from tests.clerk import ISSUER, Clerk


def a_draft(clerk: Clerk, order_id: OrderId) -> DraftDocument:
    """The invoice of an order, without a number yet."""
    market, order = clerk.cashier.market, clerk.cashier.till.order(order_id)
    with market.unit_of_work() as uow:
        return drafting.order_invoice(
            DocumentId(market.ids.next()),
            order,
            issuer=ISSUER,
            buyer=uow.accounts.get(order.buyer_id),
            sellers={sale.seller_id: clerk.sellers.party(uow, sale.seller_id, ()) for sale in order.sales},
        )


class DocumentContract:
    def test_gives_back_what_was_issued(self, clerk: Clerk) -> None:
        order_id = clerk.cashier.paid(clerk.cashier.seller())
        (issued,) = clerk.issue.of_order(order_id)
        assert clerk.queries.document(issued.id) == issued
        assert clerk.queries.numbered(issued.number.lower()) == issued
        assert clerk.queries.invoice_of(order_id) == issued
        with clerk.cashier.market.unit_of_work() as uow:
            assert uow.documents.find(issued.fact) == issued
            assert uow.documents.find("order:1") is None

    def test_knows_nothing_of_what_was_not(self, clerk: Clerk) -> None:
        assert clerk.queries.invoice_of(OrderId(987654321)) is None
        with pytest.raises(NotFound):
            clerk.queries.document(DocumentId(987654321))
        with pytest.raises(NotFound):
            clerk.queries.numbered("INV-2026-999999")

    def test_what_is_undone_leaves_no_gap(self, clerk: Clerk) -> None:
        market, orders = clerk.cashier.market, [clerk.cashier.paid(clerk.cashier.seller()) for _ in range(2)]
        first, second = (a_draft(clerk, order_id) for order_id in orders)
        with market.unit_of_work() as uow:
            lost = uow.documents.issue(first, now=market.clock.now())
        with market.unit_of_work() as uow:
            kept = uow.documents.issue(second, now=market.clock.now())
            uow.commit()
        assert lost.number == kept.number
        assert clerk.queries.missing_numbers() == []

    def test_there_is_one_document_of_a_fact(self, clerk: Clerk) -> None:
        market, order_id = clerk.cashier.market, clerk.cashier.paid(clerk.cashier.seller())
        clerk.issue.of_order(order_id)
        draft = a_draft(clerk, order_id)
        with market.unit_of_work() as uow, pytest.raises(AlreadyIssued):
            uow.documents.issue(draft, now=market.clock.now())
        assert len(clerk.issued()) == 1

    def test_each_series_and_each_year_is_numbered_by_itself(self, clerk: Clerk) -> None:
        cashier = clerk.cashier
        order_id = cashier.due(cashier.seller())
        issued = [*clerk.issue.everything_of(order_id)]
        year = cashier.market.clock.now().year
        cashier.market.later(days=366)
        issued += clerk.issue.of_order(cashier.paid(cashier.seller()))
        assert [d.number for d in issued] == [f"INV-{year}-000001", f"FEE-{year}-000001", f"INV-{year + 1}-000001"]

    def test_dates_never_go_back_within_a_series(self, clerk: Clerk) -> None:
        market, orders = clerk.cashier.market, [clerk.cashier.paid(clerk.cashier.seller()) for _ in range(2)]
        first, second = (a_draft(clerk, order_id) for order_id in orders)
        now = market.clock.now()
        with market.unit_of_work() as uow:
            later = uow.documents.issue(first, now=now)
            # A worker whose clock is behind.
            earlier = uow.documents.issue(second, now=now - timedelta(seconds=5))
            uow.commit()
        assert (later.issued_at, earlier.issued_at) == (now, now)

    def test_lists_what_is_asked_for(self, clerk: Clerk) -> None:
        cashier = clerk.cashier
        seller = cashier.seller()
        first = cashier.due(seller)
        clerk.issue.everything_of(first)
        between = cashier.market.clock.now() + timedelta(minutes=1)
        cashier.market.later(hours=1)
        cashier.refund(first)
        clerk.issue.everything_of(first)
        clerk.issue.of_order(cashier.paid(seller))

        def kinds(**asked) -> list[str]:
            found = clerk.queries.documents(PageRequest(size=100), **asked)
            assert found.count == len(found.items)
            return [document.number[:3] for document in found.items]

        assert kinds() == ["INV", "FCR", "CRN", "FEE", "INV"]
        assert kinds(account_id=seller.account_id) == ["FCR", "FEE"]
        assert kinds(order_id=first) == ["FCR", "CRN", "FEE", "INV"]
        assert kinds(kinds=[DocumentKind.CREDIT_NOTE, DocumentKind.FEE_INVOICE]) == ["CRN", "FEE"]
        assert (kinds(until=between), kinds(since=between)) == (["FEE", "INV"], ["INV", "FCR", "CRN"])
        page = clerk.queries.documents(PageRequest(size=2))
        rest = clerk.queries.documents(PageRequest(size=9, after=page.next))
        assert [d.number[:3] for d in rest.items] == ["CRN", "FEE", "INV"]


class StatementContract:
    def test_statements_are_read_from_the_ledger(self, clerk: Clerk) -> None:
        cashier = clerk.cashier
        seller, other = cashier.seller(), cashier.seller()
        begun = Month.of(cashier.market.clock.now())
        first = cashier.paid(seller, other, price=10_000)
        cashier.refund(first, "25.00")
        cashier.complete(first)
        cashier.market.clock.advance(begun.ends - cashier.market.clock.now() + timedelta(hours=1))
        cashier.till.work()
        statement = clerk.statement(seller, begun)
        assert [(entry.kind.value, entry.amount) for entry in statement.entries] == [
            ("sale", 10_000),
            ("commission", -500),
            ("refund", -2500),
            ("commission_back", 125),
        ]
        assert statement.standing == {"pending": 0, "on_hold": 0, "payable": 7125, "receivable": 0}
        following = clerk.statement(seller, begun.following)
        assert [(entry.kind.value, entry.amount) for entry in following.entries] == [("payout", -7125)]
        assert (following.opening, following.closing) == (7125, 0)
        assert clerk.months(seller) == [begun, begun.following]
        found = clerk.statements.months(PageRequest(size=100), seller_id=seller.account_id).items
        assert [(each.opening, each.closing) for each in found] == [(7125, 0), (0, 7125)]
        moves = clerk.statement_queries.moves(
            other.account_id, currency="EUR", since=begun.begins, until=begun.ends, limit=1
        )
        assert [(move.change, move.agreed.items) for move in moves] == [(9500, 10_000)]
        assert clerk.statement_queries.months(other.account_id, currency="USD") == []
