"""The in-memory transaction: serial, undone unless committed."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Any, Self

from marketplace.adapters.memory.attempts import InMemoryAttempts
from marketplace.adapters.memory.audit import InMemoryAuditTrail
from marketplace.adapters.memory.catalogue.repositories import (
    InMemoryCardSets,
    InMemoryCatalogue,
    InMemoryCategories,
    InMemoryProducts,
)
from marketplace.adapters.memory.disputes import InMemoryChargebacks, InMemoryDisputes
from marketplace.adapters.memory.documents import InMemoryDocuments
from marketplace.adapters.memory.fees import InMemoryFeeSchedules
from marketplace.adapters.memory.idempotency import InMemoryAttachedWork
from marketplace.adapters.memory.identity import InMemoryAccounts, InMemoryAddresses
from marketplace.adapters.memory.ledger import InMemoryLedger
from marketplace.adapters.memory.listings import InMemoryListings
from marketplace.adapters.memory.notifications import InMemoryNotifications, InMemoryPreferences
from marketplace.adapters.memory.orders import InMemoryOrders
from marketplace.adapters.memory.payment_customers import InMemoryPaymentCustomers
from marketplace.adapters.memory.payments import InMemoryPayments, InMemoryRefunds
from marketplace.adapters.memory.payout_accounts import InMemoryPayoutAccounts
from marketplace.adapters.memory.payouts import InMemoryPayouts, InMemoryRecoveries
from marketplace.adapters.memory.personal_data import InMemoryPersonalData
from marketplace.adapters.memory.provider_books import (
    InMemoryDifferences,
    InMemoryProviderBooks,
    InMemoryReconciliations,
)
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.reservations import InMemoryReservations
from marketplace.adapters.memory.second_factors import InMemorySecondFactors
from marketplace.adapters.memory.sellers import InMemorySellers
from marketplace.adapters.memory.sessions import InMemoryCodes, InMemoryPasswordResets, InMemorySessions
from marketplace.adapters.memory.store import InMemoryStore, StoredEvent
from marketplace.application.ports.unit_of_work import UnitOfWork, open_units
from marketplace.domain.shared.events import Event


class InMemoryUnitOfWork(UnitOfWork):
    def __init__(self, store: InMemoryStore) -> None:
        self.store = store
        self._repositories: list[InMemoryRepository[Any]] = []
        self._events: list[Event] = []

    def enlist(self, repository: InMemoryRepository[Any]) -> None:
        """Called by each repository when it is made: commit() asks it to check and to apply."""
        self._repositories.append(repository)

    def record(self, event: Event) -> None:
        self._events.append(event)

    def __enter__(self) -> Self:
        self.store.lock.acquire()
        open_units.set(open_units.get() + 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._repositories.clear()
        self._events.clear()
        open_units.set(open_units.get() - 1)
        self.store.lock.release()

    def commit(self) -> None:
        for repository in self._repositories:
            repository.check()
        for repository in self._repositories:
            repository.apply()
        for event in self._events:
            id = next(self.store.event_ids)
            self.store.outbox[id] = StoredEvent(id=id, event=event, run_at=event.occurred_at)
        self._events.clear()

    @cached_property
    def idempotency(self) -> InMemoryAttachedWork:
        return InMemoryAttachedWork(self)

    @cached_property
    def audit(self) -> InMemoryAuditTrail:
        return InMemoryAuditTrail(self)

    @cached_property
    def ledger(self) -> InMemoryLedger:
        return InMemoryLedger(self)

    @cached_property
    def provider_books(self) -> InMemoryProviderBooks:
        return InMemoryProviderBooks(self)

    @cached_property
    def differences(self) -> InMemoryDifferences:
        return InMemoryDifferences(self)

    @cached_property
    def reconciliations(self) -> InMemoryReconciliations:
        return InMemoryReconciliations(self)

    @cached_property
    def fee_schedules(self) -> InMemoryFeeSchedules:
        return InMemoryFeeSchedules(self)

    @cached_property
    def orders(self) -> InMemoryOrders:
        return InMemoryOrders(self)

    @cached_property
    def reservations(self) -> InMemoryReservations:
        return InMemoryReservations(self)

    @cached_property
    def payments(self) -> InMemoryPayments:
        return InMemoryPayments(self)

    @cached_property
    def refunds(self) -> InMemoryRefunds:
        return InMemoryRefunds(self)

    @cached_property
    def payment_customers(self) -> InMemoryPaymentCustomers:
        return InMemoryPaymentCustomers(self)

    @cached_property
    def payouts(self) -> InMemoryPayouts:
        return InMemoryPayouts(self)

    @cached_property
    def recoveries(self) -> InMemoryRecoveries:
        return InMemoryRecoveries(self)

    @cached_property
    def disputes(self) -> InMemoryDisputes:
        return InMemoryDisputes(self)

    @cached_property
    def chargebacks(self) -> InMemoryChargebacks:
        return InMemoryChargebacks(self)

    @cached_property
    def documents(self) -> InMemoryDocuments:
        return InMemoryDocuments(self)

    @cached_property
    def accounts(self) -> InMemoryAccounts:
        return InMemoryAccounts(self)

    @cached_property
    def codes(self) -> InMemoryCodes:
        return InMemoryCodes(self)

    @cached_property
    def attempts(self) -> InMemoryAttempts:
        return InMemoryAttempts(self)

    @cached_property
    def password_resets(self) -> InMemoryPasswordResets:
        return InMemoryPasswordResets(self)

    @cached_property
    def sessions(self) -> InMemorySessions:
        return InMemorySessions(self)

    @cached_property
    def second_factors(self) -> InMemorySecondFactors:
        return InMemorySecondFactors(self)

    @cached_property
    def addresses(self) -> InMemoryAddresses:
        return InMemoryAddresses(self)

    @cached_property
    def personal_data(self) -> InMemoryPersonalData:
        return InMemoryPersonalData(self)

    @cached_property
    def catalogue(self) -> InMemoryCatalogue:
        return InMemoryCatalogue(self)

    @cached_property
    def products(self) -> InMemoryProducts:
        return InMemoryProducts(self)

    @cached_property
    def card_sets(self) -> InMemoryCardSets:
        return InMemoryCardSets(self)

    @cached_property
    def categories(self) -> InMemoryCategories:
        return InMemoryCategories(self)

    @cached_property
    def sellers(self) -> InMemorySellers:
        return InMemorySellers(self)

    @cached_property
    def payout_accounts(self) -> InMemoryPayoutAccounts:
        return InMemoryPayoutAccounts(self)

    @cached_property
    def listings(self) -> InMemoryListings:
        return InMemoryListings(self)

    @cached_property
    def notifications(self) -> InMemoryNotifications:
        return InMemoryNotifications(self)

    @cached_property
    def notification_preferences(self) -> InMemoryPreferences:
        return InMemoryPreferences(self)
