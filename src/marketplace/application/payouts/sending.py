"""Sending payouts: gathered by seller, leased, frozen and committed, then transferred, then applied.

What a transfer is asked for with is committed before the provider is called, and stays until its outcome is known: an
answer that was lost is asked for again under the same key, and looked up once the provider may have forgotten it.
What is older than the provider's memory is looked up even if it seems to be sent for the first time: it may have been
sent before a backup was restored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.application.payouts.positions import hold_payout, post_hold
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    InvalidRequest,
    KeyReused,
    OutcomeUnknown,
    PaymentGateway,
    ProviderFailed,
    ProviderObjectUnknown,
)
from marketplace.application.ports.transfers import (
    InsufficientBalance,
    ProviderTransfer,
    SellerNotPayable,
    TransferRequest,
)
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals
from marketplace.domain.orders.reference import public_reference
from marketplace.domain.payout_states import HoldReason, PayoutBusy, PayoutStatus
from marketplace.domain.payouts import Payout
from marketplace.domain.sellers import SellerStatus
from marketplace.domain.shared.errors import MarketplaceError, Unavailable
from marketplace.domain.shared.ids import AccountId, PayoutId

LEASE_FOR = timedelta(minutes=1)
"""Longer than the provider's client waits for the calls that one transfer makes."""
NO_REQUEST_LASTS = timedelta(minutes=10)
"""So long after a request was sent it can have no effect any more that a look-up does not show."""
TURN = timedelta(seconds=20)
"""How long a worker begins new transfers before its other jobs have their turn."""
DEBTS_AT_ONCE = 100
"""So many of a seller's debts at most are paid by one payout; the next one pays the others."""

_OUR_FAULT = (InvalidRequest, KeyReused, AlreadyInState, ProviderObjectUnknown)

_log = logging.getLogger(__name__)


def suspension_key(seller_id: AccountId) -> str:
    """Names the hold for the suspension of a seller."""
    return f"restriction:{seller_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """The provider said no, for certain.

    ``of_seller``: it is the seller's account that cannot receive. ``of_ours``: what was asked was wrong, so that asking
    again does not help.
    """

    reason: str
    of_seller: bool = False
    of_ours: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PayoutCheck:
    """Bring one payout that is due or being sent as far as it goes now."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock

    def __call__(self, payout_id: PayoutId) -> Payout:
        """Raises NotFound, PayoutBusy while somebody else sends it, and Unavailable when there is no answer."""
        with self.unit_of_work() as uow:
            uow.orders.get_for_update(uow.payouts.get(payout_id).order_id)
            payout = uow.payouts.get_for_update(payout_id)
            is_begun = self._begin(uow, payout)
            uow.commit()
        return self.go_on(payout) if is_begun else payout

    def take_next(self) -> tuple[Payout, bool] | None:
        """The payout that has waited longest, and whether there is a transfer to go on with; None when none is due."""
        with self.unit_of_work() as uow:
            payout = uow.payouts.next_due_for_update(now=self.clock.now())
            if payout is None:
                return None
            is_begun = self._begin(uow, payout)
            uow.commit()
            return payout, is_begun

    def go_on(self, payout: Payout) -> Payout:
        """Talk to the provider about a leased payout, and apply what it says. Raises as a call does."""
        try:
            outcome = self._talk(payout)
        except Unavailable as error:
            self._note_silence(payout, error)
            raise
        return self._apply(payout, outcome)

    # --- before the call, in a transaction

    def _begin(self, uow: UnitOfWork, payout: Payout) -> bool:
        """Whether there is a transfer to go on with. The payout is saved, whatever comes of it."""
        now = self.clock.now()
        if payout.status is PayoutStatus.SENDING:
            payout.lease(now=now, until=now + LEASE_FOR)
        elif payout.status is not PayoutStatus.DUE or not self._prepare(uow, payout, now):
            return False
        uow.payouts.save(payout)
        return True

    def _prepare(self, uow: UnitOfWork, payout: Payout, now: datetime) -> bool:
        profile = uow.sellers.find(payout.seller_id)
        if profile is not None and profile.status is SellerStatus.SUSPENDED:
            key, reason = suspension_key(payout.seller_id), HoldReason.SELLER_SUSPENDED
            hold_payout(uow, payout, key=key, reason=reason, now=now)
            return False
        _net(uow, payout, now)
        if not payout.remaining:
            payout.paid_without_transfer(now=now)
            uow.payouts.save(payout)
            return False
        account = uow.payout_accounts.find(payout.seller_id)
        if account is None or account.provider_account_id is None or not account.is_ready:
            missing = "cannot receive transfers now" if account is not None else "was never opened: nobody onboarded"
            _not_receivable(uow, payout, f"seller_not_payable: the seller's account at the provider {missing}", now)
            payout.put_off(now=now)
            uow.payouts.save(payout)
            return False
        payment = uow.payments.of_order(payout.order_id)
        payout.begin(
            destination=account.provider_account_id,
            source_charge=payment.charge_id,
            now=now,
            until=now + LEASE_FOR,
        )
        return True

    # --- the call

    def _talk(self, payout: Payout) -> ProviderTransfer | Refusal:
        """The transfer as the provider has it, or why there is none."""
        now = self.clock.now()
        if not payout.key_is_remembered(now):
            found = self.gateway.find_transfer(payout.order_id, payout.id)
            if found is not None:
                return found
            if payout.key_is_spent(now):
                payout = self._next_attempt(payout)
        try:
            return self.gateway.create_transfer(_request(payout), key=payout.key)
        except InsufficientBalance as error:
            return Refusal(reason=_told(error))
        except SellerNotPayable as error:
            return Refusal(reason=_told(error), of_seller=True)
        except _OUR_FAULT as error:
            found = self.gateway.find_transfer(payout.order_id, payout.id)
            return found or Refusal(reason=_told(error), of_ours=True)
        except OutcomeUnknown as error:
            if payout.sending is None or now < payout.sending.first_sent_at + NO_REQUEST_LASTS:
                raise
            found = self.gateway.find_transfer(payout.order_id, payout.id)
            if found is not None:
                return found
            # An error that was answered is answered for a day. After silence this very request may still be under way,
            # unseen by the look-up, so that another key could pay twice.
            if isinstance(error, ProviderFailed):
                self._next_attempt(payout)
            raise

    def _next_attempt(self, leased: Payout) -> Payout:
        with self.unit_of_work() as uow:
            payout = _still_leased(uow, leased)
            payout.next_attempt(now=self.clock.now())
            uow.payouts.save(payout)
            uow.commit()
            return payout

    # --- after it

    def _apply(self, leased: Payout, outcome: ProviderTransfer | Refusal) -> Payout:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            payout = _still_leased(uow, leased)
            if isinstance(outcome, Refusal):
                self._apply_refusal(uow, payout, outcome, now)
            else:
                self._apply_transfer(uow, payout, outcome, now)
            uow.payouts.save(payout)
            uow.commit()
            return payout

    def _apply_transfer(self, uow: UnitOfWork, payout: Payout, transfer: ProviderTransfer, now: datetime) -> None:
        fault = _fault(payout, transfer)
        if fault:
            payout.stop(fault, now=now)
            return
        payout.executed(transfer.id, now=now)
        uow.ledger.post(
            journals.transfer_created(
                transfer_id=transfer.id,
                order_id=payout.order_id,
                seller_id=payout.seller_id,
                currency=payout.amount.currency,
                amount=payout.transferred_amount,
                at=now,
            )
        )
        for recovery in uow.recoveries.of_payout_for_update(payout.id):
            if recovery.waits_for_transfer:
                recovery.transfer_is_done(now=now)
                uow.recoveries.save(recovery)

    def _apply_refusal(self, uow: UnitOfWork, payout: Payout, refusal: Refusal, now: datetime) -> None:
        source = payout.ledger_account
        payout.not_executed(refusal.reason, now=now, for_good=refusal.of_ours)
        if refusal.of_seller:
            _not_receivable(uow, payout, refusal.reason, now)
            account = uow.payout_accounts.find(payout.seller_id)
            if account is not None:
                account = uow.payout_accounts.get_for_update(payout.seller_id)
                account.look_again(now=now)
                uow.payout_accounts.save(account)
        if payout.status is PayoutStatus.ON_HOLD:
            post_hold(uow, payout, source, now=now)
        for recovery in uow.recoveries.of_payout_for_update(payout.id):
            if recovery.waits_for_transfer:
                recovery.refuse("the payout that it was to be taken from was not sent", now=now)
                uow.recoveries.save(recovery)

    def _note_silence(self, leased: Payout, error: Unavailable) -> None:
        with self.unit_of_work() as uow:
            uow.orders.get_for_update(leased.order_id)
            payout = uow.payouts.get_for_update(leased.id)
            if payout.status is PayoutStatus.SENDING and payout.locked_until == leased.locked_until:
                payout.failed_to_reach(_told(error), now=self.clock.now())
                uow.payouts.save(payout)
                uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class SendPayouts:
    """Send what is due, seller by seller, once it is worth it: for a worker.

    ``minimum``: a seller whose due payouts, less what the seller owes, come to less than so many minor units waits for
    more. Once begun, a batch is sent whole, whatever happens to some of it.
    """

    check: PayoutCheck
    ids: IdSequence
    minimum: int
    limit: int = 100

    def __call__(self) -> int:
        """Gather and send, up to a bound; gives the number of payouts that were taken up.

        What one payout raises is noted and goes no further. Raises Unavailable when the store does not answer.
        """
        self.gather()
        done, until = 0, self.check.clock.now() + TURN
        while done < self.limit and (taken := self.check.take_next()) is not None:
            payout, is_begun = taken
            try:
                if is_begun:
                    self.check.go_on(payout)
            except (PayoutBusy, Unavailable):
                # Noted with it, and it comes again later; other sellers need not wait for it.
                pass
            except Exception:
                # Nor for one that cannot be applied: it comes again when its lease is over.
                _log.exception("sending payout %s failed", payout.id)
            done += 1
            if self.check.clock.now() >= until:
                break
        return done

    def gather(self) -> int:
        """Put what is due of each seller into a batch, if it comes to the minimum; gives the number of payouts."""
        now, after, gathered = self.check.clock.now(), AccountId(0), 0
        while True:
            with self.check.unit_of_work() as uow:
                sellers = uow.payouts.due_sellers(now=now, after=after, limit=self.limit)
                for seller in sellers:
                    worth = seller.due - seller.owed
                    # Whoever owes more than is due is sent nothing: that pays the debt, however small it is.
                    if worth <= 0 or worth >= self.minimum:
                        gathered += uow.payouts.gather(seller.seller_id, batch_id=self.ids.next(), now=now)
                uow.commit()
            if len(sellers) < self.limit:
                return gathered
            after = sellers[-1].seller_id


def _net(uow: UnitOfWork, payout: Payout, now: datetime) -> None:
    """Keep what the seller owes from what is due, the oldest debt first."""
    for recovery in uow.recoveries.owed_for_update(payout.seller_id, limit=DEBTS_AT_ONCE):
        if not payout.remaining:
            return
        amount = recovery.net(payout.remaining, now=now)
        payout.netted_amount += amount
        uow.recoveries.save(recovery)
        uow.ledger.post(
            journals.receivable_netted(
                payout_id=payout.id,
                recovery_id=recovery.id,
                order_id=payout.order_id,
                seller_id=payout.seller_id,
                currency=payout.amount.currency,
                amount=amount,
                at=now,
            )
        )


def _not_receivable(uow: UnitOfWork, payout: Payout, reason: str, now: datetime) -> None:
    """The seller is told with the first payout that waits for the account, not with each."""
    payout.cannot_be_received(reason, now=now, tell=not uow.payouts.has_blocked(payout.seller_id))


def _request(payout: Payout) -> TransferRequest:
    assert payout.sending is not None  # frozen before anything is sent
    return TransferRequest(
        payout_id=payout.id,
        order_id=payout.order_id,
        seller_id=payout.seller_id,
        amount=payout.amount_of(payout.sending.amount),
        destination=payout.sending.destination,
        source_charge=payout.sending.source_charge,
        description=f"Order {public_reference(payout.order_id)}",
    )


def _fault(payout: Payout, transfer: ProviderTransfer) -> str:
    """Why this transfer is not the one that was asked for; empty when it is."""
    assert payout.sending is not None
    if transfer.currency != payout.amount.currency or transfer.amount != payout.sending.amount:
        asked = payout.amount_of(payout.sending.amount)
        return f"transfer {transfer.id} moved {transfer.amount} {transfer.currency} minor units, not {asked}"
    if transfer.destination != payout.sending.destination:
        return f"transfer {transfer.id} went to {transfer.destination}, not to {payout.sending.destination}"
    return ""


def _still_leased(uow: UnitOfWork, leased: Payout) -> Payout:
    uow.orders.get_for_update(leased.order_id)
    payout = uow.payouts.get_for_update(leased.id)
    if payout.status is not PayoutStatus.SENDING or payout.locked_until != leased.locked_until:
        raise PayoutBusy("Somebody else has taken this payout over; read it again.")
    return payout


def _told(error: MarketplaceError) -> str:
    return f"{error.code}: {error}"
