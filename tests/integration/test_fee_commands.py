"""`marketplace fees`: what an operator does when prices change."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from marketplace.adapters.postgres.engine import create_engine
from marketplace.domain.shared.errors import Invalid, NotFound
from marketplace.entrypoints.cli.main import marketplace
from tests.contracts.fees import GENERAL, categorised
from tests.integration.on_postgres import market_on


@pytest.fixture
def run(clean_database, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", clean_database)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))

    def run(*arguments: str, expect: int = 0):
        result = CliRunner().invoke(marketplace, ["fees", *arguments], standalone_mode=False)
        if expect:
            return result.exception
        assert result.exception is None, result.output
        return json.loads(result.output) if "--json" in arguments else result.output

    return run


@pytest.fixture
def file(tmp_path):
    def written(content: object) -> str:
        path = tmp_path / "fees.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return written


@pytest.fixture
def category(clean_database):
    engine = create_engine(clean_database, pool_size=2, connect_timeout=30, statement_timeout=60)
    market = market_on(engine)
    _, [category] = categorised(market, market.seller(), 1)
    yield category
    engine.dispose()


def test_a_version_is_tried_added_and_shown(run, file, category):
    assert run("list") == "id  effective_from  in_force  rules  note\n(none)\n"
    assert "none: the standard fees, of the settings" in run("show")
    rules = [*GENERAL, {"component": "seller_fees", "fixed": "0.30", "account_type": "professional"}]
    added = run("add", file({"rules": rules, "note": "Labels", "currency": "EUR"}), "--json")
    planned = run("add", file({"rules": GENERAL, "effective_from": "2027-06-01T00:00:00Z"}), "--json")
    assert run("show", "--json") == added == run("show", str(added["id"]), "--json")
    assert added["rules"][3]["fixed"] == "0.30"
    rows = run("list", "--json")
    assert [(row["id"], row["in_force"]) for row in rows] == [(planned["id"], ""), (added["id"], "yes")]
    shown = run("show", str(added["id"]))
    assert "seller_fees  seller  0        0.30" in shown

    preview = run(
        "preview", "--price", "10.00", "--account-type", "professional", "--category", str(category), "--json"
    )
    assert (preview["schedule"], preview["seller_net_amount"], preview["buyer_total_price"]) == (
        added["id"],
        "9.20",
        "25.50",
    )
    told = run("preview", "--price", "10.00", "--quantity", "2", "--category", f"c-{category}")
    assert "buyer_total_price: 36.00\n" in told
    assert "  commission, paid by both: 5% of 20.00 EUR is 1.00 EUR\n" in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no JSON"),
        ([], "has to hold an object"),
        ({"rules": GENERAL, "colour": "red"}, "and nothing else"),
        ({"rules": GENERAL, "effective_from": "soon"}, "'soon' is no instant"),
        ({"rules": GENERAL, "effective_from": "2027-06-01"}, "needs its time zone"),
        ({"rules": GENERAL[1:]}, "no general rule for commission"),
        ({}, "A schedule is a list of rules"),
    ],
)
def test_what_is_no_schedule_changes_nothing(run, file, content, told):
    refused = run("add", file(content), expect=1)
    assert isinstance(refused, Invalid)
    assert told in str(refused)
    assert "(none)" in run("list")


def test_what_there_is_not_is_refused(run):
    assert isinstance(run("show", "987654321", expect=1), NotFound)
    assert isinstance(run("preview", "--price", "1.00", "--seller", "987654321", expect=1), Invalid)
