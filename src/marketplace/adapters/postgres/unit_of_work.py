"""One PostgreSQL transaction, its repositories, and the outbox rows it leaves."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from marketplace.adapters.postgres.attempts import PostgresAttempts
from marketplace.adapters.postgres.audit import PostgresAuditTrail
from marketplace.adapters.postgres.catalogue.repositories import (
    PostgresCardSets,
    PostgresCatalogue,
    PostgresCategories,
    PostgresProducts,
)
from marketplace.adapters.postgres.disputes import PostgresChargebacks, PostgresDisputes
from marketplace.adapters.postgres.documents import PostgresDocuments
from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.fees import PostgresFeeSchedules
from marketplace.adapters.postgres.idempotency import PostgresAttachedWork
from marketplace.adapters.postgres.identity import PostgresAccounts, PostgresAddresses
from marketplace.adapters.postgres.ledger import PostgresLedger
from marketplace.adapters.postgres.listings import PostgresListings
from marketplace.adapters.postgres.notifications import PostgresNotifications, PostgresPreferences
from marketplace.adapters.postgres.orders import PostgresOrders
from marketplace.adapters.postgres.payment_customers import PostgresPaymentCustomers
from marketplace.adapters.postgres.payments import PostgresPayments, PostgresRefunds
from marketplace.adapters.postgres.payout_accounts import PostgresPayoutAccounts
from marketplace.adapters.postgres.payouts import PostgresPayouts, PostgresRecoveries
from marketplace.adapters.postgres.personal_data import PostgresPersonalData
from marketplace.adapters.postgres.provider_books import (
    PostgresDifferences,
    PostgresProviderBooks,
    PostgresReconciliations,
)
from marketplace.adapters.postgres.reservations import PostgresReservations
from marketplace.adapters.postgres.second_factors import PostgresSecondFactors
from marketplace.adapters.postgres.sellers import PostgresSellers
from marketplace.adapters.postgres.sessions import PostgresCodes, PostgresPasswordResets, PostgresSessions
from marketplace.adapters.postgres.tables.outbox import outbox
from marketplace.application.ports.unit_of_work import UnitOfWork, open_units
from marketplace.domain.shared.errors import MarketplaceError
from marketplace.domain.shared.events import Event


class PostgresUnitOfWork(UnitOfWork):
    """READ COMMITTED; what must not change meanwhile is locked by the repository that reads it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None
        self._events: list[Event] = []
        self.constraints: dict[str, tuple[type[MarketplaceError], str]] = {}

    @property
    def connection(self) -> sa.Connection:
        """The open transaction's connection."""
        if self._connection is None:
            raise RuntimeError("This unit of work is not open: use it in a with statement.")
        return self._connection

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        with translated(self.constraints):
            return self.connection.execute(statement, parameters)

    def record(self, event: Event) -> None:
        self._events.append(event)

    def __enter__(self) -> Self:
        with translated({}):
            self._connection = self._engine.connect()
        open_units.set(open_units.get() + 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection, self._connection = self._connection, None
        self._events.clear()
        open_units.set(open_units.get() - 1)
        if connection is not None:
            connection.close()  # rolls back what was not committed

    def commit(self) -> None:
        if self._events:
            self.execute(
                sa.insert(outbox),
                [
                    {
                        "name": e.name,
                        "payload": e.payload(),
                        "occurred_at": e.occurred_at,
                        "run_at": e.occurred_at,
                    }
                    for e in self._events
                ],
            )
            self._events.clear()
        with translated(self.constraints):
            self.connection.commit()

    @cached_property
    def idempotency(self) -> PostgresAttachedWork:
        return PostgresAttachedWork(self)

    @cached_property
    def audit(self) -> PostgresAuditTrail:
        return PostgresAuditTrail(self)

    @cached_property
    def ledger(self) -> PostgresLedger:
        return PostgresLedger(self)

    @cached_property
    def provider_books(self) -> PostgresProviderBooks:
        return PostgresProviderBooks(self)

    @cached_property
    def differences(self) -> PostgresDifferences:
        return PostgresDifferences(self)

    @cached_property
    def reconciliations(self) -> PostgresReconciliations:
        return PostgresReconciliations(self)

    @cached_property
    def fee_schedules(self) -> PostgresFeeSchedules:
        return PostgresFeeSchedules(self)

    @cached_property
    def orders(self) -> PostgresOrders:
        return PostgresOrders(self)

    @cached_property
    def reservations(self) -> PostgresReservations:
        return PostgresReservations(self)

    @cached_property
    def payments(self) -> PostgresPayments:
        return PostgresPayments(self)

    @cached_property
    def refunds(self) -> PostgresRefunds:
        return PostgresRefunds(self)

    @cached_property
    def payment_customers(self) -> PostgresPaymentCustomers:
        return PostgresPaymentCustomers(self)

    @cached_property
    def payouts(self) -> PostgresPayouts:
        return PostgresPayouts(self)

    @cached_property
    def recoveries(self) -> PostgresRecoveries:
        return PostgresRecoveries(self)

    @cached_property
    def disputes(self) -> PostgresDisputes:
        return PostgresDisputes(self)

    @cached_property
    def chargebacks(self) -> PostgresChargebacks:
        return PostgresChargebacks(self)

    @cached_property
    def documents(self) -> PostgresDocuments:
        return PostgresDocuments(self)

    @cached_property
    def accounts(self) -> PostgresAccounts:
        return PostgresAccounts(self)

    @cached_property
    def codes(self) -> PostgresCodes:
        return PostgresCodes(self)

    @cached_property
    def attempts(self) -> PostgresAttempts:
        return PostgresAttempts(self)

    @cached_property
    def password_resets(self) -> PostgresPasswordResets:
        return PostgresPasswordResets(self)

    @cached_property
    def sessions(self) -> PostgresSessions:
        return PostgresSessions(self)

    @cached_property
    def second_factors(self) -> PostgresSecondFactors:
        return PostgresSecondFactors(self)

    @cached_property
    def addresses(self) -> PostgresAddresses:
        return PostgresAddresses(self)

    @cached_property
    def personal_data(self) -> PostgresPersonalData:
        return PostgresPersonalData(self)

    @cached_property
    def catalogue(self) -> PostgresCatalogue:
        return PostgresCatalogue(self)

    @cached_property
    def products(self) -> PostgresProducts:
        return PostgresProducts(self)

    @cached_property
    def card_sets(self) -> PostgresCardSets:
        return PostgresCardSets(self)

    @cached_property
    def categories(self) -> PostgresCategories:
        return PostgresCategories(self)

    @cached_property
    def sellers(self) -> PostgresSellers:
        return PostgresSellers(self)

    @cached_property
    def payout_accounts(self) -> PostgresPayoutAccounts:
        return PostgresPayoutAccounts(self)

    @cached_property
    def listings(self) -> PostgresListings:
        return PostgresListings(self)

    @cached_property
    def notifications(self) -> PostgresNotifications:
        return PostgresNotifications(self)

    @cached_property
    def notification_preferences(self) -> PostgresPreferences:
        return PostgresPreferences(self)
