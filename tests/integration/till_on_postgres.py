"""The till of the tests on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from marketplace.adapters.postgres.ledger_audit import PostgresLedgerAudit
from marketplace.adapters.postgres.payments import PostgresPaymentQueries
from marketplace.adapters.postgres.provider_events import PostgresEventSweeps, PostgresWebhookRefusals
from marketplace.adapters.postgres.provider_state import PostgresProviderState
from marketplace.adapters.postgres.tables.outbox import outbox
from marketplace.adapters.postgres.webhook_inbox import PostgresWebhookInbox
from marketplace.domain.shared.events import Event
from tests.integration.on_postgres import market_on
from tests.till import Till


def till_on(engine: sa.Engine, *, like: Till | None = None) -> Till:
    """``like``: of another process that shares this one's clock, members and names for things."""
    market = market_on(engine)
    shared: dict[str, Any] = {}
    if like is not None:
        market = replace(market, clock=like.market.clock, _addresses=like.market._addresses)
        shared["tokens"] = like.tokens

    def events(order_id: int | None = None) -> list[Event]:
        of_order = sa.or_(order_id is None, outbox.c.payload["order_id"].as_integer() == order_id)
        with engine.connect() as connection:
            rows = connection.execute(sa.select(outbox.c.name, outbox.c.payload).where(of_order).order_by(outbox.c.id))
            return [Event.restore(row.name, row.payload) for row in rows]

    return Till(
        market=market,
        state=PostgresProviderState(engine),
        inbox=PostgresWebhookInbox(engine),
        queries=PostgresPaymentQueries(engine),
        audit=PostgresLedgerAudit(engine),
        events=events,
        refusals=PostgresWebhookRefusals(engine),
        sweeps=PostgresEventSweeps(engine),
        **shared,
    )
