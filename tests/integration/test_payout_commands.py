"""`marketplace payouts`: what an operator sees and does."""

import json

import pytest
from click.testing import CliRunner

from marketplace.entrypoints.cli.main import marketplace
from tests.cashier import Cashier
from tests.integration.sabotage import connect
from tests.integration.till_on_postgres import till_on


@pytest.fixture
def cashier(clean_database):
    engine = connect(clean_database)
    yield Cashier(till_on(engine))
    engine.dispose()


@pytest.fixture
def run(clean_database, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", clean_database)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))

    def run(*arguments, status=0):
        result = CliRunner().invoke(marketplace, ["payouts", *map(str, arguments)])
        assert result.exit_code == status, result.output
        return json.loads(result.output) if "--json" in arguments else result.output

    return run


def test_an_operator_holds_releases_and_sends_what_is_due(cashier, run):
    seller = cashier.seller()
    order_id = cashier.due(seller)
    id = cashier.payout(order_id).id
    (row,) = run("due", "--seller", seller.account_id, "--json")
    assert (row["id"], row["status"], row["amount"]) == (id, "due", "95.00")
    assert run("hold", id, "--reason", "odd", "--json")["hold_reason"] == "operator"
    assert (
        run("due") == "id  sale  seller  status  amount  reversed  netted  currency  next_try_at  last_error\n(none)\n"
    )
    assert [each["id"] for each in run("list", "--status", "on_hold", "--seller", seller.account_id, "--json")] == [id]
    assert run("list", "--status", "due", "--limit", "1", "--json") == []
    assert run("release", id, "--reason", "fine", "--json")["status"] == "due"
    assert run("retry", id, "--json")["status"] == "due"
    assert run("send", "--json")["payouts"] == 1
    assert "status: paid" in run("show", id)
    assert f"{id}  " in run("list")
    run("hold", id, "--reason", "late", status=1)


def test_an_operator_sees_and_writes_off_debts(cashier, run):
    seller = cashier.seller()
    order_id = cashier.sent(seller)
    cashier.refund(order_id, "40.00")
    with cashier.market.unit_of_work() as uow:
        (debt,) = uow.recoveries.of_payout_for_update(cashier.payout(order_id).id)
        debt.refuse("nothing there", now=cashier.market.clock.now())
        uow.recoveries.save(debt)
        uow.commit()
    (row,) = run("recoveries", "--json")
    assert (row["id"], row["status"], row["left"]) == (debt.id, "refused", "38.00")
    assert [each["id"] for each in run("write-off", "--json")] == [debt.id]
    assert str(debt.id) in run("show", cashier.payout(order_id).id)
    done = run("write-off", debt.id, "--reason", "gone for good", "--json")
    assert done == {"recovery": debt.id, "written_off": "38.00", "currency": "EUR"}
    assert run("recoveries", "--json") == []
    assert [each["status"] for each in run("recoveries", "--all", "--json")] == ["settled"]
    assert run("show", cashier.payout(order_id).id, "--json")["recoveries"][0]["written_off"] == "38.00"
