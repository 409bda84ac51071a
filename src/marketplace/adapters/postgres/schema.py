"""The whole schema: every table module imported, so that the metadata is complete."""

from __future__ import annotations

from marketplace.adapters.postgres import ids
from marketplace.adapters.postgres.tables import (
    attempts,
    audit,
    catalogue,
    disputes,
    documents,
    fees,
    idempotency,
    identity,
    ledger,
    listings,
    notifications,
    orders,
    outbox,
    payment_customers,
    payments,
    payout_accounts,
    payouts,
    provider_books,
    provider_events,
    reservations,
    second_factors,
    sellers,
    simulated_provider,
)
from marketplace.adapters.postgres.tables.metadata import metadata

__all__ = [
    "attempts",
    "audit",
    "catalogue",
    "disputes",
    "documents",
    "fees",
    "idempotency",
    "identity",
    "ids",
    "ledger",
    "listings",
    "metadata",
    "notifications",
    "orders",
    "outbox",
    "payment_customers",
    "payments",
    "payout_accounts",
    "payouts",
    "provider_books",
    "provider_events",
    "reservations",
    "second_factors",
    "sellers",
    "simulated_provider",
]
