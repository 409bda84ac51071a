"""Sellers and listings in PostgreSQL, and what happens when many people want the same thing."""

import functools

import pytest
import sqlalchemy as sa

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.postgres.listing_queries import PostgresListingQueries
from marketplace.adapters.postgres.outbox import PostgresOutbox
from marketplace.adapters.postgres.sellers import PostgresSellerQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.listings.update_listing import UpdateListing
from marketplace.application.ports.listings import ListingFilters
from marketplace.application.ports.pages import PageRequest
from marketplace.application.sellers.applying import ApplyToSell
from marketplace.domain.listings import ListingStatus, StockClaimed
from marketplace.domain.reservations import Refused
from marketplace.domain.sellers import ShopNameTaken
from tests.builders import NOW, an_actor, euros, store_account, store_listing, store_seller
from tests.claiming import claims_of
from tests.contracts.listing_queries import ListingQueriesContract
from tests.contracts.listings import POLICY, ListingRepositoryContract, get
from tests.contracts.outbox import MINUTE, run_together
from tests.contracts.payment_customers import PaymentCustomerContract
from tests.contracts.payout_accounts import PayoutAccountContract
from tests.contracts.sellers import SellerContract


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database, pool_size=10, max_overflow=10, pool_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return functools.partial(PostgresUnitOfWork, engine)


class TestPostgresSellers(SellerContract):
    @pytest.fixture
    def queries(self, engine):
        return PostgresSellerQueries(engine)

    @pytest.fixture
    def events(self, engine):
        outbox = PostgresOutbox(engine)
        return lambda: [delivery.event for delivery in outbox.lease(now=NOW, lease_for=MINUTE, limit=100)]


class TestPostgresPayoutAccounts(PayoutAccountContract):
    pass


class TestPostgresPaymentCustomers(PaymentCustomerContract):
    pass


class TestPostgresListings(ListingRepositoryContract):
    pass


class TestPostgresListingQueries(ListingQueriesContract):
    @pytest.fixture
    def queries(self, engine):
        return PostgresListingQueries(engine)


def outcomes_of(jobs):
    """What each of the jobs gave, run at once."""
    outcomes = []
    run_together([lambda job=job: outcomes.append(job()) for job in jobs])
    return outcomes


class TestRaces:
    def test_stock_is_never_lowered_from_under_a_claim(self, unit_of_work):
        """A seller lowers the stock as far as it goes while buyers put pieces into their carts."""
        listing = store_listing(unit_of_work, stock=30)
        update = UpdateListing(unit_of_work=unit_of_work, clock=FixedClock(), currency="EUR")
        owner = an_actor(listing.seller_id)
        buyers = [store_account(unit_of_work) for _ in range(12)]

        def lower():
            for stock in range(29, -1, -1):
                try:
                    update(actor=owner, listing_id=listing.id, stock=stock)
                except StockClaimed:
                    return "refused"
            return "sold out"

        def buy(buyer):
            made = claims_of(unit_of_work).claim(
                id=30_000_000 + buyer, buyer_id=buyer, listing_id=listing.id, quantity=2, now=NOW, policy=POLICY
            )
            return "full" if isinstance(made, Refused) else "claimed"

        outcomes = outcomes_of([lower, *(functools.partial(buy, buyer) for buyer in buyers)])
        kept = get(unit_of_work, listing.id)
        assert kept.claimed == 2 * outcomes.count("claimed") <= kept.stock
        assert ("refused" in outcomes) == (kept.claimed > 0)

    def test_editors_of_different_things_wait_for_each_other(self, unit_of_work):
        listing = store_listing(unit_of_work)
        update = UpdateListing(unit_of_work=unit_of_work, clock=FixedClock(), currency="EUR")
        owner = an_actor(listing.seller_id)
        changes = [{"price": "1.00"}, {"stock": 9}, {"description": "Played"}, {"active": False}]
        run_together([functools.partial(update, actor=owner, listing_id=listing.id, **each) for each in changes])
        kept = get(unit_of_work, listing.id)
        assert (kept.price, kept.stock, kept.description, kept.status) == (
            euros(100),
            9,
            "Played",
            ListingStatus.INACTIVE,
        )
        assert kept.version == 5

    def test_one_shop_gets_a_name_that_many_want(self, unit_of_work):
        accounts = [store_account(unit_of_work) for _ in range(6)]
        apply = ApplyToSell(unit_of_work=unit_of_work, clock=FixedClock())

        def ask(account):
            try:
                apply(actor=an_actor(account), shop_name="Card Cave")
            except ShopNameTaken:
                return "taken"
            return "got it"

        outcomes = outcomes_of([functools.partial(ask, account) for account in accounts])
        assert sorted(outcomes) == ["got it"] + ["taken"] * 5


class TestConstraints:
    """What the database refuses even when the domain was not asked."""

    @pytest.mark.parametrize(
        ("change", "constraint"),
        [
            ("price = 0", "price_above_zero"),
            ("stock = -1, claimed = -2", "claims_within_stock|stock_not_negative"),
            ("claimed = 4", "claims_within_stock"),
            ("claimed = -1", "claims_within_stock"),
            ("stock = 0", "sold_out_is_the_stocks_fact"),
            ("status = 'sold_out'", "sold_out_is_the_stocks_fact"),
            ("status = 'gone'", "known_listing_status"),
            ("source = 'hand'", "known_listing_source"),
        ],
    )
    def test_guard_a_listing(self, engine, unit_of_work, change, constraint):
        store_listing(unit_of_work)
        with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match=constraint):
            connection.execute(sa.text(f"update listings set {change}"))

    @pytest.mark.parametrize(
        ("change", "constraint"),
        [
            ("status = 'gone'", "known_seller_status"),
            ("status = 'pending'", "only_approved_sellers_sell"),
            ("holiday_from = now()", "holiday_has_a_length"),
            ("holiday_from = now(), holiday_until = now()", "holiday_has_a_length"),
        ],
    )
    def test_guard_a_seller(self, engine, unit_of_work, change, constraint):
        store_seller(unit_of_work)
        with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match=constraint):
            connection.execute(sa.text(f"update seller_profiles set {change}"))


class TestReading:
    def test_takes_one_statement_a_listing_and_two_a_list(self, engine, unit_of_work):
        seller = store_seller(unit_of_work)
        listings = [store_listing(unit_of_work, seller) for _ in range(5)]
        statements = []
        sa.event.listen(engine, "after_cursor_execute", lambda *args: statements.append(args[2]))
        queries = PostgresListingQueries(engine)
        queries.listing(listings[0].id, now=NOW)
        assert len(statements) == 1
        for filters in (ListingFilters(), ListingFilters(language="en", in_stock=True, grade="PSA 10", product="x")):
            statements.clear()
            queries.listings(filters, PageRequest(), now=NOW)
            assert len(statements) == 2, "the page, and its count"
