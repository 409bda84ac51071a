"""Everything that is held on an account, for its owner: read a page at a time, however much it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from marketplace.application.access import Actor, require_role
from marketplace.application.ports.audit import AuditFilter, AuditQueries
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.disputes import DisputeFilter, DisputeQueries
from marketplace.application.ports.documents import DocumentQueries
from marketplace.application.ports.identity import IdentityQueries
from marketplace.application.ports.listings import ListingFilters, ListingQueries
from marketplace.application.ports.notifications import NotificationQueries
from marketplace.application.ports.orders import OrderQueries
from marketplace.application.ports.pages import MAX_PAGE_SIZE, Page, PageRequest
from marketplace.application.ports.payouts import PayoutQueries
from marketplace.application.ports.personal_data import PersonalDataQueries
from marketplace.application.ports.reservations import CartLine, ReservationQueries
from marketplace.application.ports.second_factors import SecondFactorQueries
from marketplace.application.ports.sellers import SellerQueries
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.audit import AuditEntry
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A part of the export: one thing, or the many of an iterator that reads as it goes."""

    name: str
    one: Any = None
    many: Iterator[Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Dossier:
    """Reads what is held on an account, in short reads of their own: nothing is open between two pages.

    What other people keep to themselves is left out: of a sale its buyer's address, of the audit trail who of the
    staff acted and from where. So are secrets, even as digests.
    """

    identity: IdentityQueries
    personal: PersonalDataQueries
    second_factors: SecondFactorQueries
    sellers: SellerQueries
    listings: ListingQueries
    orders: OrderQueries
    payouts: PayoutQueries
    disputes: DisputeQueries
    documents: DocumentQueries
    reservations: ReservationQueries
    notifications: NotificationQueries
    audit: AuditQueries
    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def sections(self, account_id: AccountId) -> Iterator[Section]:
        """In a fixed order. Raises NotFound when there is no such account, at the first."""
        now = self.clock.now()
        yield Section(name="account", one=self.identity.me(account_id))
        yield Section(name="professional_info", one=self.identity.company(account_id))
        yield Section(name="second_factor", one=self.second_factors.of(account_id))
        yield _many("addresses", lambda page: self.identity.addresses(account_id, page=page))
        yield _many("sessions", lambda page: self.personal.sessions(account_id, page))
        yield Section(name="requested_codes", many=iter(self.personal.codes(account_id)))
        cart = self.reservations.cart(account_id, now=now)
        yield Section(name="cart", many=(CartLine.of(item, now=now, problem=None) for item in cart))
        yield _many("orders", lambda page: self.orders.orders(account_id, page))
        yield _many("order_history", lambda page: self.personal.history(account_id, page))
        yield _many("refunds", lambda page: self.personal.refunds(account_id, page))
        with self.unit_of_work() as uow:
            customer = uow.payment_customers.find(account_id)
        yield Section(name="payment_customer", one=customer)
        yield Section(name="seller", one=self.sellers.own(account_id, now=now))
        offered = ListingFilters(seller_id=account_id, hidden=True)
        yield _many("listings", lambda page: self.listings.listings(offered, page, now=now))
        yield _many("sales", lambda page: self.orders.sales(account_id, page))
        yield _many("payouts", lambda page: self.payouts.payouts(page, seller_id=account_id))
        yield _many("recoveries", lambda page: self.payouts.recoveries(page, seller_id=account_id))
        claims = DisputeFilter(party=account_id)
        yield _many("disputes", lambda page: self.disputes.disputes(page, claims))
        yield _many("documents", lambda page: self.documents.documents(page, account_id=account_id))
        yield _many("notifications", lambda page: self.notifications.notifications(account_id, page))
        with self.unit_of_work() as uow:
            preferences = uow.notification_preferences.of(account_id).all()
        yield Section(name="notification_preferences", many=iter(preferences))
        yield Section(name="audit", many=self._audit(account_id))

    def _audit(self, account_id: AccountId) -> Iterator[AuditEntry]:
        did = AuditFilter(actor_id=account_id)
        yield from _all(partial(self.audit.entries, wanted=did))
        suffered = [AuditFilter(subject_type=kind, subject_id=str(account_id)) for kind in ("account", "seller")]
        for entry in chain.from_iterable(_all(partial(self.audit.entries, wanted=wanted)) for wanted in suffered):
            if entry.actor_id != account_id:
                yield replace(entry, actor_id=None, origin="")


def _many(name: str, read: Callable[[PageRequest], Page[Any]]) -> Section:
    return Section(name=name, many=_all(read))


def _all(read: Callable[[PageRequest], Page[T]]) -> Iterator[T]:
    request = PageRequest(size=MAX_PAGE_SIZE)
    while True:
        page = read(request)
        items: Sequence[T] = page.items
        yield from items
        if page.next is None:
            return
        request = PageRequest(size=MAX_PAGE_SIZE, after=page.next)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportMe:
    """Give owners what is held on them (GDPR, articles 15 and 20)."""

    dossier: Dossier

    def __call__(self, *, actor: Actor) -> Iterator[Section]:
        return self.dossier.sections(actor.account_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportMember:
    """The same for an operator, for whoever asks in writing; that it was done is recorded."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    dossier: Dossier

    def __call__(self, *, actor: Actor, name: str) -> Iterator[Section]:
        """``name`` is a user name or an e-mail address. Raises Forbidden and NotFound."""
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            account = uow.accounts.by_name(name)
            if account is None:
                raise NotFound(f"There is no account called {name!r}.")
            uow.audit.add(actor.did("account.exported", "account", account.id, now=self.clock.now()))
            uow.commit()
        return self.dossier.sections(account.id)
