"""The market and the till of the tests on PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.adapters.postgres.ids import PostgresIdSequence
from marketplace.adapters.postgres.ledger_audit import PostgresLedgerAudit
from marketplace.adapters.postgres.order_queries import PostgresOrderQueries
from marketplace.adapters.postgres.payments import PostgresPaymentQueries
from marketplace.adapters.postgres.provider_events import PostgresEventSweeps, PostgresWebhookRefusals
from marketplace.adapters.postgres.provider_state import PostgresProviderState
from marketplace.adapters.postgres.reservation_queries import PostgresReservationQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.adapters.postgres.webhook_inbox import PostgresWebhookInbox
from tests.market import Market
from tests.till import Till


def market_on(engine: sa.Engine) -> Market:
    reader = engine.execution_options(isolation_level="AUTOCOMMIT")
    return Market(
        unit_of_work=lambda: PostgresUnitOfWork(engine),
        reservation_queries=PostgresReservationQueries(reader),
        order_queries=PostgresOrderQueries(reader),
        ids=PostgresIdSequence(reader),
    )


def till_on(engine: sa.Engine, market: Market | None = None) -> Till:
    return Till(
        market=market or market_on(engine),
        state=PostgresProviderState(engine),
        inbox=PostgresWebhookInbox(engine),
        queries=PostgresPaymentQueries(engine),
        audit=PostgresLedgerAudit(engine),
        events=list,
        refusals=PostgresWebhookRefusals(engine),
        sweeps=PostgresEventSweeps(engine),
    )


def miscounted(engine: sa.Engine) -> list[tuple[int, int, int]]:
    """Listings whose counter is not the sum of their claims: id, counter, sum."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            """
            select l.id, l.claimed, coalesce(sum(r.quantity), 0)::int
            from listings l left join reservations r on r.listing_id = l.id and r.status in ('held', 'ordered')
            group by l.id having l.claimed <> coalesce(sum(r.quantity), 0)
            """
        )
        return [(row[0], row[1], row[2]) for row in rows]
