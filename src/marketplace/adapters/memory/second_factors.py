"""Second factors in memory."""

from __future__ import annotations

from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.second_factors import (
    SecondFactorQueries,
    SecondFactorRepository,
    SecondFactorView,
)
from marketplace.domain.identity.second_factors import SecondFactor
from marketplace.domain.shared.errors import ConcurrencyConflict
from marketplace.domain.shared.ids import AccountId


class InMemorySecondFactors(InMemoryRepository[SecondFactor], SecondFactorRepository):
    name = "second_factors"
    noun = "second factor"

    def key(self, entity: SecondFactor) -> AccountId:
        return entity.account_id

    def add(self, entity: SecondFactor) -> None:
        if self.of(entity.account_id) is not None:
            raise ConcurrencyConflict("Somebody else set one up at the same time; repeat.")
        super().add(entity)

    def of(self, account_id: AccountId) -> SecondFactor | None:
        return self._first(lambda factor: factor.account_id == account_id)

    def after(self, account_id: AccountId, *, limit: int) -> list[SecondFactor]:
        found = self._all(lambda factor: factor.account_id > account_id)
        return sorted(found, key=lambda factor: factor.account_id)[:limit]


class InMemorySecondFactorQueries(SecondFactorQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def of(self, account_id: AccountId) -> SecondFactorView:
        with self._store.lock:
            factor = self._store.table("second_factors").get(account_id)
        if factor is None or not factor.is_on:
            return SecondFactorView(confirmed_at=None, recovery_codes_left=0)
        return SecondFactorView(confirmed_at=factor.confirmed_at, recovery_codes_left=len(factor.recovery_hashes))
