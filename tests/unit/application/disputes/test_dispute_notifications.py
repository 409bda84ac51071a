"""What the parties of a dispute are told, and what operators are told of a chargeback."""

from __future__ import annotations

import pytest

from marketplace.adapters.keyed_secrets import KeyedSecrets
from marketplace.adapters.letters.jinja_letters import JinjaLetters
from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.adapters.memory.mailer import InMemoryMailer
from marketplace.application.access import OPERATOR
from marketplace.application.notifications.disputes import DisputeNews, TellDisputeNews
from marketplace.application.notifications.notify import Notify
from marketplace.application.notifications.unsubscribing import UnsubscribeLinks
from marketplace.application.payments.alarms import Alarm, RaiseAlarm
from marketplace.domain.disputes import DisputeOutcome, DisputeReason
from tests.cashier import Cashier
from tests.till import Till


@pytest.fixture
def till():
    return Till.in_memory()


@pytest.fixture
def told(till):
    """Deliver all news of disputes there has been; gives every mail by now: whom it is for, its subject, its text."""
    market = till.market
    store = market.unit_of_work().store
    mailer = InMemoryMailer(market.clock)
    notify = Notify(
        unit_of_work=market.unit_of_work,
        clock=market.clock,
        ids=market.ids,
        identity_queries=InMemoryIdentityQueries(store),
        letters=JinjaLetters(brand="Marketplace", public_url="https://cards.example"),
        mailer=mailer,
        unsubscribe_links=UnsubscribeLinks(secrets=KeyedSecrets(b"k" * 32), public_url="https://cards.example"),
    )
    tell = TellDisputeNews(unit_of_work=market.unit_of_work, notify=notify)

    def told():
        for event in till.events():
            if isinstance(event, DisputeNews):
                tell(event)
        with market.unit_of_work() as uow:
            emails = {uow.accounts.get(id).email: id for id in market.people}
        return [
            (emails[mail.to], mail.subject, " ".join(mail.text.split())) for mail in reversed(mailer.messages(limit=50))
        ]

    return told


@pytest.fixture
def sale(till):
    """A sale that waits for its shipment, and can be disputed by now."""
    cashier = Cashier(till)
    order = till.order(cashier.paid(cashier.seller()))
    till.market.later(days=8)
    return order.sales[0]


@pytest.fixture
def buyer(till, sale):
    with till.market.unit_of_work() as uow:
        return till.market.people[uow.orders.of_sale_for_update(sale.id).buyer_id]


@pytest.fixture
def disputed(till, sale, buyer):
    return till.open_dispute(
        actor=buyer, sale_id=sale.id, reason=DisputeReason.NOT_RECEIVED, description="Nothing has come yet"
    )


def decide(till, id, outcome, note="Looked at it", amount=None):
    till.resolve_dispute(actor=OPERATOR, dispute_id=id, outcome=outcome, note=note, amount=amount)


def test_both_learn_that_it_is_open_once(sale, buyer, disputed, told):
    (seller_mail, buyer_mail) = told()
    assert (seller_mail[0], buyer_mail[0]) == (sale.seller_id, buyer.account_id)
    assert "Nothing has come yet" in seller_mail[2]
    assert "is open" in buyer_mail[1]
    assert len(told()) == 2


@pytest.mark.parametrize(
    ("outcome", "words"), [(DisputeOutcome.REFUND, "121.00"), (DisputeOutcome.DISMISSED, "dismissed")]
)
def test_both_learn_how_it_was_decided(till, sale, buyer, disputed, told, outcome, words):
    told()
    decide(till, disputed, outcome)
    mails = told()[2:]
    assert {whom for whom, _, _ in mails} == {sale.seller_id, buyer.account_id}
    assert all(words in text and "Looked at it" in text for _, _, text in mails)


@pytest.mark.parametrize(
    ("outcome", "amount", "is_paid_the_rest"),
    [(DisputeOutcome.REFUND, None, False), (DisputeOutcome.PARTIAL_REFUND, "1.00", True)],
)
def test_the_seller_is_promised_a_rest_only_where_there_is_one(
    till, sale, disputed, told, outcome, amount, is_paid_the_rest
):
    told()
    decide(till, disputed, outcome, amount=amount)
    (text,) = [text for whom, _, text in told()[2:] if whom == sale.seller_id]
    assert ("What is left of the sale is paid out to you" in text) is is_paid_the_rest


def test_a_withdrawal_is_news_to_the_seller_alone(till, sale, buyer, disputed, told):
    till.withdraw_dispute(actor=buyer, dispute_id=disputed)
    assert [(whom, "withdrawn" in text) for whom, _, text in told()[2:]] == [(sale.seller_id, True)]


def test_of_a_chargeback_the_seller_is_told_and_operators_are_warned(till, sale, told, caplog):
    with till.market.unit_of_work() as uow:
        order_id = uow.orders.of_sale_for_update(sale.id).id
    id = till.provider.open_chargeback(till.payment(order_id).intent_id).id
    till.work()
    till.provider.decide_chargeback(id, is_won=False)
    till.work()
    opened, ended = told()
    assert (opened[0], ended[0]) == (sale.seller_id, sale.seller_id)
    assert "bank" in opened[2]
    for event in till.events():
        if isinstance(event, Alarm):
            RaiseAlarm()(event)
    assert "answer it" in caplog.text
    assert "is lost" in caplog.text
