"""Versions of the fees in PostgreSQL, and what their rules ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.fee_rules import rule_json, rule_of
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.tables.catalogue import categories
from marketplace.adapters.postgres.tables.fees import fee_schedules
from marketplace.adapters.postgres.tables.sellers import seller_profiles
from marketplace.application.ports.catalogue import Ref
from marketplace.application.ports.fees import FeeScheduleQueries, FeeScheduleRepository
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.fees import FeeFacts, FeeSchedule, FeeScheduleTaken
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, CategoryId, FeeScheduleId, ProductId

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

_schedule = fee_schedules.c
_IN_FORCE = (
    sa.select(fee_schedules)
    .where(_schedule.currency == sa.bindparam("currency"), _schedule.effective_from <= sa.bindparam("now"))
    .order_by(_schedule.effective_from.desc())
    .limit(1)
)
_COMING = (
    sa.select(fee_schedules)
    .where(_schedule.currency == sa.bindparam("currency"), _schedule.effective_from > sa.bindparam("now"))
    .order_by(_schedule.effective_from)
)
# From each category of a product up to the root; `step` counts from the product's side.
_FACTS = sa.text(
    """
    with recursive above as (
        select pc.product_id, pc.category_id as start, c.id, c.parent_id, 0 as step
        from product_categories pc join categories c on c.id = pc.category_id
        where pc.product_id = any(:products)
        union all
        select a.product_id, a.start, c.id, c.parent_id, a.step + 1
        from above a join categories c on c.id = a.parent_id
    )
    select a.product_id as of, a.start, a.id, a.step, null as account_type from above a
    union all
    select s.id, null, null, null, s.account_type from accounts s where s.id = any(:sellers)
    """
)
_PATH = sa.text(
    """
    with recursive above as (
        select c.id, c.parent_id, 0 as step from categories c where c.id = :id or c.slug = :slug
        union all
        select c.id, c.parent_id, a.step + 1 from above a join categories c on c.id = a.parent_id
    )
    select a.id from above a order by a.step desc
    """
)

Ask = Callable[[Any, Any], Iterable[Any]]


class PostgresFeeSchedules(FeeScheduleRepository):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow
        uow.constraints["one_fee_schedule_an_instant"] = (
            FeeScheduleTaken,
            "Another version takes effect at that very instant; choose another one.",
        )

    def add(self, schedule: FeeSchedule) -> None:
        self._uow.execute(
            sa.insert(fee_schedules),
            {
                "id": schedule.id,
                "currency": schedule.currency,
                "effective_from": schedule.effective_from,
                "rules": [rule_json(rule) for rule in schedule.rules],
                "note": schedule.note,
            },
        )

    def in_force(self, currency: str, now: datetime) -> FeeSchedule | None:
        row = self._uow.execute(_IN_FORCE, {"currency": currency, "now": now}).first()
        return None if row is None else _view(row)

    def facts(self, *, sellers: Collection[AccountId], products: Collection[ProductId]) -> FeeFacts:
        return _facts(self._uow.execute, sellers, products)

    def missing(
        self, *, sellers: Collection[AccountId], categories: Collection[CategoryId]
    ) -> tuple[Collection[AccountId], Collection[CategoryId]]:
        return (
            self._unknown(seller_profiles.c.account_id, sellers),
            self._unknown(_categories.id, categories),
        )

    def _unknown(self, column: sa.ColumnElement[Any], ids: Collection[Any]) -> set[Any]:
        return set(ids) - set(self._uow.execute(sa.select(column).where(column.in_(list(ids)))).scalars())


_categories = categories.c


class PostgresFeeScheduleQueries(FeeScheduleQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def schedule(self, id: FeeScheduleId) -> FeeSchedule:
        with translated({}), self._engine.connect() as connection:
            row = connection.execute(sa.select(fee_schedules).where(_schedule.id == id)).first()
        if row is None:
            raise NotFound(f"There is no fee schedule {id}.")
        return _view(row)

    def schedules(self, request: PageRequest) -> Page[FeeSchedule]:
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection,
                sa.select(fee_schedules),
                keys=[_schedule.effective_from, _schedule.id],
                descending=True,
                request=request,
                view=_view,
            )

    def in_force_and_coming(self, currency: str, now: datetime) -> Sequence[FeeSchedule]:
        both = sa.union_all(sa.select(_IN_FORCE.subquery()), sa.select(_COMING.subquery())).subquery()
        with translated({}), self._engine.connect() as connection:
            rows = connection.execute(
                sa.select(both).order_by(both.c.effective_from), {"currency": currency, "now": now}
            )
            return [_view(row) for row in rows]

    def facts(self, *, sellers: Collection[AccountId], products: Collection[ProductId]) -> FeeFacts:
        with translated({}), self._engine.connect() as connection:
            return _facts(connection.execute, sellers, products)

    def category(self, ref: Ref) -> Sequence[CategoryId]:
        by_id = isinstance(ref, int)
        with translated({}), self._engine.connect() as connection:
            rows = connection.execute(_PATH, {"id": ref if by_id else None, "slug": None if by_id else ref})
            return [CategoryId(row.id) for row in rows]


def _view(row: Any) -> FeeSchedule:
    return FeeSchedule(
        id=FeeScheduleId(row.id),
        currency=row.currency,
        effective_from=row.effective_from,
        rules=tuple(rule_of(rule) for rule in row.rules),
        note=row.note,
    )


def _facts(ask: Ask, sellers: Collection[AccountId], products: Collection[ProductId]) -> FeeFacts:
    types: dict[AccountId, str] = {}
    paths: dict[tuple[ProductId, int], list[tuple[int, CategoryId]]] = defaultdict(list)
    for row in ask(_FACTS, {"sellers": list(sellers), "products": list(products)}):
        if row.account_type is not None:
            types[row.of] = row.account_type
        else:
            paths[row.of, row.start].append((row.step, row.id))
    depths: dict[ProductId, dict[CategoryId, int]] = defaultdict(dict)
    for (product, _), path in paths.items():
        depths[product].update({id: len(path) - step for step, id in path})
    return FeeFacts(account_types=types, categories=dict(depths))
