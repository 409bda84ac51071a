"""Parcels, wishes and what is due, in memory."""

import pytest

from tests.contracts.fulfilment import FulfilmentStoreContract
from tests.desk import Desk
from tests.till import Till


@pytest.fixture
def desk() -> Desk:
    return Desk(Till.in_memory())


class TestInMemoryFulfilment(FulfilmentStoreContract):
    pass
