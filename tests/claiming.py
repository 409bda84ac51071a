"""Claims on the backend of a unit of work."""

from __future__ import annotations

from collections.abc import Callable

from marketplace.adapters.memory.reservations import InMemoryClaims
from marketplace.adapters.postgres.reservation_queries import PostgresClaims
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.ports.reservations import Claims
from marketplace.application.ports.unit_of_work import UnitOfWork


def claims_of(unit_of_work: Callable[[], UnitOfWork]) -> Claims:
    unit = unit_of_work()
    if isinstance(unit, PostgresUnitOfWork):
        return PostgresClaims(unit._engine.execution_options(isolation_level="AUTOCOMMIT"))
    return InMemoryClaims(unit_of_work)
