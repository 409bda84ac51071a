"""Which documents are issued of what happens to an order, and what stands on them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.payments.returns import RefundWish
from marketplace.domain.documents import DocumentKind, LineKind, Mention
from marketplace.domain.identity.companies import Company
from marketplace.domain.orders.events import OrderPaid, SaleCompleted
from marketplace.domain.payments.refund import RefundCause, RefundDecided
from marketplace.domain.shared.errors import Unavailable
from tests.cashier import Cashier
from tests.clerk import Clerk

INVOICE, CREDIT = DocumentKind.ORDER_INVOICE, DocumentKind.CREDIT_NOTE
FEES, FEES_BACK = DocumentKind.FEE_INVOICE, DocumentKind.FEE_CREDIT_NOTE


def refunds(cashier: Cashier, order_id) -> list:
    with cashier.market.unit_of_work() as uow:
        return list(uow.refunds.of_order(order_id))


def give_back(cashier: Cashier, order_id, *, sale=0, amount=None, cause=RefundCause.SELLER):
    sale_id = cashier.till.order(order_id).sales[sale].id
    cashier.till.refund_order(
        actor=OPERATOR,
        order_id=order_id,
        wish=RefundWish(sale_id=sale_id, amount=amount),
        reason="a test",
        cause=cause,
    )
    return refunds(cashier, order_id)[-1]


class TestTheBuyersInvoice:
    def test_says_what_was_paid_and_the_vat_in_our_fees(self, clerk: Clerk, cashier: Cashier) -> None:
        order_id = cashier.paid(cashier.seller(), cashier.seller(), price=10_000)
        order = cashier.till.order(order_id)
        (invoice,) = clerk.issue(
            OrderPaid(order_id=order_id, buyer_id=order.buyer_id, occurred_at=cashier.market.clock.now())
        )
        content = invoice.content
        assert (invoice.number[:4], invoice.number[-7:]) == ("INV-", "-000001")
        assert (invoice.account_id, invoice.total, content.order_reference) == (
            order.buyer_id,
            order.total,
            order.reference,
        )
        assert [group.reference for group in content.groups] == [*(sale.reference for sale in order.sales), ""]
        assert [(line.kind, line.amount, line.detail) for line in content.groups[-1].lines] == [
            (LineKind.COMMISSION, 1000, "5%"),
            (LineKind.PROCESSING, 1200, "6%"),
            (LineKind.SHIPPING, 1000, ""),
        ]
        # 22.00 with 20 % of VAT in it: 18.33 and 3.67.
        assert (content.vat.gross, content.vat.amount, content.vat.net) == (2200, 367, 1833)
        assert Mention.SOLD_BY_SELLERS in content.mentions
        assert content.recipient.name == order.shipping_address.name

    def test_is_one_however_often_it_is_told(self, clerk: Clerk, cashier: Cashier) -> None:
        order_id = cashier.paid(cashier.seller())
        assert clerk.issue.of_order(order_id) == clerk.issue.of_order(order_id)
        assert len(clerk.issued()) == 1

    def test_is_in_the_name_of_a_company_that_buys(self, clerk: Clerk, cashier: Cashier) -> None:
        order_id = cashier.paid(cashier.seller())
        company(cashier, cashier.till.order(order_id).buyer_id)
        (invoice,) = clerk.issue.of_order(order_id)
        assert invoice.content.recipient.name == "Pewter Cards SARL"
        assert invoice.content.recipient.vat_number == "FR40303265045"
        assert invoice.content.recipient.address[0] == cashier.till.order(order_id).shipping_address.name

    def test_is_issued_though_its_file_cannot_be_kept(self, clerk: Clerk, cashier: Cashier) -> None:
        order_id = cashier.paid(cashier.seller())
        kept, clerk.media.files = clerk.media.files, None
        with pytest.raises(TypeError):
            clerk.issue.of_order(order_id)
        clerk.media.files = kept
        (invoice,) = clerk.issue.of_order(order_id)
        assert list(kept) == [invoice.media_key]

    def test_is_drawn_again_as_it_was_when_its_file_is_lost(self, clerk: Clerk, cashier: Cashier) -> None:
        (invoice,) = clerk.issue.of_order(cashier.paid(cashier.seller()))
        first = clerk.files.read(invoice)
        clerk.media.files.clear()
        assert clerk.files.read(invoice) == first
        assert clerk.media.files == {invoice.media_key: first}

    def test_names_no_vat_where_there_is_none(self, clerk: Clerk, cashier: Cashier) -> None:
        from dataclasses import replace

        without = replace(clerk.issue, issuer=replace(clerk.issue.issuer, vat_rate=Decimal(0)))
        (invoice,) = without.of_order(cashier.paid(cashier.seller()))
        assert invoice.content.vat.amount == 0
        assert Mention.NO_VAT in invoice.content.mentions


class TestWhatGoesBack:
    def test_is_credited_to_the_buyer_with_the_fees_of_the_cause(self, clerk: Clerk, cashier: Cashier) -> None:
        order_id = cashier.paid(cashier.seller(), price=10_000)
        refund = give_back(cashier, order_id, cause=RefundCause.NOT_SHIPPED)
        documents = clerk.issue(
            RefundDecided(
                refund_id=refund.id,
                order_id=order_id,
                buyer_id=1,
                amount=1,
                currency="EUR",
                cause="not_shipped",
                occurred_at=refund.decided_at,
            )
        )
        invoice, note = documents
        assert (note.kind, note.total, note.invoice_id) == (CREDIT, refund.amount, invoice.id)
        assert (note.content.refers_to, note.content.reason) == (invoice.number, "not_shipped")
        assert [line.kind for group in note.content.groups for line in group.lines] == [
            LineKind.ITEM,
            LineKind.COMMISSION,
            LineKind.PROCESSING,
            LineKind.SHIPPING,
        ]
        assert note.content.vat.amount == invoice.content.vat.amount

    def test_gives_the_invoices_vat_back_exactly_in_however_many_parts(self, clerk: Clerk, cashier: Cashier) -> None:
        sellers = [cashier.seller() for _ in range(3)]
        order_id = cashier.paid(*sellers, price=3_333)
        notes = []
        for sale in range(3):
            refund = give_back(cashier, order_id, sale=sale, cause=RefundCause.PLATFORM)
            notes += [d for d in clerk.issue.of_order(order_id, refund_id=refund.id) if d.kind is CREDIT]
        (invoice,) = clerk.issued(INVOICE)
        assert sum(note.content.vat.amount for note in notes) == invoice.content.vat.amount
        assert sum(note.total.amount for note in notes) == invoice.total.amount

    def test_of_money_without_a_piece_is_one_amount_without_fees(self, clerk: Clerk, cashier: Cashier) -> None:
        order_id = cashier.paid(cashier.seller(), price=10_000)
        first = give_back(cashier, order_id, amount="10.00")
        rest = give_back(cashier, order_id)
        for refund in (first, rest):
            clerk.issue.of_order(order_id, refund_id=refund.id)
        amount, items = clerk.issued(CREDIT)
        assert [(line.kind, line.amount) for line in amount.content.groups[0].lines] == [(LineKind.AMOUNT, 1000)]
        assert amount.content.vat.gross == 0
        # The piece costs 100.00, and 10.00 of it went back before.
        assert [(line.kind, line.amount) for line in items.content.groups[0].lines] == [
            (LineKind.ITEM, 10_000),
            (LineKind.AMOUNT, -1000),
        ]

    def test_keeps_the_words_and_the_rate_of_the_invoice(self, clerk: Clerk, cashier: Cashier) -> None:
        from dataclasses import replace

        order_id = cashier.paid(cashier.seller())
        (invoice,) = clerk.issue.of_order(order_id)
        later = replace(clerk.issue, issuer=replace(clerk.issue.issuer, vat_rate=Decimal("0.25")))
        company(cashier, cashier.till.order(order_id).buyer_id)
        refund = give_back(cashier, order_id, cause=RefundCause.PLATFORM)
        _, note = later.of_order(order_id, refund_id=refund.id)
        assert note.content.vat.rate == Decimal("0.20")
        assert note.content.recipient == invoice.content.recipient


class TestTheSellersInvoice:
    def test_comes_when_the_payout_falls_due(self, clerk: Clerk, cashier: Cashier) -> None:
        seller = cashier.seller()
        order_id = cashier.paid(seller, price=10_000)
        sale = cashier.till.order(order_id).sales[0]
        assert clerk.issue.of_order(order_id, sale_id=sale.id) == []
        cashier.complete(order_id)
        done = SaleCompleted(
            sale_id=sale.id,
            order_id=order_id,
            seller_id=seller.account_id,
            buyer_id=1,
            occurred_at=cashier.market.clock.now(),
        )
        (invoice,) = clerk.issue(done)
        assert (invoice.kind, invoice.account_id, invoice.total.amount) == (FEES, seller.account_id, 500)
        assert (invoice.content.vat.gross, invoice.content.vat.amount) == (500, 83)
        assert [line.detail for line in invoice.content.groups[0].lines] == ["5%"]
        assert clerk.issue(done) == [invoice]

    def test_is_in_the_name_of_a_company(self, clerk: Clerk, cashier: Cashier) -> None:
        seller = cashier.seller()
        company(cashier, seller.account_id, address="1 Rock Road\n\nPewter")
        order_id = cashier.due(seller)
        (invoice,) = clerk.issue.of_order(order_id, sale_id=cashier.till.order(order_id).sales[0].id)
        assert invoice.content.recipient.name == "Pewter Cards SARL"
        assert invoice.content.recipient.address == ("1 Rock Road", "Pewter")
        parts = {"street": "Rock Road", "street_number": "1", "city": "Pewter", "country": "FR"}
        company(cashier, seller.account_id, address=parts)
        with cashier.market.unit_of_work() as uow:
            party = clerk.sellers.party(uow, seller.account_id, ()).party
        assert party.address == ("1 Rock Road", "Pewter", "FR")

    def test_deducts_what_went_back_before(self, clerk: Clerk, cashier: Cashier) -> None:
        order_id = cashier.paid(cashier.seller(), price=10_000)
        refund = give_back(cashier, order_id, amount="40.00")
        cashier.market.later(days=1)
        cashier.complete(order_id)
        sale = cashier.till.order(order_id).sales[0]
        (invoice,) = clerk.issue.of_order(order_id, sale_id=sale.id)
        back = refund.parts[0].components.seller_commission
        assert back
        assert [(line.kind, line.amount) for line in invoice.content.groups[0].lines] == [
            (LineKind.COMMISSION, 500),
            (LineKind.COMMISSION_BACK, -back),
        ]
        # The buyer is credited; the seller was charged nothing of it.
        assert [d.kind for d in clerk.issue.of_order(order_id, refund_id=refund.id)] == [INVOICE, CREDIT]

    def test_is_followed_by_credit_notes_for_what_goes_back_later(self, clerk: Clerk, cashier: Cashier) -> None:
        order_id = cashier.due(cashier.seller(), price=9_999)
        for amount in ("33.33", "33.33", None):
            cashier.market.later(hours=1)
            refund = give_back(cashier, order_id, amount=amount)
            clerk.issue.of_order(order_id, refund_id=refund.id)
            clerk.issue.of_order(order_id, refund_id=refund.id)
        (invoice,) = clerk.issued(FEES)
        notes = clerk.issued(FEES_BACK)
        assert [note.invoice_id for note in notes] == [invoice.id] * 3
        assert sum(note.total.amount for note in notes) == invoice.total.amount
        assert sum(note.content.vat.amount for note in notes) == invoice.content.vat.amount

    def test_is_not_there_when_all_fees_went_back_before(self, clerk: Clerk, cashier: Cashier) -> None:
        seller = cashier.seller()
        order_id = cashier.due(seller, price=10_000)
        refund = give_back(cashier, order_id)
        with cashier.market.unit_of_work() as uow:
            payout = uow.payouts.of_sale_for_update(cashier.till.order(order_id).sales[0].id)
            payout.due_at = cashier.market.clock.now().replace(year=payout.created_at.year + 1)
            uow.payouts.save(payout)
            uow.commit()
        assert clerk.issue.of_order(order_id, sale_id=payout.sale_id) == []
        assert [d.kind for d in clerk.issue.of_order(order_id, refund_id=refund.id)] == [INVOICE, CREDIT]


def test_everything_that_is_missing_of_an_order_can_be_issued(clerk: Clerk, cashier: Cashier) -> None:
    order_id = cashier.due(cashier.seller(), cashier.seller())
    cashier.market.later(hours=1)
    give_back(cashier, order_id)
    issued = clerk.issue.everything_of(order_id)
    assert [d.number[:3] for d in issued] == ["INV", "CRN", "FEE", "FCR", "FEE"]
    assert clerk.issue.everything_of(order_id) == issued
    assert clerk.queries.missing_numbers() == []


def test_nothing_is_issued_of_what_is_not_paid(clerk: Clerk, cashier: Cashier) -> None:
    buyer = cashier.market.buyer()
    order_id = cashier.till.ordered(buyer, cashier.market.listing(cashier.seller()))
    assert clerk.issue.everything_of(order_id) == []


def test_whoever_was_faster_is_believed(clerk: Clerk, cashier: Cashier, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = cashier.paid(cashier.seller())
    (invoice,) = clerk.issue.of_order(order_id)
    repository = type(clerk.cashier.market.unit_of_work().documents)
    find, asked = repository.find, []

    def blind_at_first(self, fact):
        asked.append(fact)
        return None if len(asked) == 1 else find(self, fact)

    monkeypatch.setattr(repository, "find", blind_at_first)
    assert clerk.issue.of_order(order_id) == [invoice]
    assert len(clerk.issued()) == 1


def test_a_silent_storage_is_tried_again_with_the_event(clerk: Clerk, cashier: Cashier) -> None:
    order_id = cashier.paid(cashier.seller())

    def silent(key: str) -> bool:
        raise Unavailable("The storage is silent.")

    clerk.media.exists = silent  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        clerk.issue.of_order(order_id)
    del clerk.media.exists
    clerk.issue.of_order(order_id)
    assert len(clerk.media.files) == len(clerk.issued()) == 1


def company(cashier: Cashier, account_id, *, address="") -> None:
    with cashier.market.unit_of_work() as uow:
        account = uow.accounts.get(account_id)
        account.company = Company.of(
            company_name="Pewter Cards SARL",
            siret_number="73282932000074",
            vat_number="FR40303265045",
            company_address=address,
        )
        uow.accounts.save(account)
        uow.commit()
