"""Versions of the fees in memory, and what their rules ask."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.catalogue import Ref
from marketplace.application.ports.fees import FeeScheduleQueries, FeeScheduleRepository
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.fees import FeeFacts, FeeSchedule, FeeScheduleTaken
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, CategoryId, FeeScheduleId, ProductId


class InMemoryFeeSchedules(InMemoryRepository[FeeSchedule], FeeScheduleRepository):
    name = "fee_schedules"
    noun = "fee schedule"

    def check_constraints(self, entities: Collection[FeeSchedule]) -> None:
        if len({(each.currency, each.effective_from) for each in entities}) < len(entities):
            raise FeeScheduleTaken("Another version takes effect at that very instant; choose another one.")

    def in_force(self, currency: str, now: datetime) -> FeeSchedule | None:
        begun = [each for each in _in_order(self._scan(), currency) if _start(each) <= now]
        return begun[-1] if begun else None

    def facts(self, *, sellers: Collection[AccountId], products: Collection[ProductId]) -> FeeFacts:
        return _facts(self._uow.store, sellers, products)

    def missing(
        self, *, sellers: Collection[AccountId], categories: Collection[CategoryId]
    ) -> tuple[Collection[AccountId], Collection[CategoryId]]:
        store = self._uow.store
        return set(sellers) - set(store.table("sellers")), set(categories) - set(store.table("categories"))


class InMemoryFeeScheduleQueries(FeeScheduleQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def schedule(self, id: FeeScheduleId) -> FeeSchedule:
        with self._store.lock:
            found: FeeSchedule | None = self._store.table("fee_schedules").get(id)
        if found is None:
            raise NotFound(f"There is no fee schedule {id}.")
        return found

    def schedules(self, request: PageRequest) -> Page[FeeSchedule]:
        with self._store.lock:
            return paged(
                self._store.table("fee_schedules").values(),
                key=lambda each: (_start(each).isoformat(), each.id),
                descending=True,
                request=request,
                view=lambda each: each,
            )

    def in_force_and_coming(self, currency: str, now: datetime) -> Sequence[FeeSchedule]:
        with self._store.lock:
            ordered = _in_order(self._store.table("fee_schedules").values(), currency)
        begun = [each for each in ordered if _start(each) <= now]
        return begun[-1:] + ordered[len(begun) :]

    def facts(self, *, sellers: Collection[AccountId], products: Collection[ProductId]) -> FeeFacts:
        with self._store.lock:
            return _facts(self._store, sellers, products)

    def category(self, ref: Ref) -> Sequence[CategoryId]:
        with self._store.lock:
            table = self._store.table("categories")
            named = next((each.id for each in table.values() if ref in (each.id, each.slug)), None)
            return _path(self._store, named)


def _start(schedule: FeeSchedule) -> datetime:
    assert schedule.effective_from is not None
    return schedule.effective_from


def _in_order(schedules: Iterable[FeeSchedule], currency: str) -> list[FeeSchedule]:
    return sorted((each for each in schedules if each.currency == currency), key=_start)


def _path(store: InMemoryStore, id: CategoryId | None) -> list[CategoryId]:
    """From the root down to the category."""
    path: list[CategoryId] = []
    while id is not None:
        path.insert(0, id)
        id = store.table("categories")[id].parent_id
    return path


def _facts(store: InMemoryStore, sellers: Collection[AccountId], products: Collection[ProductId]) -> FeeFacts:
    accounts, cards = store.table("accounts"), store.table("products")
    return FeeFacts(
        account_types={id: accounts[id].account_type.value for id in sellers if id in accounts},
        categories={
            id: {
                category: depth
                for leaf in cards[id].details.category_ids
                for depth, category in enumerate(_path(store, leaf), start=1)
            }
            for id in products
            if id in cards and cards[id].details.category_ids
        },
    )
