"""A till in memory, a buyer, and two cards of two sellers: one in a single copy, three of the other."""

from __future__ import annotations

import pytest

from marketplace.application.access import Actor
from marketplace.domain.shared.ids import ListingId
from tests.market import Market
from tests.till import Till


@pytest.fixture
def till() -> Till:
    return Till.in_memory()


@pytest.fixture
def market(till: Till) -> Market:
    return till.market


@pytest.fixture
def buyer(market: Market) -> Actor:
    return market.buyer()


@pytest.fixture
def card(market: Market) -> ListingId:
    return market.listing(market.seller(), price=5005, stock=1)


@pytest.fixture
def other_card(market: Market) -> ListingId:
    return market.listing(market.seller(), price=5005, stock=3)
