"""`marketplace orders` and `marketplace webhooks`: what an operator does when something has to be put right."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from marketplace.adapters.postgres.engine import create_engine
from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.application.ports.payments import InboxStatus
from marketplace.application.ports.provider_events import Refusal
from marketplace.domain.orders.status import OrderStatus
from marketplace.entrypoints.cli.main import marketplace
from tests.contracts.payments import an_event
from tests.integration.till_on_postgres import till_on


@pytest.fixture
def till(clean_database):
    engine = create_engine(clean_database, pool_size=4, connect_timeout=30, statement_timeout=60)
    till = till_on(engine)
    # The commands run by the machine's clock.
    till.market.clock.set(datetime.now(UTC))
    yield till
    engine.dispose()


@pytest.fixture
def run(clean_database, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", clean_database)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))

    def run(*arguments: str, expect: int = 0):
        result = CliRunner().invoke(marketplace, arguments, standalone_mode=False)
        if expect:
            assert result.exception is not None
            return result.exception
        assert result.exception is None, result.output
        return json.loads(result.output) if "--json" in arguments else result.output

    return run


@pytest.fixture
def order_id(till):
    return till.ordered(
        till.market.buyer(), *[till.market.listing(till.market.seller(), price=5005, stock=1) for _ in range(2)]
    )


@pytest.fixture
def paid(till, order_id):
    payment = till.payment(order_id)
    till.provider.confirm_payment(payment.intent_id, payment_method="pm_card_visa", return_url=None, key="browser")
    till.work()
    return order_id


class TestOrders:
    def test_shows_an_order_with_its_sales_payment_and_refunds(self, run, till, paid):
        order = till.order(paid)
        till.refund(paid, order.sales[0].id)
        shown = run("orders", "show", order.reference.lower(), "--json")
        assert (shown["reference"], shown["status"], shown["total"]) == (
            order.reference,
            "partially_refunded",
            "121.12",
        )
        assert (shown["payment_status"], shown["quarantine"]) == ("succeeded", "")
        assert [sale["status"] for sale in shown["sales"]] == ["refunded", "awaiting_shipment"]
        assert [refund["status"] for refund in shown["refunds"]] == ["decided"]
        text = run("orders", "show", order.reference)
        assert order.sales[0].reference in text
        assert "60.57" in text

    def test_cancels_an_unpaid_order(self, run, till, order_id):
        reference = till.order(order_id).reference
        assert run("orders", "cancel", reference, "--json") == {"reference": reference, "status": "cancelled"}
        assert till.order(order_id).status is OrderStatus.CANCELLED

    def test_does_not_cancel_a_paid_one(self, run, till, paid):
        assert run("orders", "cancel", till.order(paid).reference, expect=1).code == "already_paid"

    def test_refunds_a_whole_order_or_one_sale_of_it(self, run, till, paid):
        order = till.order(paid)
        part = run(
            "orders", "refund", order.reference, "--sale", order.sales[0].reference, "--cause", "buyer", "--json"
        )
        assert (part["amount"], part["status"]) == ("52.56", "decided")
        assert run("orders", "refund", order.reference, "--sale", "NO-SUCH", expect=1).code == "not_found"
        rest = run("orders", "refund", order.reference, "--reason", "shop closed", "--json")
        assert (rest["cause"], rest["reason"]) == ("platform", "shop closed")
        assert run("orders", "refund", order.reference, expect=1).code == "nothing_to_refund"
        till.work()
        assert till.order(paid).status is OrderStatus.REFUNDED
        assert till.findings() == []

    def test_knows_no_order_that_is_not_there(self, run, till):
        for command in ("show", "cancel", "refund"):
            assert run("orders", command, "AAAA-AAAA", expect=1).code == "not_found"


class TestWebhooks:
    def test_shows_and_replays_what_was_given_up(self, run, till):
        now = till.market.clock.now()
        till.inbox.store(an_event(), status=InboxStatus.WAITING, now=now)
        till.inbox.close("evt_1", status=InboxStatus.DEAD, error="we do not know pi_1", now=now)
        status = run("webhooks", "status", "--json")
        assert (status["dead"], status["waiting"]) == (1, 0)
        assert [event["id"] for event in status["dead_events"]] == ["evt_1"]
        assert "we do not know pi_1" in run("webhooks", "status")
        assert run("webhooks", "replay", "evt_2", "--json") == {"replayed": 0}
        assert run("webhooks", "replay", "--all", "--json") == {"replayed": 1}
        assert run("webhooks", "status", "--json")["waiting"] == 1

    def test_shows_what_was_refused_lately(self, run, till):
        assert run("webhooks", "status", "--json")["refused"] == []
        now = datetime.now(UTC)
        till.refusals.note(WebhookSource.CONNECT, Refusal.TIME, seconds_off=400, now=now)
        (refused,) = run("webhooks", "status", "--json")["refused"]
        assert (refused["source"], refused["refusal"], refused["seconds_off"]) == ("connect", "time", 400)
        assert "connect" in run("webhooks", "status")

    def test_has_to_be_told_which(self, run, till):
        assert "--all" in str(run("webhooks", "replay", expect=2))
