"""`marketplace documents` and `marketplace sellers statement`: what whoever keeps the accounts is given."""

import csv
import io
import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from marketplace.domain.shared.errors import MarketplaceError
from marketplace.domain.statements import Month
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
def invoke(clean_database, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", clean_database)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))
    return lambda *arguments: CliRunner().invoke(marketplace, [*map(str, arguments)])


@pytest.fixture
def run(invoke):
    def run(*arguments, status=0):
        result = invoke(*arguments)
        assert result.exit_code == status, (result.output, result.exception)
        return json.loads(result.stdout) if "--json" in arguments else result.stdout

    return run


def refused(result):
    """The code that the command line prints for it."""
    assert isinstance(result.exception, MarketplaceError), (result.output, result.exception)
    return result.exception.code


def test_documents_are_issued_found_and_given_away(cashier, run, tmp_path):
    seller = cashier.seller()
    order_id = cashier.due(seller)
    cashier.refund(order_id)
    assert run("documents", "list") == (
        "number  kind  account  order  total  vat  currency  issued_at  refers_to\n(none)\n"
    )
    issued = run("documents", "issue", order_id, "--json")
    assert [row["number"][:3] for row in issued] == ["INV", "CRN", "FEE", "FCR"]
    invoice, note, fees, fees_back = (row["number"] for row in issued)
    assert run("documents", "issue", order_id, "--json") == issued

    def listed(*asked):
        return [row["number"] for row in run("documents", "list", *asked, "--json")]

    assert sorted(listed("--order", order_id)) == sorted([invoice, note, fees, fees_back])
    assert sorted(listed("--account", seller.account_id)) == sorted([fees, fees_back])
    assert listed("--kind", "credit_note", "--limit", 1) == [note]
    assert listed("--from", "2000-01-01", "--to", "2001-01-01") == listed("--order", 1) == []

    whole = run("documents", "show", invoice.lower(), "--json")
    assert (whole["total"], whole["fees"], whole["vat"], whole["vat_percent"]) == ("121.00", "11.00", "1.83", "0.20")
    assert [(line["kind"], line["amount"]) for line in whole["lines"]] == [
        ("item", "100.00"),
        ("commission", "5.00"),
        ("processing", "6.00"),
        ("shipping", "10.00"),
    ]
    page = run("documents", "show", note)
    assert f"refers_to: {invoice}\n" in page
    assert page.split("\nkind  ")[1].split()[:4] == ["of", "text", "quantity", "amount"]
    assert page.splitlines()[-1].split()[0] in {"item", "commission", "processing", "shipping"}

    folder = tmp_path / "of" / "the year"
    assert run("documents", "export", folder, "--json") == {"documents": 4, "folder": str(folder)}
    assert sorted(file.stem for file in folder.iterdir()) == sorted([invoice, note, fees, fees_back])
    first = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert all(content.startswith(b"%PDF-") for content in first.values())
    run("documents", "export", folder)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == first
    assert run("documents", "export", tmp_path / "none", "--to", "2001-01-01", "--json")["documents"] == 0


def test_verify_ends_with_1_when_a_number_is_missing(cashier, run, clean_database):
    first, _ = (run("documents", "issue", cashier.paid(cashier.seller()), "--json")[0]["number"] for _ in range(2))
    assert run("documents", "verify") == "number\n(none)\n"
    engine = sa.create_engine(clean_database)
    with engine.begin() as connection:
        connection.exec_driver_sql("set local session_replication_role = replica")
        connection.execute(sa.text("delete from documents where number = :number"), {"number": first})
    engine.dispose()
    assert run("documents", "verify", "--json", status=1) == [{"number": first}]


def test_nothing_is_issued_of_an_order_that_is_not_paid(cashier, run):
    order_id = cashier.till.ordered(cashier.market.buyer(), cashier.market.listing(cashier.seller(), price=1_000))
    assert run("documents", "issue", order_id, "--json") == []


def test_what_there_is_not_and_what_is_no_question_is_refused(invoke, tmp_path):
    assert refused(invoke("documents", "show", "INV-2026-999999")) == "not_found"
    assert refused(invoke("documents", "issue", 987654321)) == "not_found"
    file = tmp_path / "a file"
    file.write_text("")
    for wrong in (
        ("issue", "x"),
        ("issue", 2**63),
        ("list", "--order", 2**63),
        ("list", "--account", 0),
        ("list", "--kind", "bill"),
        ("list", "--from", "2026-13-01"),
        ("list", "--limit", 0),
        ("export", file),
    ):
        assert invoke("documents", *wrong).exit_code == 2, wrong
    beneath = invoke("documents", "export", file / "folder")
    assert beneath.exit_code == 1
    assert "Could not open file" in beneath.output


class TestStatement:
    def test_is_given_as_each_format(self, cashier, run, tmp_path):
        seller = cashier.seller()
        cashier.refund(cashier.paid(seller, price=10_000), "25.00")
        month = Month.of(cashier.market.clock.now())
        asked = ("sellers", "statement", name_of(cashier, seller), month)
        found = json.loads(run(*asked, "--format", "json"))
        assert (found["month"], found["opening_balance"], found["closing_balance"]) == (str(month), "0.00", "71.25")
        rows = list(csv.DictReader(io.StringIO(run(*asked))))
        assert [(row["entry"], row["amount"], row["balance"]) for row in rows] == [
            ("opening_balance", "", "0.00"),
            ("sale", "100.00", "100.00"),
            ("commission", "-5.00", "95.00"),
            ("refund", "-25.00", "70.00"),
            ("commission_back", "1.25", "71.25"),
            ("closing_balance", "", "71.25"),
        ]
        file = tmp_path / "month.pdf"
        assert run(*asked, "--format", "pdf", "--output", file) == ""
        assert file.read_bytes().startswith(b"%PDF-")

    def test_of_nobody_no_month_and_nowhere_is_refused(self, cashier, invoke, tmp_path):
        name = name_of(cashier, cashier.seller())
        assert refused(invoke("sellers", "statement", "nobody-at-all", "2026-11")) == "not_found"
        assert refused(invoke("sellers", "statement", name, "2026-13")) == "validation_error"
        assert invoke("sellers", "statement", name, "2026-11", "--format", "xls").exit_code == 2
        nowhere = invoke("sellers", "statement", name, "2026-11", "--output", tmp_path / "no folder" / "x.csv")
        assert nowhere.exit_code == 1
        assert "Could not open file" in nowhere.output


def name_of(cashier, seller):
    with cashier.market.unit_of_work() as uow:
        return uow.accounts.get(seller.account_id).username
