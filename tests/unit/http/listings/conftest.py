"""A seller, a listing, and those who knock."""

from __future__ import annotations

import pytest

from marketplace.domain.identity import Role
from marketplace.entrypoints.container import Container
from tests.builders import an_actor, store_account, store_listing, store_seller

ADMIN = 1


@pytest.fixture
def container(container) -> Container:
    container.actor_lookup.override(
        lambda account, session: an_actor(account, *([Role.ADMIN] if account == ADMIN else []))
    )
    return container


@pytest.fixture
def unit_of_work(container):
    return container.backend.unit_of_work


@pytest.fixture
def seller(unit_of_work):
    return store_seller(unit_of_work, shop_name="Card Cave")


@pytest.fixture
def as_seller(bearer, seller):
    return bearer(seller, 1)


@pytest.fixture
def as_admin(bearer):
    return bearer(ADMIN, 1)


@pytest.fixture
def as_stranger(bearer, unit_of_work):
    return bearer(store_account(unit_of_work), 1)


@pytest.fixture
def listing(unit_of_work, seller):
    return store_listing(unit_of_work, seller)
