"""Sellers and listings of the in-memory backend."""

import functools

import pytest

from marketplace.adapters.memory.listing_queries import InMemoryListingQueries
from marketplace.adapters.memory.sellers import InMemorySellerQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from tests.contracts.listing_queries import ListingQueriesContract
from tests.contracts.listings import ListingRepositoryContract
from tests.contracts.payment_customers import PaymentCustomerContract
from tests.contracts.payout_accounts import PayoutAccountContract
from tests.contracts.sellers import SellerContract


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return functools.partial(InMemoryUnitOfWork, store)


class TestInMemorySellers(SellerContract):
    @pytest.fixture
    def queries(self, store):
        return InMemorySellerQueries(store)

    @pytest.fixture
    def events(self, store):
        return lambda: store.events


class TestInMemoryPayoutAccounts(PayoutAccountContract):
    pass


class TestInMemoryPaymentCustomers(PaymentCustomerContract):
    pass


class TestInMemoryListings(ListingRepositoryContract):
    pass


class TestInMemoryListingQueries(ListingQueriesContract):
    @pytest.fixture
    def queries(self, store):
        return InMemoryListingQueries(store)
