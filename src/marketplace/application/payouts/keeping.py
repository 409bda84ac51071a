"""Payouts that are kept back by what happens elsewhere, and money that is kept for too long: for a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from marketplace.application.payouts.positions import hold_payout, release_payout
from marketplace.application.payouts.sending import suspension_key
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.payout_states import HoldReason
from marketplace.domain.shared.ids import AccountId

KEPT_LONG = timedelta(days=80)
"""The provider wants money paid out within 90 days, and is no escrow: ten days are left to decide."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowSuspensions:
    """Hold what sellers who are suspended are owed, and release it once they are reinstated.

    It looks at how things stand, not at what has happened, so that nothing is missed and nothing comes too late.
    """

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    limit: int = 100

    def __call__(self) -> int:
        """Up to a bound of each; gives the number."""
        done = 0
        while done < self.limit and (self._hold_one() or self._release_one()):
            done += 1
        return done

    def _hold_one(self) -> bool:
        with self.unit_of_work() as uow:
            payout = uow.payouts.next_to_hold_for_update()
            if payout is None:
                return False
            key, reason = suspension_key(payout.seller_id), HoldReason.SELLER_SUSPENDED
            hold_payout(uow, payout, key=key, reason=reason, now=self.clock.now())
            uow.commit()
            return True

    def _release_one(self) -> bool:
        with self.unit_of_work() as uow:
            payout = uow.payouts.next_to_release_for_update()
            if payout is None:
                return False
            release_payout(uow, payout, key=suspension_key(payout.seller_id), now=self.clock.now())
            uow.commit()
            return True


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchKeptMoney:
    """Tell operators, once each, of payouts that are open for so long that the provider's terms come near."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    limit: int = 100

    def __call__(self) -> int:
        """Up to a bound; gives the number."""
        done = 0
        while done < self.limit and self._tell_of_one():
            done += 1
        return done

    def _tell_of_one(self) -> bool:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            payout = uow.payouts.next_kept_long_for_update(since=now - KEPT_LONG)
            if payout is None:
                return False
            payout.kept_too_long(now=now)
            uow.payouts.save(payout)
            uow.commit()
            return True


@dataclass(frozen=True, kw_only=True, slots=True)
class TryBlockedPayouts:
    """A seller's account can receive again: what waited for that is sent with the next turn."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, seller_id: AccountId) -> int:
        """The number of payouts. Repeating it only tries again."""
        with self.unit_of_work() as uow:
            done = uow.payouts.make_due(seller_id, now=self.clock.now())
            uow.commit()
            return done
