"""What buyers and sellers are told while a sale is fulfilled, and what they are not."""

from __future__ import annotations

import pytest

from marketplace.adapters.keyed_secrets import KeyedSecrets
from marketplace.adapters.letters.jinja_letters import JinjaLetters
from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.adapters.memory.mailer import InMemoryMailer
from marketplace.application.access import OPERATOR
from marketplace.application.notifications.fulfilment import FulfilmentNews, TellFulfilmentNews
from marketplace.application.notifications.notify import Notify
from marketplace.application.notifications.unsubscribing import UnsubscribeLinks
from tests.desk import AUTO_COMPLETE, Desk
from tests.till import Till


@pytest.fixture
def desk() -> Desk:
    return Desk(Till.in_memory())


@pytest.fixture
def told(desk):
    """Deliver all the news there has been; gives every mail by now: whom it is for, its subject, its text."""
    market = desk.market
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
    tell = TellFulfilmentNews(unit_of_work=market.unit_of_work, notify=notify)

    def told():
        for event in desk.till.events():
            if isinstance(event, FulfilmentNews):
                tell(event)
        with market.unit_of_work() as uow:
            emails = {uow.accounts.get(id).email: id for id in market.people}
        return [
            (emails[mail.to], mail.subject, " ".join(mail.text.split())) for mail in reversed(mailer.messages(limit=50))
        ]

    return told


def test_the_buyer_learns_of_the_parcel_once_and_of_its_right_number(desk, told):
    deal = desk.shipped()
    [(whom, subject, text)] = told()
    assert whom == deal.buyer.account_id
    assert subject == f"Your parcel of order {desk.order(deal).reference} is on its way"
    assert "Colissimo" in text
    assert "https://www.laposte.fr/outils/suivre-vos-envois?code=6A123" in text
    assert "before 29 January 2026" in text
    assert len(told()) == 1
    desk.market.later(hours=1)
    desk.ship(deal, "XY 9", carrier="Cousin Bob")
    _, (whom, subject, text) = told()
    assert (whom, subject[:10]) == (deal.buyer.account_id, "Corrected:")
    assert "Tracking number: XY 9." in text
    assert "Follow it at" not in text


def test_the_seller_learns_that_it_is_there_and_that_money_is_due(desk, told):
    deal = desk.shipped()
    told()
    desk.confirm(deal)
    desk.market.clock.advance(AUTO_COMPLETE)
    _, (whom, subject, text) = told()
    assert (whom, subject) == (deal.seller.account_id, f"Your sale {desk.sale(deal).reference} has arrived")
    assert "18 January 2026" in text
    desk.complete_sales()
    (whom, subject, text) = told()[-1]
    assert (whom, subject) == (deal.seller.account_id, f"Your sale {desk.sale(deal).reference} is complete")
    assert "€190.00" in text


def test_a_cancellation_is_told_to_who_did_not_do_it(desk, told):
    by_seller, by_us = desk.paid(), desk.paid()
    desk.cancel(by_seller)
    [(whom, _, text)] = told()
    assert whom == by_seller.buyer.account_id
    assert "cannot find it" in text
    assert "by the marketplace" not in text
    desk.cancel(by_us, by=OPERATOR)
    _, (buyer, _, text), (seller, _, warning) = told()
    assert (buyer, seller) == (by_us.buyer.account_id, by_us.seller.account_id)
    assert "by the marketplace" in text
    assert "do not send it" in warning


def test_the_seller_is_asked_and_never_told_by_whom(desk, told):
    deal, silent = desk.paid(), desk.paid()
    desk.ask(deal)
    desk.ask(silent, reason="")
    (whom, subject, text), (_, _, without) = told()
    assert (whom, subject) == (
        deal.seller.account_id,
        f"The buyer asks you to cancel sale {desk.sale(deal).reference}",
    )
    assert "bought twice" in text
    assert "The reason" not in without
    with desk.market.unit_of_work() as uow:
        buyer = uow.accounts.get(deal.buyer.account_id)
    assert buyer.email not in text
    assert buyer.username not in text


def test_what_is_sent_for_nothing_is_not_told(desk, told):
    deal = desk.shipped()
    with desk.market.unit_of_work() as uow:
        order = uow.orders.get_for_update(deal.order_id)
        order.sale(deal.sale_id).shipment = None
        uow.orders.save(order)
        uow.commit()
    assert told() == []


def test_a_shop_that_is_gone_has_no_name(desk, told):
    deal = desk.paid()
    desk.ask(deal)
    with desk.market.unit_of_work() as uow:
        order = uow.orders.get_for_update(deal.order_id)
        order.sale(deal.sale_id).cancellation = None
        uow.orders.save(order)
        uow.commit()
    del desk.market.unit_of_work().store.table("sellers")[deal.seller.account_id]
    [(_, _, text)] = told()
    assert "The reason" not in text
