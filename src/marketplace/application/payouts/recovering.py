"""Taking money back from sellers: reversals of their transfers, asked for under a lease and applied afterwards.

What the provider will not reverse is owed, and kept from what the seller is paid next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from marketplace.application.access import Actor, require_role
from marketplace.application.payouts.sending import LEASE_FOR, NO_REQUEST_LASTS, TURN
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    InvalidRequest,
    KeyReused,
    OutcomeUnknown,
    PaymentGateway,
    ProviderFailed,
    ProviderObjectUnknown,
)
from marketplace.application.ports.transfers import InsufficientBalance, ProviderReversal, SellerNotPayable
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals
from marketplace.domain.identity import Role
from marketplace.domain.orders.reference import public_reference
from marketplace.domain.recoveries import Recovery, RecoveryBusy, RecoveryStatus
from marketplace.domain.sellers import checked_reason
from marketplace.domain.shared.errors import Conflict, MarketplaceError, Unavailable
from marketplace.domain.shared.ids import RecoveryId
from marketplace.domain.shared.money import Money
from marketplace.domain.shared.provider import ProviderAlarm

_OUR_FAULT = (InvalidRequest, KeyReused, ProviderObjectUnknown)

_log = logging.getLogger(__name__)


class TooEarlyToWriteOff(Conflict):
    """It may still be kept from what the seller is paid next."""

    code = "too_early_to_write_off"


@dataclass(frozen=True, kw_only=True, slots=True)
class LeasedRecovery:
    """``transfer_id`` is the provider's name for what is to be reversed."""

    recovery: Recovery
    transfer_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoveryCheck:
    """Bring one recovery up to date with the provider, asking for the reversal if that is due."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock

    def take_next(self) -> tuple[Recovery, LeasedRecovery | None] | None:
        """The recovery that has waited longest, leased if there is anything to ask for; None when none is due."""
        now = self.clock.now()
        with self.unit_of_work() as uow:
            recovery = uow.recoveries.next_due_for_update(now=now)
            if recovery is None:
                return None
            leased = self._take(uow, recovery)
            uow.recoveries.save(recovery)
            uow.commit()
            return recovery, leased

    def go_on(self, leased: LeasedRecovery) -> Recovery:
        """Talk to the provider about a leased recovery, and apply what it says. Raises Unavailable and RecoveryBusy."""
        try:
            reversal, refusal = self._talk(leased)
        except Unavailable as error:
            self._note_silence(leased.recovery, error)
            raise
        return self._apply(leased.recovery, reversal, refusal)

    def _take(self, uow: UnitOfWork, recovery: Recovery) -> LeasedRecovery | None:
        now = self.clock.now()
        payout = uow.payouts.get_for_update(recovery.payout_id)
        others = (other for other in uow.recoveries.of_payout_for_update(payout.id) if other.id != recovery.id)
        left = payout.transferred_amount - sum(other.at_the_provider for other in others)
        if recovery.key_is_remembered(now):
            left -= payout.reversed_elsewhere
        # Else that may have been this very recovery, before a backup was restored. It is looked up, and asking for more
        # than is left is refused.
        if recovery.status is RecoveryStatus.DECIDED and left <= 0:
            recovery.refuse("nothing is left of the transfer that it was to be taken from", now=now)
            return None
        recovery.lease(reversible=left, now=now, until=now + LEASE_FOR)
        return LeasedRecovery(recovery=recovery, transfer_id=str(payout.transfer_id))

    def _talk(self, leased: LeasedRecovery) -> tuple[ProviderReversal | None, str]:
        """The reversal as the provider has it, or why there will never be one."""
        recovery, now = leased.recovery, self.clock.now()
        if not recovery.key_is_remembered(now):
            # The first time as well: it may have been sent before a backup was restored.
            found = self._find(leased.transfer_id, recovery)
            if found is not None:
                return found, ""
            if recovery.key_is_spent(now):
                recovery = self._next_attempt(recovery)
        try:
            return self._reverse(leased.transfer_id, recovery), ""
        except (InsufficientBalance, SellerNotPayable) as error:
            return None, _told(error)
        except AlreadyInState as error:
            return self._find(leased.transfer_id, recovery), _told(error)
        except _OUR_FAULT as error:
            self._raise_alarm(recovery, _told(error))
            return self._find(leased.transfer_id, recovery), _told(error)
        except OutcomeUnknown as error:
            if recovery.first_sent_at is None or now < recovery.first_sent_at + NO_REQUEST_LASTS:
                raise
            found = self._find(leased.transfer_id, recovery)
            if found is not None:
                return found, ""
            # As of a transfer: after silence this very request may still be under way, unseen by the look-up.
            if isinstance(error, ProviderFailed):
                self._next_attempt(recovery)
            raise

    def _reverse(self, transfer_id: str, recovery: Recovery) -> ProviderReversal:
        return self.gateway.reverse_transfer(
            transfer_id,
            amount=Money(recovery.sending_amount, recovery.amount.currency),
            recovery_id=recovery.id,
            description=f"Order {public_reference(recovery.order_id)}",
            key=recovery.key,
        )

    def _find(self, transfer_id: str, recovery: Recovery) -> ProviderReversal | None:
        try:
            return self.gateway.find_reversal(transfer_id, recovery.id)
        except ProviderObjectUnknown:
            return None

    def _next_attempt(self, leased: Recovery) -> Recovery:
        with self.unit_of_work() as uow:
            recovery = _still_leased(uow, leased)
            recovery.next_attempt(now=self.clock.now())
            uow.recoveries.save(recovery)
            uow.commit()
            return recovery

    def _apply(self, leased: Recovery, reversal: ProviderReversal | None, refusal: str) -> Recovery:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            recovery = _still_leased(uow, leased)
            if reversal is None:
                recovery.refuse(refusal, now=now)
            else:
                recovery.reversed(reversal.id, reversal.amount, now=now)
                uow.ledger.post(
                    journals.transfer_reversed(
                        reversal_id=reversal.id,
                        order_id=recovery.order_id,
                        seller_id=recovery.seller_id,
                        currency=recovery.amount.currency,
                        amount=recovery.reversed_amount,
                        at=now,
                    )
                )
            uow.recoveries.save(recovery)
            uow.commit()
            return recovery

    def _note_silence(self, leased: Recovery, error: Unavailable) -> None:
        with self.unit_of_work() as uow:
            uow.orders.get_for_update(leased.order_id)
            recovery = uow.recoveries.get_for_update(leased.id)
            if recovery.locked_until == leased.locked_until:
                recovery.failed_to_reach(_told(error), now=self.clock.now())
                uow.recoveries.save(recovery)
                uow.commit()

    def _raise_alarm(self, recovery: Recovery, reason: str) -> None:
        subject = f"recovery {recovery.id} of order {recovery.order_id}"
        with self.unit_of_work() as uow:
            uow.record(ProviderAlarm(occurred_at=self.clock.now(), subject=subject, reason=reason))
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class SendRecoveries:
    """Take back what was decided: for a worker."""

    check: RecoveryCheck
    limit: int = 100

    def __call__(self) -> int:
        """Take up what is due, up to a bound; gives the number.

        What one recovery raises is noted and goes no further. Raises Unavailable when the store does not answer.
        """
        done, until = 0, self.check.clock.now() + TURN
        while done < self.limit and (taken := self.check.take_next()) is not None:
            recovery, leased = taken
            try:
                if leased is not None:
                    self.check.go_on(leased)
            except (RecoveryBusy, Unavailable):
                pass  # noted with it, and it comes again
            except Exception:
                # The others need not wait for one that cannot be applied; it comes again when its lease is over.
                _log.exception("recovery %s failed", recovery.id)
            done += 1
            if self.check.clock.now() >= until:
                break
        return done


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteOff:
    """Give up what a seller owes and nothing came of for long: an operator's decision, one recovery at a time."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    after: timedelta

    def __call__(self, *, actor: Actor, recovery_id: RecoveryId, reason: str) -> Money:
        """How much was given up.

        Raises Forbidden for anybody but an admin, NotFound, Invalid without a reason, IllegalTransition unless it is
        owed, and TooEarlyToWriteOff.
        """
        require_role(actor, Role.ADMIN)
        reason, now = checked_reason(reason), self.clock.now()
        with self.unit_of_work() as uow:
            recovery = uow.recoveries.get_for_update(recovery_id)
            if now < recovery.decided_at + self.after:
                first = recovery.decided_at + self.after
                raise TooEarlyToWriteOff(
                    f"Recovery {recovery_id} can be written off from {first:%Y-%m-%d} on: {self.after.days} days after"
                    " it was decided."
                )
            amount = Money(recovery.write_off(now=now), recovery.amount.currency)
            uow.recoveries.save(recovery)
            uow.ledger.post(
                journals.seller_writeoff(
                    recovery_id=recovery.id,
                    part=1,
                    seller_id=recovery.seller_id,
                    order_id=recovery.order_id,
                    currency=amount.currency,
                    amount=amount.amount,
                    at=now,
                )
            )
            facts = {"amount": amount.decimal, "currency": amount.currency, "seller_id": recovery.seller_id}
            uow.audit.add(
                actor.did("recovery.written_off", "recovery", recovery_id, now=now, reason=reason, after=facts)
            )
            uow.commit()
            return amount


def _still_leased(uow: UnitOfWork, leased: Recovery) -> Recovery:
    uow.orders.get_for_update(leased.order_id)
    recovery = uow.recoveries.get_for_update(leased.id)
    if recovery.status is not RecoveryStatus.SENDING or recovery.locked_until != leased.locked_until:
        raise RecoveryBusy("Somebody else has taken this recovery over; read it again.")
    return recovery


def _told(error: MarketplaceError) -> str:
    return f"{error.code}: {error}"
