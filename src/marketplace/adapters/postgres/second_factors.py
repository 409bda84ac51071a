"""Second factors in PostgreSQL."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.second_factors import second_factors
from marketplace.application.ports.second_factors import (
    SecondFactorQueries,
    SecondFactorRepository,
    SecondFactorView,
)
from marketplace.domain.identity.second_factors import SecondFactor
from marketplace.domain.shared.errors import ConcurrencyConflict
from marketplace.domain.shared.ids import AccountId


class PostgresSecondFactors(PostgresRepository[SecondFactor], SecondFactorRepository):
    table = second_factors
    noun = "second factor of account"
    key = "account_id"
    constraints: ClassVar = {
        "second_factors_pkey": (ConcurrencyConflict, "Somebody else set one up at the same time; repeat.")
    }

    def of(self, account_id: AccountId) -> SecondFactor | None:
        return self._first(second_factors.c.account_id == account_id, lock=True)

    def remove(self, account_id: AccountId) -> None:
        self._execute(sa.delete(second_factors).where(second_factors.c.account_id == account_id))

    def after(self, account_id: AccountId, *, limit: int) -> list[SecondFactor]:
        statement = (
            sa.select(second_factors)
            .where(second_factors.c.account_id > account_id)
            .order_by(second_factors.c.account_id)
            .limit(limit)
            .with_for_update(key_share=True)
        )
        return [self.from_row(row) for row in self._execute(statement)]

    def to_row(self, entity: SecondFactor) -> dict[str, Any]:
        return {
            "account_id": entity.account_id,
            "sealed_secret": entity.sealed_secret,
            "enrolled_at": entity.enrolled_at,
            "confirmed_at": entity.confirmed_at,
            "last_step": entity.last_step,
            "recovery_hashes": list(entity.recovery_hashes),
        }

    def from_row(self, row: Any) -> SecondFactor:
        return SecondFactor(
            account_id=row.account_id,
            sealed_secret=row.sealed_secret,
            enrolled_at=row.enrolled_at,
            confirmed_at=row.confirmed_at,
            last_step=row.last_step,
            recovery_hashes=tuple(row.recovery_hashes),
            version=row.version,
        )


class PostgresSecondFactorQueries(SecondFactorQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of(self, account_id: AccountId) -> SecondFactorView:
        statement = sa.select(
            second_factors.c.confirmed_at, sa.func.cardinality(second_factors.c.recovery_hashes).label("left")
        ).where(second_factors.c.account_id == account_id, second_factors.c.confirmed_at.is_not(None))
        with translated({}), self._engine.connect() as connection:
            row = connection.execute(statement).first()
        if row is None:
            return SecondFactorView(confirmed_at=None, recovery_codes_left=0)
        return SecondFactorView(confirmed_at=row.confirmed_at, recovery_codes_left=row.left)
