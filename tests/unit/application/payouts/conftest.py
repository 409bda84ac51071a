"""A till in memory, and who pays sellers out of it."""

from __future__ import annotations

import pytest

from tests.cashier import Cashier
from tests.till import Till


@pytest.fixture
def till() -> Till:
    return Till.in_memory()


@pytest.fixture
def cashier(till: Till) -> Cashier:
    return Cashier(till)


@pytest.fixture
def clock(till: Till):
    return till.market.clock
