"""How an order's amounts are told: rules, rounding, shares, events, and where the money is."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from marketplace.adapters.memory.ledger import InMemoryLedgerQueries
from marketplace.adapters.memory.orders import InMemoryOrderQueries
from marketplace.application.access import OPERATOR, Actor
from marketplace.application.ledger import explaining
from marketplace.application.ledger.explaining import ExplainOrder
from marketplace.application.ledger.wording import _SAID, said
from marketplace.application.ports.ledger import EntryLine, LedgerEntry
from marketplace.domain import journals, ledger
from marketplace.domain.ledger import JournalKind
from marketplace.domain.shared.errors import Forbidden, Invalid, NotFound
from marketplace.domain.shared.ids import AccountId, PayoutId, RecoveryId, RefundId
from marketplace.domain.shared.money import Money
from tests.market import Market
from tests.purchases import (
    FIRST_SELLER,
    NOW,
    ORDER,
    SECOND_SELLER,
    store_market,
    store_paid_order,
    store_refund,
    store_unpaid_order,
)

FACTS = {"order_id": ORDER, "currency": "EUR", "at": NOW}


@pytest.fixture
def books():
    market, store = Market.in_memory()
    explain = ExplainOrder(
        unit_of_work=market.unit_of_work, orders=InMemoryOrderQueries(store), ledger=InMemoryLedgerQueries(store)
    )
    store_market(market.unit_of_work)
    return SimpleNamespace(unit_of_work=market.unit_of_work, explain=explain)


def post(books, *facts) -> None:
    with books.unit_of_work() as uow:
        for fact in facts:
            assert uow.ledger.post(fact)
        uow.commit()


def places(explained) -> dict[str, str]:
    return {place.place: place.amount.decimal for place in explained.places}


def test_tells_the_rule_the_rounding_and_the_shares(books):
    store_paid_order(books.unit_of_work)
    told = books.explain(actor=OPERATOR, order=str(ORDER))
    commission = told.fees[0]
    assert commission.text == ("commission, paid by both: 5% of 100.10 EUR is 5.005 EUR, rounded half up to 5.01 EUR")
    shares = [(share.seller_id, share.share.decimal, share.exact) for share in commission.shares]
    assert shares == [(FIRST_SELLER, "2.51", "250.5"), (SECOND_SELLER, "2.50", "250.5")]
    assert [fee.component for fee in told.fees] == ["commission", "processing", "shipping"]
    assert [fee.shares for fee in told.fees[1:]] == [(), ()]
    assert told.sales[0].text.endswith("50.05 EUR of items, less 2.51 EUR commission, leaves the seller 47.54 EUR")


def test_tells_every_event_and_where_each_cent_is(books):
    store_paid_order(books.unit_of_work)
    told = books.explain(actor=OPERATOR, order=f" {told_reference(books)} ")
    assert [event.kind for event in told.events] == ["payment_captured", "stripe_fee"]
    assert told.events[0].text == f"the buyer paid 121.12 EUR; shared out as agreed (charge:ch_{ORDER})"
    assert (told.captured.decimal, told.captured.amount) == ("121.12", sum(p.amount.amount for p in told.places))
    assert places(told) == {
        f"of seller {FIRST_SELLER} until the sale is complete": "47.54",
        f"of seller {SECOND_SELLER} until the sale is complete": "47.55",
        "our revenue: commission of the sellers": "5.01",
        "our revenue: commission of the buyer": "5.01",
        "our revenue: processing fee": "6.01",
        "collected for carriers": "10.00",
        "our cost: the provider's fee": "-2.07",
        "paid to the payment provider as its fee": "2.07",
    }
    for words in ("by the rules of the settings", "What happened:", "121.12 EUR were captured ="):
        assert words in told.text


def told_reference(books) -> str:
    return books.explain(actor=OPERATOR, order=str(ORDER)).reference


def test_tells_what_went_back_and_who_bore_it(books):
    store_paid_order(books.unit_of_work)
    refund = store_refund(books.unit_of_work)
    amount = refund.amount.amount
    post(books, journals.refund_created(provider_refund_id="re_1", amount=amount, **FACTS))
    told = books.explain(actor=OPERATOR, order=str(ORDER))
    (back,) = told.refunds
    assert "50.05 EUR for items, 2.51 EUR commission" in back.text
    assert f"47.54 EUR of the item price comes from seller {FIRST_SELLER}, 2.51 EUR had been withheld" in back.text
    assert told.sales[0].text.endswith("items worth 50.05 EUR went back")
    assert places(told)["sent back to the buyer"] == "52.56"
    assert "What went back:" in told.text


def test_tells_what_went_back_by_time_whatever_the_ids(books):
    store_paid_order(books.unit_of_work)
    first = store_refund(books.unit_of_work)
    with books.unit_of_work() as uow:
        earlier = replace(first, id=RefundId(first.id + 1), decided_at=first.decided_at - timedelta(minutes=1))
        uow.refunds.add(earlier)
        uow.commit()
    told = books.explain(actor=OPERATOR, order=str(ORDER))
    assert [back.refund_id for back in told.refunds] == [earlier.id, first.id]


def test_tells_what_of_an_order_paid_for_a_debt_of_another(books):
    store_paid_order(books.unit_of_work)
    post(
        books,
        journals.order_completed(sale_id=1, seller_id=FIRST_SELLER, amount=4754, **FACTS),
        journals.receivable_netted(
            payout_id=PayoutId(1), recovery_id=RecoveryId(1), seller_id=FIRST_SELLER, amount=1000, **FACTS
        ),
    )
    told = places(books.explain(actor=OPERATOR, order=str(ORDER)))
    assert told[f"kept for what seller {FIRST_SELLER} owed us"] == "10.00"
    assert told[f"of seller {FIRST_SELLER}, to be transferred"] == "37.54"


def test_tells_of_payouts_debts_and_chargebacks(books):
    store_paid_order(books.unit_of_work)
    hold = {"hold_key": "dispute:1", "sale_id": 2, "seller_id": SECOND_SELLER, "amount": 4755}
    post(
        books,
        journals.order_completed(sale_id=1, seller_id=FIRST_SELLER, amount=4754, **FACTS),
        journals.transfer_created(transfer_id="tr_1", seller_id=FIRST_SELLER, amount=4700, **FACTS),
        journals.dispute_hold(**hold, source=ledger.pending(SECOND_SELLER), **FACTS),
        journals.chargeback_withdrawn(balance_transaction_id="txn_1", chargeback_id=1, amount=5000, fee=2000, **FACTS),
        journals.chargeback_lost(
            chargeback_id=1,
            sellers=[(ledger.receivable(FIRST_SELLER), 1000), (ledger.on_hold(SECOND_SELLER), 2000)],
            commission_seller=0,
            seller_fees=0,
            commission_buyer=0,
            processing=0,
            losses=1500,
            **FACTS,
        ),
    )
    told = books.explain(actor=OPERATOR, order=str(ORDER))
    found = places(told)
    assert told.captured.amount == sum(place.amount.amount for place in told.places)
    assert found["transferred to sellers"] == "47.00"
    assert found[f"of seller {FIRST_SELLER}, to be transferred"] == "0.54"
    assert found[f"of seller {SECOND_SELLER}, kept back"] == "27.55"
    assert found[f"owed to us by seller {FIRST_SELLER}"] == "-10.00"
    assert found["taken by the buyer's bank, with its fee"] == "70.00"
    assert found["still claimed from the buyer's bank"] == "-5.00"
    assert found["our cost: lost in chargebacks"] == "-15.00"


def test_an_unpaid_order_has_no_money_anywhere(books):
    store_unpaid_order(books.unit_of_work)
    told = books.explain(actor=OPERATOR, order=str(ORDER))
    assert (told.captured.amount, told.places, told.events) == (0, (), ())
    assert "nothing was paid" in told.text


def test_reads_as_many_journals_as_there_are(books, monkeypatch):
    store_paid_order(books.unit_of_work)
    monkeypatch.setattr(explaining, "MAX_PAGE_SIZE", 1)
    assert len(books.explain(actor=OPERATOR, order=str(ORDER)).events) == 2
    monkeypatch.setattr(explaining, "MOST_JOURNALS", 1)
    assert len(books.explain(actor=OPERATOR, order=str(ORDER)).events) == 1


def test_is_for_administrators_who_name_an_order(books):
    with pytest.raises(Forbidden):
        books.explain(actor=Actor(account_id=AccountId(5)), order="1")
    with pytest.raises(NotFound):
        books.explain(actor=OPERATOR, order="123")
    with pytest.raises(NotFound):
        books.explain(actor=OPERATOR, order="K7QM-2XPD")
    with pytest.raises(Invalid):
        books.explain(actor=OPERATOR, order="9" * 17)


@pytest.mark.parametrize("kind", list(JournalKind))
def test_every_kind_of_journal_has_its_words(kind):
    assert kind in _SAID
    lines = (EntryLine(account="a", amount=Money(500, "EUR")), EntryLine(account="b", amount=Money(-500, "EUR")))
    entry = LedgerEntry(id=1, kind=kind, source_key="x:1", currency="EUR", occurred_at=NOW, order_id=None, lines=lines)
    assert "5.00 EUR" in said(entry)


def test_an_account_without_words_is_called_by_its_name(books):
    store_paid_order(books.unit_of_work)
    post(
        books,
        ledger.Journal(
            kind=JournalKind.TOPUP,
            source_key="topup:t",
            currency="EUR",
            order_id=ORDER,
            lines=(ledger.Line(ledger.PAYOUTS_IN_TRANSIT, 5), ledger.Line(ledger.STRIPE_BALANCE, -5)),
            occurred_at=NOW,
        ),
    )
    found = places(books.explain(actor=OPERATOR, order=str(ORDER)))
    assert (found["assets:payouts_in_transit"], found["moved by topup"]) == ("-0.05", "0.05")
