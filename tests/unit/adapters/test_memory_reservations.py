"""Claims on stock in memory."""

import pytest

from tests.contracts.reservations import ReservationContract
from tests.market import Market


@pytest.fixture
def market() -> Market:
    return Market.in_memory()[0]


class TestInMemoryReservations(ReservationContract):
    pass
