"""Becoming a seller in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.becoming_a_seller import BecomingASellerContract
from tests.integration.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(None, tmp_path)


class TestBecomingASellerInMemory(BecomingASellerContract):
    pass
