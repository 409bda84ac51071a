"""`marketplace sales`: fulfilling for sellers and buyers who cannot do it themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from marketplace.adapters.postgres.engine import create_engine
from marketplace.domain.orders.status import OrderStatus
from marketplace.entrypoints.cli.main import marketplace
from tests.desk import Desk
from tests.integration.till_on_postgres import till_on


@pytest.fixture
def desk(clean_database):
    engine = create_engine(clean_database, pool_size=4, connect_timeout=30, statement_timeout=60)
    till = till_on(engine)
    # The commands run by the machine's clock.
    till.market.clock.set(datetime.now(UTC))
    yield Desk(till)
    engine.dispose()


@pytest.fixture
def run(clean_database, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", clean_database)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))

    def run(*arguments: str, expect: int = 0):
        result = CliRunner().invoke(marketplace, ["sales", *arguments, "--json"], standalone_mode=False)
        if expect:
            assert result.exception is not None
            return result.exception
        assert result.exception is None, result.output
        return json.loads(result.output)

    return run


def test_a_sale_from_shipment_to_completion(desk, run):
    deal = desk.paid()
    reference = desk.sale(deal).reference
    with desk.market.unit_of_work() as uow:
        seller = uow.accounts.get(deal.seller.account_id).username
    [listed] = run("list", seller)
    assert (listed["reference"], listed["asked_to_cancel"], listed["carrier"]) == (reference, False, "")
    sent = run("ship", reference.lower(), "--carrier", "DHL", "--tracking-number", "JD01")
    assert (sent["status"], sent["carrier"], sent["tracking_number"]) == ("shipped", "DHL", "JD01")
    assert run("list", seller) == []
    assert [sale["reference"] for sale in run("list", seller, "--status", "shipped")] == [reference]
    assert run("confirm", reference)["status"] == "delivered"
    assert run("complete", reference, "--reason", "the buyer wrote to us")["status"] == "completed"
    assert desk.order(deal).status is OrderStatus.COMPLETED
    assert run("cancel", reference, "--reason", "no", expect=1).code == "sale_ended"


def test_cancels_what_cannot_be_supplied(desk, run):
    deal = desk.paid()
    reference = desk.sale(deal).reference
    desk.ask(deal)
    assert run("cancel", reference, "--reason", "the seller is ill", "--restock")["status"] == "cancelled"
    assert desk.market.stock(deal.listings[0])[0] == 5
    assert desk.order(deal).status is OrderStatus.REFUNDED


def test_says_what_there_is(desk, run):
    reference = desk.order(desk.paid()).reference
    assert f"{reference}-1" in str(run("confirm", f"{reference}-9", expect=1))
    assert run("confirm", "NOSUCH-ORDER-1", expect=1).code == "not_found"
    assert run("list", "nobody-at-all", expect=1).code == "not_found"
