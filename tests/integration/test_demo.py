"""The demo market: everything that a newcomer is promised, made once, finished when it was interrupted."""

from collections import Counter

import pytest
from click.testing import CliRunner

from marketplace.application.ports.listings import ListingFilters
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.identity import Role
from marketplace.domain.sellers import SellerStatus
from marketplace.entrypoints.cli import demo
from marketplace.entrypoints.cli.main import marketplace
from marketplace.entrypoints.container import Container, build_container
from marketplace.entrypoints.settings import Settings

ENVIRONMENT = {"ARGON2_MEMORY_KIB": "8", "ARGON2_TIME_COST": "1"}
PASSWORD = "marketplace-demo"


@pytest.fixture
def database(database_factory) -> str:
    return database_factory()


@pytest.fixture
def environment(database, tmp_path) -> dict[str, str]:
    return {**ENVIRONMENT, "DATABASE_URL": database, "MARKETPLACE_HOME": str(tmp_path)}


@pytest.fixture
def container(environment):
    container = build_container(Settings.from_env(environment))
    yield container
    container.backend.engine().dispose()


def orders_of_the_buyer(container: Container) -> Counter[str]:
    with container.backend.unit_of_work() as uow:
        buyer = uow.accounts.by_name("buyer")
    return Counter(
        str(order.status) for order in container.backend.order_queries().orders(buyer.id, PageRequest()).items
    )


def sales_of_the_buyer(container: Container) -> Counter[str]:
    with container.backend.unit_of_work() as uow:
        buyer = uow.accounts.by_name("buyer")
    orders = container.backend.order_queries().orders(buyer.id, PageRequest()).items
    return Counter(str(sale.status) for order in orders for sale in order.sales)


def everything(container: Container) -> dict[str, object]:
    """Enough of the market to see that nothing has changed."""
    now = container.clock().now()
    listings = container.backend.listing_queries().listings(
        ListingFilters(), PageRequest(size=100, ordering="price"), now=now
    )
    return {
        "orders": orders_of_the_buyer(container),
        "listings": [(listing.id, listing.price, listing.stock, listing.version) for listing in listings.items],
        "count": listings.count,
        "balances": container.backend.ledger_queries().balances(),
    }


class TestLoadDemo:
    def test_makes_the_market_that_newcomers_are_promised(self, container):
        assert demo.load_demo(container)
        for name, role in (
            ("buyer", Role.BUYER),
            ("seller", Role.SELLER),
            ("verifier", Role.VERIFIER),
            ("admin", Role.ADMIN),
        ):
            container.log_in()(name=f"{name}@example.com", password=PASSWORD)
            with container.backend.unit_of_work() as uow:
                account = uow.accounts.by_name(name)
            assert role in account.roles
            assert account.is_email_verified
        with container.backend.unit_of_work() as uow:
            shops = {
                name: uow.sellers.get(uow.accounts.by_name(name).id) for name in ("seller", "nora", "luc", "newcomer")
            }
        assert [shop.is_selling(container.clock().now()) for shop in shops.values()] == [True, True, True, False]
        assert shops["newcomer"].status is SellerStatus.PENDING
        queries, now = container.backend.listing_queries(), container.clock().now()
        for name in ("seller", "nora", "luc"):
            count = queries.listings(ListingFilters(seller_id=shops[name].account_id), PageRequest(), now=now).count
            assert 120 <= count <= 180
        assert orders_of_the_buyer(container) == {
            "pending_payment": 1,
            "paid": 4,
            "cancelled": 1,
            "partially_refunded": 1,
            "completed": 1,
            "refunded": 1,
        }
        assert sales_of_the_buyer(container) == {
            "awaiting_payment": 2,
            "awaiting_shipment": 8,
            "refunded": 1,
            "shipped": 1,
            "delivered": 1,
            "completed": 1,
            "cancelled": 1,
        }
        assert container.verify_ledger()().ok

    def test_loading_it_again_changes_nothing(self, container):
        demo.load_demo(container)
        before = everything(container)
        assert not demo.load_demo(container)
        assert everything(container) == before

    def test_finishes_what_was_interrupted(self, container, monkeypatch):
        interrupted = False

        def pull_the_plug(*_: object) -> None:
            nonlocal interrupted
            interrupted = True
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(demo._Market, "_cancelled", pull_the_plug)
            with pytest.raises(KeyboardInterrupt):
                demo.load_demo(container)
        assert interrupted
        assert demo.is_unfinished(container)
        assert demo.load_demo(container)
        assert not demo.is_unfinished(container)
        assert sum(orders_of_the_buyer(container).values()) == 9
        assert container.verify_ledger()().ok

    def test_an_empty_market_is_not_an_unfinished_one(self, container):
        assert not demo.is_unfinished(container)

    def test_is_refused_outside_development(self, environment):
        settings = Settings.from_env(
            {
                **environment,
                "MARKETPLACE_ENV": "staging",
                "SECRET_KEY": "x" * 40,
                "EMAIL_HOST": "mail.example.com",
            }
        )
        with pytest.raises(demo.DemoRefused, match="development only"):
            demo.load_demo(build_container(settings))


class TestCommands:
    @pytest.fixture
    def run(self, environment, monkeypatch):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return lambda *arguments: CliRunner().invoke(marketplace, list(arguments))

    def test_load_says_who_is_there_and_then_that_nothing_was_changed(self, run):
        first = run("demo", "load")
        assert first.exit_code == 0, first.output
        assert "buyer@example.com" in first.output
        assert PASSWORD in first.output
        assert "nothing was changed" in run("demo", "load").output
