"""One transaction and the repositories in it."""

from __future__ import annotations

from contextvars import ContextVar
from types import TracebackType
from typing import Protocol, Self

from marketplace.application.ports.attempts import AttemptRepository
from marketplace.application.ports.audit import AuditTrail
from marketplace.application.ports.catalogue import (
    CardSetRepository,
    CatalogueRepository,
    CategoryRepository,
    ProductRepository,
)
from marketplace.application.ports.disputes import ChargebackRepository, DisputeRepository
from marketplace.application.ports.documents import DocumentRepository
from marketplace.application.ports.fees import FeeScheduleRepository
from marketplace.application.ports.idempotency import AttachedWork
from marketplace.application.ports.identity import (
    AccountRepository,
    AddressRepository,
    CodeRepository,
    PasswordResetRepository,
    SessionRepository,
)
from marketplace.application.ports.ledger import Ledger
from marketplace.application.ports.listings import ListingRepository
from marketplace.application.ports.notifications import NotificationRepository, PreferenceRepository
from marketplace.application.ports.orders import OrderRepository
from marketplace.application.ports.payment_customers import PaymentCustomerRepository
from marketplace.application.ports.payments import PaymentRepository, RefundRepository
from marketplace.application.ports.payout_accounts import PayoutAccountRepository
from marketplace.application.ports.payouts import PayoutRepository, RecoveryRepository
from marketplace.application.ports.personal_data import PersonalData
from marketplace.application.ports.provider_books import (
    DifferenceRepository,
    ProviderBooks,
    ReconciliationRepository,
)
from marketplace.application.ports.reservations import ReservationRepository
from marketplace.application.ports.second_factors import SecondFactorRepository
from marketplace.application.ports.sellers import SellerRepository
from marketplace.domain.shared.events import Event

open_units: ContextVar[int] = ContextVar("open_units", default=0)
"""How many units of work are open here; what speaks to the outside refuses to be called while there is one."""


class UnitOfWork(Protocol):
    """One transaction and the repositories in it. Leaving without commit() undoes everything.

    Units are short: nothing remote is called while one is open.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def commit(self) -> None:
        """Make the changes and their events permanent. Raises the error of a violated constraint."""
        ...

    def record(self, event: Event) -> None:
        """Store an event that no aggregate recorded, in this transaction."""
        ...

    @property
    def idempotency(self) -> AttachedWork: ...

    @property
    def audit(self) -> AuditTrail: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def provider_books(self) -> ProviderBooks: ...

    @property
    def differences(self) -> DifferenceRepository: ...

    @property
    def reconciliations(self) -> ReconciliationRepository: ...

    @property
    def fee_schedules(self) -> FeeScheduleRepository: ...

    @property
    def orders(self) -> OrderRepository: ...

    @property
    def reservations(self) -> ReservationRepository: ...

    @property
    def payments(self) -> PaymentRepository: ...

    @property
    def refunds(self) -> RefundRepository: ...

    @property
    def payouts(self) -> PayoutRepository: ...

    @property
    def recoveries(self) -> RecoveryRepository: ...

    @property
    def disputes(self) -> DisputeRepository: ...

    @property
    def chargebacks(self) -> ChargebackRepository: ...

    @property
    def documents(self) -> DocumentRepository: ...

    @property
    def accounts(self) -> AccountRepository: ...

    @property
    def codes(self) -> CodeRepository: ...

    @property
    def attempts(self) -> AttemptRepository: ...

    @property
    def password_resets(self) -> PasswordResetRepository: ...

    @property
    def sessions(self) -> SessionRepository: ...

    @property
    def second_factors(self) -> SecondFactorRepository: ...

    @property
    def addresses(self) -> AddressRepository: ...

    @property
    def personal_data(self) -> PersonalData: ...

    @property
    def catalogue(self) -> CatalogueRepository: ...

    @property
    def products(self) -> ProductRepository: ...

    @property
    def card_sets(self) -> CardSetRepository: ...

    @property
    def categories(self) -> CategoryRepository: ...

    @property
    def sellers(self) -> SellerRepository: ...

    @property
    def payment_customers(self) -> PaymentCustomerRepository: ...

    @property
    def payout_accounts(self) -> PayoutAccountRepository: ...

    @property
    def listings(self) -> ListingRepository: ...

    @property
    def notifications(self) -> NotificationRepository: ...

    @property
    def notification_preferences(self) -> PreferenceRepository: ...
