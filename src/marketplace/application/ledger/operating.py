"""What operators do to the books: close differences with a reason, and book what no event tells of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.access import Actor, require_role
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals, ledger
from marketplace.domain.identity import Role
from marketplace.domain.ledger import Journal
from marketplace.domain.reconciliation import Difference, DifferenceId
from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.money import Money
from marketplace.domain.shared.text import checked_text

MAX_REFERENCE = 100


class AlreadyBooked(Conflict):
    """The same fact is in the books already."""

    code = "already_booked"


class NotCollected(Conflict):
    """More would be paid to a carrier than buyers have paid for shipping."""

    code = "more_than_collected"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainDifference:
    """Close a difference with words. The books stay as they are."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, id: DifferenceId, note: str) -> Difference:
        """Raises Forbidden, NotFound, IllegalTransition for one that is closed, and Invalid without words."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            difference = uow.differences.get_for_update(id)
            difference.explain(note, by=_account(actor), now=now)
            if difference.movement_id is not None:
                uow.provider_books.settle([difference.movement_id], matches={})
            uow.differences.save(difference)
            uow.audit.add(actor.did("ledger.difference_explained", "difference", id, now=now, reason=difference.note))
            uow.commit()
            return difference


@dataclass(frozen=True, kw_only=True, slots=True)
class BookToSuspense:
    """Book a movement that nobody can explain, so that the books have what the provider has."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, id: DifferenceId, note: str) -> Difference:
        """Raises as ``ExplainDifference``, and Invalid for a difference that is no movement without a journal."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            difference = uow.differences.get_for_update(id)
            difference.booked(note, by=_account(actor), now=now)
            movement = uow.provider_books.get(difference.subject)
            uow.ledger.post(
                journals.unexplained(
                    balance_transaction_id=movement.id, currency=movement.currency, net=movement.net, at=now
                )
            )
            uow.provider_books.settle([movement.id], matches={})
            uow.differences.save(difference)
            after = {"movement": movement.id, "net": movement.net, "currency": movement.currency}
            act = actor.did("ledger.booked_to_suspense", "difference", id, now=now, reason=difference.note, after=after)
            uow.audit.add(act)
            uow.commit()
            return difference


@dataclass(frozen=True, kw_only=True, slots=True)
class BookCarrierPaid:
    """A carrier's bill was paid from our bank, of what buyers paid for shipping."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, reference: str, amount: Money) -> None:
        """Raises Forbidden, Invalid, AlreadyBooked for a bill that is booked, and NotCollected."""
        require_role(actor, Role.ADMIN)
        _above_nothing(amount)
        now, name = self.clock.now(), _reference(reference)
        journal = journals.carrier_paid(reference=name, currency=amount.currency, amount=amount.amount, at=now)
        with self.unit_of_work() as uow:
            collected = Money(-uow.ledger.balance_for_update(ledger.SHIPPING, amount.currency), amount.currency)
            if amount > collected and not uow.ledger.posted(journal.kind, journal.source_key):
                raise NotCollected(
                    f"{collected} are there for carriers, {amount} would be paid. Book what was collected."
                )
            _post(uow, journal)
            after = {"reference": name, "amount": amount.amount, "currency": amount.currency}
            uow.audit.add(actor.did("ledger.carrier_paid", "carrier_bill", name, now=now, after=after))
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class BookTopup:
    """Money of our bank arrived at the provider. Reconciling books it too; whichever is first does."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, balance_transaction_id: str, amount: Money) -> None:
        """Raises Forbidden, Invalid and AlreadyBooked."""
        require_role(actor, Role.ADMIN)
        _above_nothing(amount)
        now, name = self.clock.now(), _reference(balance_transaction_id)
        journal = journals.topup(balance_transaction_id=name, currency=amount.currency, amount=amount.amount, at=now)
        with self.unit_of_work() as uow:
            _post(uow, journal)
            after = {"movement": name, "amount": amount.amount, "currency": amount.currency}
            uow.audit.add(actor.did("ledger.topup_booked", "movement", name, now=now, after=after))
            uow.commit()


def _post(uow: UnitOfWork, journal: Journal) -> None:
    if not uow.ledger.post(journal):
        raise AlreadyBooked(f"{journal.kind} {journal.source_key} is in the books already.")


def _account(actor: Actor) -> AccountId | None:
    return actor.account_id or None


def _above_nothing(amount: Money) -> None:
    if amount.amount <= 0:
        raise Invalid(f"{amount} cannot be booked: name what moved, more than nothing.")


def _reference(text: str) -> str:
    """Part of the name that a journal is found by. Raises Invalid."""
    return checked_text(text, field="reference", minimum=1, maximum=MAX_REFERENCE)
