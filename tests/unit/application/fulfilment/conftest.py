"""A desk with everything in memory."""

import pytest

from tests.desk import Desk
from tests.till import Till


@pytest.fixture
def desk() -> Desk:
    return Desk(Till.in_memory())
