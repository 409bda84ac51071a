"""What buyers and sellers are told of an order, and what they are not."""

from functools import partial

import pytest

from marketplace.adapters.keyed_secrets import KeyedSecrets
from marketplace.adapters.letters.jinja_letters import JinjaLetters
from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.adapters.memory.mailer import InMemoryMailer
from marketplace.adapters.memory.orders import InMemoryOrderQueries
from marketplace.adapters.memory.store import InMemoryIdSequence, InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.notifications.notify import Notify
from marketplace.application.notifications.orders import TellOrderNews
from marketplace.application.notifications.unsubscribing import UnsubscribeLinks
from marketplace.domain.orders.events import ItemsMissing, OrderEndedUnpaid, OrderPaid, SaleMade
from marketplace.domain.payments.refund import RefundDecided, RefundFailed
from marketplace.domain.shared.errors import Unavailable
from tests.purchases import (
    BUYER,
    FIRST_SELLER,
    NOW,
    ORDER,
    REFUND,
    SECOND_SELLER,
    an_order,
    store_market,
    store_paid_order,
    store_refund,
    store_unpaid_order,
)

REFERENCE = an_order().reference
FIRST_SALE, SECOND_SALE = ORDER * 10 + 1, ORDER * 10 + 2
FIRST_LINE, SECOND_LINE = ORDER * 100 + 1, ORDER * 100 + 2


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    unit_of_work = partial(InMemoryUnitOfWork, store)
    store_market(unit_of_work)
    return unit_of_work


@pytest.fixture
def mailer():
    return InMemoryMailer(FixedClock(NOW))


@pytest.fixture
def tell(store, unit_of_work, mailer):
    """Deliver an event; gives the mail that came of it, by its recipient."""
    notify = Notify(
        unit_of_work=unit_of_work,
        clock=FixedClock(NOW),
        ids=InMemoryIdSequence(),
        identity_queries=InMemoryIdentityQueries(store),
        letters=JinjaLetters(brand="Marketplace", public_url="https://cards.example"),
        mailer=mailer,
        unsubscribe_links=UnsubscribeLinks(secrets=KeyedSecrets(b"k" * 32), public_url="https://cards.example"),
    )
    tell_news = TellOrderNews(unit_of_work=unit_of_work, order_queries=InMemoryOrderQueries(store), notify=notify)

    def deliver(event):
        tell_news(event)
        return {kept.to: kept for kept in mailer.messages(limit=100)}

    return deliver


def on_one_line(mail):
    """Wherever its lines break."""
    return " ".join(mail.text.split())


PAID = OrderPaid(occurred_at=NOW, order_id=ORDER, buyer_id=BUYER)
SOLD = SaleMade(occurred_at=NOW, sale_id=SECOND_SALE, order_id=ORDER, seller_id=SECOND_SELLER)
MISSING = ItemsMissing(occurred_at=NOW, order_id=ORDER, sale_id=FIRST_SALE, seller_id=FIRST_SELLER, buyer_id=BUYER)
REFUNDED = RefundDecided(
    occurred_at=NOW,
    refund_id=REFUND,
    order_id=ORDER,
    buyer_id=BUYER,
    amount=5256,
    currency="EUR",
    cause="seller",
)


class TestOrderConfirmation:
    def test_says_what_was_bought_from_whom_for_how_much_and_where_it_goes(self, unit_of_work, tell):
        store_paid_order(unit_of_work)
        mail = tell(PAID)["ada@example.com"]
        assert mail.subject == f"Your order {REFERENCE} is confirmed"
        assert mail.text.startswith("Hello Ada,\n\n")
        lines = [" ".join(line.split()) for line in mail.text.splitlines()]
        assert f"Sold by Card Cave ({REFERENCE}-1)" in lines
        assert "1 \u00d7 Charizard (English, Holo, Near mint) €50.05" in lines
        assert f"Sold by Kaiba Corner ({REFERENCE}-2)" in lines
        assert "1 \u00d7 Blue-Eyes White Dragon (English, Holo, PSA 10) €50.05" in lines
        assert "Items €100.10" in lines
        assert "Service fee €5.01" in lines
        assert "Payment processing €6.01" in lines
        assert "Shipping €10.00" in lines
        assert "Total €121.12" in lines
        assert "12 Rue des Cartes" in lines
        assert "69001 Lyon" in lines

    def test_goes_to_the_buyer_alone(self, unit_of_work, tell):
        store_paid_order(unit_of_work)
        assert list(tell(PAID)) == ["ada@example.com"]

    def test_delivered_twice_is_one_message(self, unit_of_work, tell, mailer):
        store_paid_order(unit_of_work)
        tell(PAID)
        tell(PAID)
        assert len(mailer.messages(limit=10)) == 1

    def test_a_mail_server_that_is_down_makes_the_relay_try_again(self, unit_of_work, tell, mailer):
        store_paid_order(unit_of_work)
        mailer.is_down = True
        with pytest.raises(Unavailable):
            tell(PAID)
        mailer.is_down = False
        assert tell(PAID)


class TestSaleNotice:
    def test_says_what_to_send_where_and_what_the_seller_receives(self, unit_of_work, tell):
        store_paid_order(unit_of_work)
        mail = tell(SOLD)["kaiba@example.com"]
        assert mail.subject == f"You have sold: {REFERENCE}-2"
        assert "Hello Seto," in mail.text
        assert "Blue-Eyes White Dragon" in mail.text
        assert "You receive €47.55" in mail.text
        assert "Ada Lovelace\n  12 Rue des Cartes\n  69001 Lyon\n  FR\n  +33123456789" in mail.text

    def test_never_tells_a_seller_the_buyers_mail_address_or_the_other_sale(self, unit_of_work, tell):
        store_paid_order(unit_of_work)
        text = tell(SOLD)["kaiba@example.com"].text
        assert "ada@example.com" not in text
        assert "Charizard" not in text
        assert "121.12" not in text

    def test_leaves_out_what_is_missing_and_its_worth(self, unit_of_work, tell):
        store_paid_order(unit_of_work, missing={SECOND_LINE: 1})
        text = tell(SOLD)["kaiba@example.com"].text
        assert "Blue-Eyes" not in text
        assert "You receive €0.00" in text


class TestEndWithoutPayment:
    @pytest.mark.parametrize(
        ("outcome", "subject", "phrase"),
        [
            ("cancelled", "was cancelled", "You cancelled your order"),
            ("payment_failed", "could not be paid", "was declined"),
            ("expired", "was not paid in time", "was not paid in time"),
        ],
    )
    def test_tells_the_buyer_that_nothing_was_charged(self, unit_of_work, tell, outcome, subject, phrase):
        store_unpaid_order(unit_of_work)
        told = tell(OrderEndedUnpaid(occurred_at=NOW, order_id=ORDER, buyer_id=BUYER, outcome=outcome))
        assert list(told) == ["ada@example.com"]
        mail = told["ada@example.com"]
        assert mail.subject == f"Your order {REFERENCE} {subject}"
        assert phrase in on_one_line(mail)
        assert "Nothing was charged" in on_one_line(mail)


class TestMissingItems:
    def test_both_sides_are_told(self, unit_of_work, tell):
        store_paid_order(unit_of_work, missing={FIRST_LINE: 1})
        told = tell(MISSING)
        assert set(told) == {"ada@example.com", "red@example.com"}
        assert "1 \u00d7 Charizard" in told["ada@example.com"].text
        seller = told["red@example.com"].text
        assert "please do not send them" in seller
        assert "1 \u00d7 Charizard" in seller
        assert "Nothing of this sale is left to send." in seller
        assert "ada@example.com" not in seller

    def test_what_is_not_missing_stays(self, unit_of_work, tell):
        store_paid_order(unit_of_work, missing={FIRST_LINE: 1})
        other = ItemsMissing(
            occurred_at=NOW, order_id=ORDER, sale_id=SECOND_SALE, seller_id=SECOND_SELLER, buyer_id=BUYER
        )
        assert "The rest of the sale, 1 piece, stays as it is." in tell(other)["kaiba@example.com"].text


class TestRefunds:
    def test_the_buyer_is_told_how_much_and_why(self, unit_of_work, tell):
        store_paid_order(unit_of_work)
        store_refund(unit_of_work)
        mail = tell(REFUNDED)["ada@example.com"]
        assert mail.subject == f"€52.56 of your order {REFERENCE} go back to you"
        assert "The reason: The seller could not find the card" in on_one_line(mail)

    def test_only_the_seller_concerned_is_told_what_it_costs_them(self, unit_of_work, tell):
        store_paid_order(unit_of_work)
        store_refund(unit_of_work)
        told = tell(REFUNDED)
        assert set(told) == {"ada@example.com", "red@example.com"}
        text = on_one_line(told["red@example.com"])
        assert "€47.54 less are paid out to you" in text
        assert "1 \u00d7 Charizard" in text
        assert "ada@example.com" not in text

    def test_a_refund_without_pieces_or_reason_names_neither(self, unit_of_work, tell, store):
        store_paid_order(unit_of_work)
        refund = store_refund(unit_of_work, reason="")
        (part,) = refund.parts
        stored = store.table("refunds")[REFUND]
        stored.parts = (type(part)(**{**{f: getattr(part, f) for f in part.__slots__}, "pieces": {}}),)
        told = tell(REFUNDED)
        assert "The reason" not in told["ada@example.com"].text
        assert "It is for" not in told["red@example.com"].text

    def test_a_refund_that_failed_is_still_owed(self, unit_of_work, tell):
        store_paid_order(unit_of_work)
        store_refund(unit_of_work)
        failed = RefundFailed(occurred_at=NOW, refund_id=REFUND, order_id=ORDER, reason="closed account")
        mail = tell(failed)["ada@example.com"]
        assert "€52.56" in mail.subject
        assert "You will get them" in mail.text


def test_a_copy_whose_kind_is_not_known_is_named_by_its_title(unit_of_work, tell, store):
    store_paid_order(unit_of_work)
    for line in (line for sale in store.table("orders")[ORDER].sales for line in sale.lines):
        line.variant = {}
    assert "1 \u00d7 Charizard  " in tell(PAID)["ada@example.com"].text
