"""Orders in memory."""

import pytest

from tests.contracts.orders import OrderContract
from tests.market import Market


@pytest.fixture
def market() -> Market:
    return Market.in_memory()[0]


class TestInMemoryOrders(OrderContract):
    pass
