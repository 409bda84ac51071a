"""`marketplace ledger`: what an operator sees, and the exit status that a nightly job acts on."""

import json
from functools import partial

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.entrypoints.cli.main import marketplace
from marketplace.entrypoints.container import build_container
from marketplace.entrypoints.settings import Settings
from tests.contracts.ledger import a_capture, a_fee, post
from tests.integration.test_postgres_ledger_audit import unguarded
from tests.purchases import ORDER, store_market, store_paid_order


@pytest.fixture
def environment(clean_database, tmp_path, monkeypatch):
    environment = {"DATABASE_URL": clean_database, "MARKETPLACE_HOME": str(tmp_path)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


@pytest.fixture
def run(environment):
    return lambda *arguments: CliRunner().invoke(marketplace, ["ledger", *arguments])


@pytest.fixture
def wrong_books(environment):
    """A payment for an order that does not exist, of which the provider knows nothing."""
    container = build_container(Settings.from_env(environment))
    post(container.backend.unit_of_work, a_capture(1, order_id=7, seller_id=42), a_fee(1, order_id=7))
    container.backend.engine().dispose()


class TestVerify:
    def test_ends_with_0_when_the_books_are_right(self, run):
        result = run("verify")
        assert result.exit_code == 0, result.output
        assert "ok       journals_balance: every journal is whole and adds up to zero" in result.output
        assert result.output.endswith("The books are right.\n")

    def test_ends_with_1_and_names_what_is_wrong(self, run, wrong_books):
        result = run("verify")
        assert result.exit_code == 1
        assert "FAILED   journals_name_their_order" in result.output
        assert "journal charge:ch_1: names order 7, which does not exist" in result.output
        assert "FAILED   provider_agrees" in result.output
        assert result.output.endswith("The books are NOT right.\n")

    def test_prints_json_for_machines(self, run, wrong_books):
        result = run("verify", "--json")
        assert result.exit_code == 1
        report = json.loads(result.output)
        assert report["ok"] is False
        (check,) = [check for check in report["checks"] if check["name"] == "journals_name_their_order"]
        assert check["ok"] is False
        assert check["count"] == 2
        assert check["findings"][0]["subject"] == "journal charge:ch_1"

    def test_lists_the_first_findings_and_says_how_many_there_are(self, run, environment):
        container = build_container(Settings.from_env(environment))
        post(container.backend.unit_of_work, *(a_fee(number, order_id=7) for number in range(103)))
        container.backend.engine().dispose()
        assert "... and 3 more" in run("verify").output


class TestBalances:
    def test_prints_what_stands_on_each_account(self, run, wrong_books):
        rows = json.loads(run("balances", "--json").output)
        assert {"account": "assets:stripe_balance", "balance": "118.93", "currency": "EUR"} in rows
        assert len(rows) == 7

    def test_prints_those_of_one_seller(self, run, wrong_books):
        rows = json.loads(run("balances", "--seller", "42", "--json").output)
        assert rows == [{"account": "liabilities:seller:42:pending", "balance": "-95.00", "currency": "EUR"}]

    def test_prints_a_table_for_people(self, run, wrong_books):
        assert "liabilities:shipping           -10.00   EUR" in run("balances").output


def test_the_database_is_left_as_it_was(run, wrong_books, environment):
    run("verify")
    engine = sa.create_engine(environment["DATABASE_URL"])
    with engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from journals")).scalar_one() == 2
    engine.dispose()


class TestReconcile:
    def test_leaves_what_differs_to_the_operator_who_closes_it(self, run, wrong_books):
        result = run("reconcile")
        assert result.exit_code == 1, result.output
        assert "open differences: 2" in result.output
        assert "(payment_captured charge:ch_1) moves 121.00 EUR" in result.output
        first, second = json.loads(run("differences", "--json").output)
        for difference in (first, second):
            closed = run("explain-difference", str(difference["id"]), "--note", "books of a test", "--json")
            assert json.loads(closed.output)["resolution"] == "explained"
        assert run("differences").output.endswith("(none)\n")
        assert "books of a test" in run("differences", "--all", "--json").output
        result = run("reconcile", "--since", "2026-01-01T00:00:00Z", "--json")
        assert (result.exit_code, json.loads(result.output)["open_differences"]) == (0, 0)
        again = run("explain-difference", str(first["id"]), "--note", "x", "--to-suspense")
        assert again.exit_code == 1
        assert "only a movement without journal" in str(again.output) + str(again.exception)

    def test_tells_how_an_order_came_about(self, run, environment):
        engine = unguarded(environment["DATABASE_URL"])
        store_market(partial(PostgresUnitOfWork, engine))
        store_paid_order(partial(PostgresUnitOfWork, engine))
        engine.dispose()
        assert "121.12 EUR were captured" in run("explain", str(ORDER)).output
        assert json.loads(run("explain", str(ORDER), "--json").output)["captured"] == "121.12"


class TestBook:
    def test_books_what_no_event_tells_of_and_writes_down_who_did(self, run, wrong_books, environment):
        booked = run("book", "carrier-paid", "6.00", "--reference", "bill 7", "--json")
        assert json.loads(booked.output) == {"booked": "carrier_paid", "amount": "6.00", "currency": "EUR"}
        assert run("book", "carrier-paid", "6.00", "--reference", "bill 7").exit_code == 1
        assert run("book", "topup", "50.00", "--movement", "txn_9").exit_code == 0
        rows = json.loads(run("balances", "--json").output)
        assert {"account": "assets:bank", "balance": "-56.00", "currency": "EUR"} in rows
        engine = sa.create_engine(environment["DATABASE_URL"])
        with engine.connect() as connection:
            acts = connection.execute(sa.text("select action from audit_entries order by id")).scalars().all()
        engine.dispose()
        assert acts == ["ledger.carrier_paid", "ledger.topup_booked"]
