"""`marketplace reservations`, `stress` and what `orders show` tells of an order's life."""

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from marketplace.adapters.postgres.engine import create_engine
from marketplace.entrypoints.cli.main import marketplace
from marketplace.entrypoints.cli.stress import stock
from tests.integration.on_postgres import market_on


@pytest.fixture
def run(clean_database, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", clean_database)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))
    return lambda *arguments: CliRunner(catch_exceptions=False).invoke(marketplace, arguments)


@pytest.fixture
def engine(clean_database):
    engine = create_engine(clean_database, pool_size=2, connect_timeout=30, statement_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def market(engine):
    return market_on(engine)


class TestSweep:
    def test_ends_what_ran_out(self, run, market):
        # The clock of the test stands in the past, that of the command does not.
        market.add(market.buyer(), market.listing(market.seller()), 2)
        swept = run("reservations", "sweep", "--json")
        assert (swept.exit_code, json.loads(swept.stdout)) == (0, {"swept": 1})
        assert json.loads(run("reservations", "sweep", "--json").stdout) == {"swept": 0}


class TestShowingAnOrder:
    def test_tells_who_moved_it_when_and_why_by_reference_or_id(self, run, market):
        buyer = market.buyer()
        market.add(buyer, market.listing(market.seller()))
        id = market.order(buyer)
        market.pay(id)
        reference = market.order_now(id).reference
        for name in (reference, str(id)):
            shown = json.loads(run("orders", "show", name, "--json").stdout)
            assert [(m["what"], m["from"], m["to"], m["by"], m["reason"]) for m in shown["history"]] == [
                (reference, "pending_payment", "paid", "system", "payment received"),
                (f"{reference}-1", "awaiting_payment", "awaiting_shipment", "system", "payment received"),
            ]
        assert "payment received" in run("orders", "show", reference).stdout

    @pytest.mark.parametrize("name", ["7", "9" * 30, "0000-0000"])
    def test_an_unknown_one_is_refused(self, run, name):
        result = CliRunner().invoke(marketplace, ["orders", "show", name])
        assert result.exit_code == 1


class TestStress:
    @pytest.fixture(autouse=True)
    def _no_database_is_left(self, engine):
        yield
        with engine.connect() as connection:
            left = connection.execute(sa.text("select datname from pg_database where datname like 'stress%'"))
            assert left.scalars().all() == []

    def test_sells_what_there_is_and_no_more(self, run):
        result = run("stress", "stock", "--buyers", "12", "--rounds", "1", "--processes", "1", "--json")
        report = json.loads(result.stdout)
        assert (result.exit_code, report["ok"], report["faults"]) == (0, True, [])
        race, carts = report["tests"]
        assert {key: race[key] for key in ("sold", "oversold", "too_late", "deadlocks", "other_errors")} == {
            "sold": 5,
            "oversold": 0,
            "too_late": 7,
            "deadlocks": 0,
            "other_errors": 0,
        }
        # Every other pair of buyers cancels.
        assert (carts["sold"], carts["oversold"], carts["other_errors"]) == (6 * 4, 0, 0)

    def test_exits_with_1_when_a_piece_is_sold_twice(self, run, monkeypatch):
        count = stock.Crowd._sold
        monkeypatch.setattr(
            stock.Crowd, "_sold", lambda *about: stock.Counter({k: n + 1 for k, n in count(*about).items()})
        )
        result = CliRunner().invoke(
            marketplace, ["stress", "stock", "--buyers", "6", "--rounds", "1", "--processes", "1"]
        )
        assert result.exit_code == 1
        assert "A promise was BROKEN." in result.stdout
