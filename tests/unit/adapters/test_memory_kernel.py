"""The in-memory pages and identities."""

from __future__ import annotations

import pytest

from marketplace.adapters.memory.pages import paged as memory_paged
from marketplace.adapters.memory.store import InMemoryIdSequence
from tests.contracts.pages import ROWS, Paged, PagesContract


class TestInMemoryPages(PagesContract):
    @pytest.fixture
    def paged(self) -> Paged:
        return lambda request, descending: memory_paged(
            ROWS, key=lambda row: (row[1], row[0]), descending=descending, request=request, view=lambda row: row
        )


def test_identities_ascend_and_never_repeat() -> None:
    ids = InMemoryIdSequence(101)
    assert [ids.next(), *ids.take(3), ids.next()] == [101, 102, 103, 104, 105]
