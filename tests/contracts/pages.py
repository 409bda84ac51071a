"""What every list promises: pages by key and by number show the same rows, each once, in either direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.application.ports.pages import Page, PageRequest

ROWS: list[tuple[int, str]] = [(i, f"card {(i * 7) % 5}") for i in range(1, 24)]
"""(id, name): names repeat, so that only the id makes the order total."""

Paged = Callable[[PageRequest, bool], Page[tuple[int, str]]]


class PagesContract:
    """Subclasses provide `paged(request, descending)`: ROWS sorted by name, then id."""

    @pytest.fixture
    def paged(self) -> Paged:
        raise NotImplementedError

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("size", [1, 4, 23, 50])
    def test_walks_through_every_row_once_by_key(self, paged: Paged, descending: bool, size: int) -> None:
        expected = sorted(ROWS, key=lambda row: (row[1], row[0]), reverse=descending)
        seen: list[Any] = []
        request = PageRequest(size=size)
        while True:
            page = paged(request, descending)
            seen += page.items
            assert (page.count, page.count_is_exact) == (len(ROWS), True)
            if page.next is None:
                break
            request = PageRequest(size=size, after=page.next)
        assert seen == expected

    @pytest.mark.parametrize("descending", [False, True])
    def test_walks_back_the_way_it_came(self, paged: Paged, descending: bool) -> None:
        forward: list[Any] = []
        request = PageRequest(size=5)
        while (page := paged(request, descending)).next is not None:
            forward.append(list(page.items))
            request = PageRequest(size=5, after=page.next)
        back: list[Any] = []
        while page.previous is not None:
            page = paged(PageRequest(size=5, before=page.previous), descending)
            back.append(list(page.items))
        assert back[::-1] == forward
        assert page.next is not None

    def test_counts_pages_too(self, paged: Paged) -> None:
        expected = sorted(ROWS, key=lambda row: (row[1], row[0]))
        page = paged(PageRequest(size=10, number=2), False)
        assert list(page.items) == expected[10:20]
        assert page.previous is not None
        last = paged(PageRequest(size=10, number=3), False)
        assert (list(last.items), last.next) == (expected[20:], None)

    def test_is_empty_past_the_end(self, paged: Paged) -> None:
        page = paged(PageRequest(size=10, number=9), False)
        assert (list(page.items), page.next, page.previous, page.count) == ([], None, None, len(ROWS))
