"""A world for each scenario, on premises that all scenarios of a test process share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.scenarios.premises import Premises
from tests.integration.scenarios.world import World
from tests.stripe_stub import StripeStub


@pytest.fixture(scope="package")
def premises(
    database_url: str, stripe_stub: StripeStub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Premises]:
    premises = Premises(database_url, tmp_path_factory.mktemp("scenarios"), stripe_stub)
    yield premises
    premises.close()


@pytest.fixture
def world(premises: Premises, clean_database: str) -> World:
    return World(premises)
