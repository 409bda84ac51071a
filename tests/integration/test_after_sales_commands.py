"""`marketplace orders refund`, `refunds`, `disputes` and `chargebacks`: what an operator does after a sale."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from marketplace.adapters.postgres.engine import create_engine
from marketplace.application.ports.payment_gateway import RefundNotPossible
from marketplace.domain.disputes import DisputeReason
from marketplace.domain.payments.chargebacks import ChargebackDecidedAlready
from marketplace.domain.payments.refund import RefundNotFailed
from marketplace.entrypoints.cli.main import marketplace
from tests.contracts.disputes import paid
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

    def run(*arguments):
        result = CliRunner().invoke(marketplace, [str(each) for each in arguments], standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return json.loads(result.output) if "--json" in arguments else result.output

    return run


def test_pieces_go_back_and_on_offer_again(till, run):
    order = till.order(paid(till))
    sale = order.sales[0]
    item = sale.lines[0].id
    assert f"(item {item})" in run("orders", "show", order.reference)
    wanted = ("--item", f"{item}=1", "--restock", "--cause", "seller", "--reason", "Bent")
    done = run("orders", "refund", order.reference, *wanted, "--json")
    assert (done["amount"], done["restocked"], done["not_restocked"]) == ("10.50", 1, [])
    assert till.stock(sale.lines[0].listing_id)[0] == 5
    with pytest.raises(Exception, match="is not ID=QUANTITY"):
        run("orders", "refund", order.reference, "--item", "one")


def test_an_amount_goes_back_of_one_sale(till, run):
    order = till.order(paid(till))
    sale = order.sales[1]
    done = run("orders", "refund", order.reference, "--sale", sale.reference, "--amount", "2.50", "--json")
    assert (done["amount"], done["status"]) == ("2.50", "decided")


def test_what_failed_is_tried_again_or_settled(till, run):
    order_id = paid(till)
    till.refund(order_id)
    till.gateway.interrupt("refund", when="before", by=RefundNotPossible("no"))
    till.work()
    (refund,) = till.refunds(order_id)
    (listed,) = run("refunds", "list", "--status", "failed", "--json")
    assert (listed["id"], listed["failure_reason"]) == (refund.id, "refund_not_possible")
    settled = run("refunds", "settle-elsewhere", refund.id, "--note", "Transfer 7", "--json")
    assert settled["status"] == "settled_elsewhere"
    with pytest.raises(RefundNotFailed):
        run("refunds", "retry", refund.id)
    assert str(refund.id) in run("refunds", "list")


def test_disputes_are_shown_and_decided(till, run):
    order = till.order(paid(till))
    till.market.later(days=8)
    buyer = till.market.people[order.buyer_id]
    id = till.open_dispute(
        actor=buyer, sale_id=order.sales[0].id, reason=DisputeReason.NOT_RECEIVED, description="Nothing came"
    )
    (listed,) = run("disputes", "list", "--status", "open", "--json")
    assert (listed["id"], listed["sale"]) == (id, order.sales[0].reference)
    assert "Nothing came" in run("disputes", "show", id)
    decided = run("disputes", "resolve", id, "--outcome", "dismissed", "--note", "It came", "--json")
    assert (decided["status"], decided["outcome"], decided["note"]) == ("resolved", "dismissed", "It came")


def test_chargebacks_are_answered_and_accepted(till, run):
    order_id = paid(till)
    till.provider.open_chargeback(till.payment(order_id).intent_id)
    till.work()
    (listed,) = run("chargebacks", "list", "--stage", "open", "--json")
    shown = run("chargebacks", "evidence", listed["id"], "--field", "shipping_carrier=UPS", "--json")
    assert shown["evidence"] == {"shipping_carrier": "UPS"}
    assert len(shown["movements"]) == 1
    assert "UPS" in run("chargebacks", "show", listed["id"])
    with pytest.raises(Exception, match="is not NAME=TEXT"):
        run("chargebacks", "evidence", listed["id"], "--field", "UPS")
    accepted = run("chargebacks", "accept", listed["id"], "--reason", "Lost", "--json")
    assert (accepted["stage"], accepted["lost"]) == ("lost", accepted["amount"])
    with pytest.raises(ChargebackDecidedAlready):
        run("chargebacks", "accept", listed["id"])
