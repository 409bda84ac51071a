"""`marketplace sellers` and `marketplace listings`, on a real database."""

import functools
import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.postgres.catalogue.imports import PostgresCatalogueImport
from marketplace.adapters.postgres.ids import PostgresIdSequence
from marketplace.adapters.postgres.listing_queries import PostgresListingQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.listings.stock_file import MAX_BYTES, WrongStockFile
from marketplace.application.sellers.applying import ApplyToSell
from marketplace.domain.shared.errors import IllegalTransition, MarketplaceError, NotFound
from marketplace.entrypoints.cli.main import marketplace
from tests.builders import NOW, an_actor, store_account, store_listing, store_seller
from tests.contracts.listing_import import import_excerpt
from tests.stock_files import changed, stock_excerpt, stock_file


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database)
    yield engine
    with engine.begin() as connection:
        connection.exec_driver_sql("delete from listings; delete from variants; delete from versions where id > 100")
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return functools.partial(PostgresUnitOfWork, engine)


@pytest.fixture
def run(clean_database, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", clean_database)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))

    def command(*arguments):
        result = CliRunner().invoke(marketplace, arguments)
        if isinstance(result.exception, MarketplaceError):
            raise result.exception
        return result

    return command


class TestSellers:
    @pytest.fixture
    def misty(self, unit_of_work):
        account = store_account(unit_of_work, "misty")
        ApplyToSell(unit_of_work=unit_of_work, clock=FixedClock())(actor=an_actor(account), shop_name="Cerulean Cards")
        return account

    def test_vouches_for_anybody(self, run, unit_of_work):
        account = store_account(unit_of_work, "misty")
        made = json.loads(run("sellers", "vouch", "misty", "--shop-name", "Cerulean Cards", "--json").stdout)
        assert made == {
            "id": account,
            "shop_name": "Cerulean Cards",
            "status": "approved",
            "is_selling": True,
            "missing": [],
        }

    def test_decides_step_by_step_as_over_rest(self, run, misty):
        (waiting,) = json.loads(run("sellers", "pending", "--json").stdout)
        assert (waiting["id"], waiting["missing"]) == (misty, ["approval", "identity", "onboarding"])
        assert "Cerulean Cards" in run("sellers", "pending").stdout
        approved = json.loads(run("sellers", "approve", "misty", "--json").stdout)
        assert (approved["status"], approved["missing"]) == ("approved", ["identity", "onboarding"])
        assert json.loads(run("sellers", "pending", "--json").stdout) == []
        assert json.loads(run("sellers", "verify-kyc", "misty", "--json").stdout)["missing"] == ["onboarding"]
        taken = run("sellers", "verify-kyc", "misty", "--withdraw", "--reason", "Forged", "--json")
        assert json.loads(taken.stdout)["missing"] == ["identity", "onboarding"]
        assert "status: suspended" in run("sellers", "suspend", "MISTY@example.com", "--reason", "Late").stdout
        assert "status: approved" in run("sellers", "reinstate", "misty").stdout

    def test_turns_down(self, run, misty):
        assert run("sellers", "reject", "misty").exit_code == 2
        assert "status: rejected" in run("sellers", "reject", "misty", "--reason", "No shop").stdout

    def test_refuses_what_cannot_be(self, run, misty):
        with pytest.raises(NotFound):
            run("sellers", "approve", "nobody")
        run("sellers", "approve", "misty")
        run("sellers", "suspend", "misty", "--reason", "Late")
        with pytest.raises(IllegalTransition):
            run("sellers", "suspend", "misty", "--reason", "Late")
        assert run("sellers", "suspend", "misty").exit_code != 0


class TestListings:
    @pytest.fixture
    def shop(self, engine, unit_of_work):
        import_excerpt(PostgresCatalogueImport(engine, PostgresIdSequence(engine)))
        return store_seller(unit_of_work, "misty", shop_name="Cerulean Cards")

    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "stock.csv"
        path.write_bytes(stock_excerpt())
        return path

    @pytest.mark.parametrize("name", ["cerulean cards", "misty", "misty@example.com"])
    def test_imports_the_stock_of_a_shop(self, run, shop, file, name):
        result = run("listings", "import", str(file), "--seller", name)
        assert result.stdout.splitlines() == ["created: 77", "updated: 0", "unchanged: 0", "refused: 0"]

    def test_reports_every_row(self, run, shop, file):
        file.write_bytes(changed(stock_excerpt(), 3, Quantity="many"))
        report = json.loads(run("listings", "import", str(file), "--seller", "misty", "--json").stdout)
        assert report["counts"] == {"created": 76, "updated": 0, "unchanged": 0, "refused": 1}
        assert [row["row"] for row in report["rows"]] == list(range(1, 78))
        refused = report["rows"][2]
        assert (refused["outcome"], refused["listing"]) == ("refused", None)
        assert "many" in refused["reason"]
        assert report["rows"][0]["reason"] is None

    def test_tells_people_what_was_refused(self, run, shop, file):
        file.write_bytes(stock_file("pokemon,Charizard,BS,4000,en,NM,holo,N,,1,1.00,"))
        result = run("listings", "import", str(file), "--seller", "misty")
        assert result.exit_code == 0
        assert "row 1: There is no pokemon card '4000'" in result.stderr

    def test_takes_back_what_it_wrote(self, run, shop, file, tmp_path):
        run("listings", "import", str(file), "--seller", "misty")
        printed = run("listings", "export", "--seller", "misty").stdout_bytes
        copy = tmp_path / "copy.csv"
        run("listings", "export", "--seller", "misty", "--output", str(copy))
        assert copy.read_bytes() == printed
        again = json.loads(run("listings", "import", str(copy), "--seller", "misty", "--json").stdout)
        assert again["counts"]["unchanged"] == 77

    def test_says_what_it_left_out(self, run, shop, file, engine, unit_of_work):
        file.write_bytes(stock_file("pokemon,Charizard,BS,4,en,NM,holo,N,,1,1.00,"))
        imported = json.loads(run("listings", "import", str(file), "--seller", "misty", "--json").stdout)
        view = PostgresListingQueries(engine).listing(imported["rows"][0]["listing"], now=NOW)
        store_listing(unit_of_work, shop, (view.product.id, view.variant.id))
        result = run("listings", "export", "--seller", "misty")
        assert len(result.stdout.splitlines()) == 2
        assert "1 listings made by hand were left out" in result.stderr
        everything = run("listings", "export", "--seller", "misty", "--all")
        assert (len(everything.stdout.splitlines()), everything.stderr) == (3, "")

    def test_refuses_a_wrong_file_as_a_whole(self, run, shop, file):
        for data in (b"nothing", stock_excerpt() + b" " * MAX_BYTES):
            file.write_bytes(data)
            with pytest.raises(WrongStockFile):
                run("listings", "import", str(file), "--seller", "misty")

    def test_refuses_a_shop_that_does_not_exist(self, run, shop, file):
        with pytest.raises(NotFound):
            run("listings", "import", str(file), "--seller", "brock")
        assert run("listings", "import", "no such file", "--seller", "misty").exit_code == 2
