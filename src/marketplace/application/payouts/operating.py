"""What operators decide on single payouts: hold, release, try again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.access import Actor, require_role
from marketplace.application.payouts.positions import hold_payout, release_payout
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.payout_states import HoldReason
from marketplace.domain.payouts import Payout
from marketplace.domain.sellers import checked_reason
from marketplace.domain.shared.errors import IllegalTransition
from marketplace.domain.shared.ids import PayoutId

OPERATOR_KEY = "operator"
"""Names the hold that an operator puts on a payout; there is one at a time."""
_OURS = (HoldReason.OPERATOR, HoldReason.CURRENCY)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Decision:
    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def _decide(
        self,
        actor: Actor,
        payout_id: PayoutId,
        action: str,
        reason: str,
        change: Callable[[UnitOfWork, Payout], None],
    ) -> Payout:
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            uow.orders.get_for_update(uow.payouts.get(payout_id).order_id)
            payout = uow.payouts.get_for_update(payout_id)
            before = _standing(payout)
            change(uow, payout)
            after = _standing(payout)
            now = self.clock.now()
            uow.audit.add(actor.did(action, "payout", payout_id, now=now, reason=reason, before=before, after=after))
            uow.commit()
            return payout


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldPayout(_Decision):
    """Keep a payout back until it is released."""

    def __call__(self, *, actor: Actor, payout_id: PayoutId, reason: str) -> Payout:
        """One that is being sent is held only if that fails.

        Raises Forbidden for anybody but an admin, NotFound, Invalid without a reason, and IllegalTransition for one
        that was paid or reversed.
        """
        reason, now = checked_reason(reason), self.clock.now()

        def hold(uow: UnitOfWork, payout: Payout) -> None:
            if not payout.status.is_open:
                raise IllegalTransition(
                    f"Payout {payout_id} is {payout.status}: there is nothing left to keep back.",
                    current_status=payout.status.value,
                )
            hold_payout(uow, payout, key=OPERATOR_KEY, reason=HoldReason.OPERATOR, now=now)

        return self._decide(actor, payout_id, "payout.held", reason, hold)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleasePayout(_Decision):
    """End what operators keep a payout back for: their own hold, and that for money in another currency."""

    def __call__(self, *, actor: Actor, payout_id: PayoutId, reason: str) -> Payout:
        """Disputes, chargebacks and suspensions go on holding it: each ends where it began.

        Raises Forbidden for anybody but an admin, NotFound, Invalid without a reason, and IllegalTransition when
        there is no such hold.
        """
        reason, now = checked_reason(reason), self.clock.now()

        def release(uow: UnitOfWork, payout: Payout) -> None:
            keys = [hold.key for hold in payout.open_holds if hold.reason in _OURS]
            if not keys:
                others = ", ".join(hold.reason for hold in payout.open_holds)
                why = (
                    f"what keeps it back is {others}" if others else f"it is {payout.status}, and nothing keeps it back"
                )
                raise IllegalTransition(
                    f"No operator holds payout {payout_id}: {why}.",
                    current_status=payout.status.value,
                )
            for key in keys:
                release_payout(uow, payout, key=key, now=now)

        return self._decide(actor, payout_id, "payout.released", reason, release)


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPayout(_Decision):
    """Try a payout with the next turn of the worker, whatever pause it has."""

    def __call__(self, *, actor: Actor, payout_id: PayoutId, reason: str = "") -> Payout:
        """Raises Forbidden for anybody but an admin, NotFound, and IllegalTransition unless it is due or being sent."""
        now = self.clock.now()

        def retry(uow: UnitOfWork, payout: Payout) -> None:
            payout.retry(now=now)
            uow.payouts.save(payout)

        return self._decide(actor, payout_id, "payout.retried", reason, retry)


def _standing(payout: Payout) -> dict[str, str | list[str]]:
    return {"status": payout.status.value, "holds": [hold.key for hold in payout.open_holds]}
