"""Payouts: what a seller is owed for one sale, from the payment of its order until the money is theirs.

    pending ──> due ──> sending ──> paid
    pending, due ──> on_hold ──> pending | due       (a dispute, a chargeback, a suspension, an operator)
    sending ──> due | on_hold                        (nothing was transferred)
    any of these ──> reversed                        (everything of it has gone back to the buyer)

In the ledger the money of a payout stands where its status says: ``pending``, ``on_hold``, ``payable`` (due and
sending), and nowhere any more once it is paid or reversed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from marketplace.domain import ledger
from marketplace.domain.payout_states import (
    Hold,
    HoldReason,
    PayoutBusy,
    PayoutFailed,
    PayoutHeld,
    PayoutSent,
    PayoutStatus,
    Sending,
)
from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import IllegalTransition, Invalid
from marketplace.domain.shared.ids import AccountId, OrderId, PayoutId, SaleId
from marketplace.domain.shared.money import Money
from marketplace.domain.shared.provider import KEY_LIFETIME, ProviderAlarm, backoff

REFUSALS_BEFORE_ALARM = 3
"""Every so many refusals in a row an operator is told."""
REFUSED_FIRST = timedelta(minutes=5)
REFUSED_LONGEST = timedelta(hours=6)
MAX_ERROR = 500


@dataclass(kw_only=True, slots=True)
class Payout(Aggregate):
    """What one sale brings its seller. Amounts other than ``amount`` are minor units of its currency.

    ``amount`` is the seller's net as agreed. ``withheld_amount`` went back to the buyer out of it before it was sent,
    ``reclaimed_amount`` was taken back while it was sent or afterwards (each a ``Recovery``), ``netted_amount`` paid
    what the seller owed, and ``transferred_amount`` was sent. ``blocked``: the seller's account cannot receive it.
    """

    id: PayoutId
    order_id: OrderId
    sale_id: SaleId
    seller_id: AccountId
    amount: Money
    created_at: datetime
    status: PayoutStatus = PayoutStatus.PENDING
    withheld_amount: int = 0
    reclaimed_amount: int = 0
    netted_amount: int = 0
    transferred_amount: int = 0
    holds: list[Hold] = field(default_factory=list)
    due_at: datetime | None = None
    paid_at: datetime | None = None
    batch_id: int | None = None
    attempt: int = 1
    sending: Sending | None = None
    transfer_id: str | None = None
    blocked: bool = False
    last_error: str = ""
    failures: int = 0
    refusals: int = 0
    reversed_elsewhere: int = 0
    kept_long_told: bool = False
    next_check_at: datetime | None = None
    locked_until: datetime | None = None

    @classmethod
    def open(
        cls, *, id: PayoutId, order_id: OrderId, sale_id: SaleId, seller_id: AccountId, amount: Money, now: datetime
    ) -> Self:
        """The buyer has paid. Raises Invalid for less than nothing."""
        if amount.amount < 0:
            raise Invalid(f"Nobody is paid {amount} for sale {sale_id}: the fees are higher than the sale.")
        return cls(id=id, order_id=order_id, sale_id=sale_id, seller_id=seller_id, amount=amount, created_at=now)

    # --- what it is now

    @property
    def reversed_amount(self) -> int:
        """What refunds and chargebacks took of it, whenever they did."""
        return self.withheld_amount + self.reclaimed_amount

    @property
    def remaining(self) -> int:
        """What is still to be sent."""
        if not self.status.is_open:
            return 0
        return self.amount.amount - self.withheld_amount - self.netted_amount

    def amount_of(self, minor: int) -> Money:
        """So many minor units of its currency."""
        return Money(minor, self.amount.currency)

    @property
    def key(self) -> str:
        """The idempotency key of the transfer."""
        return f"tr:{self.id}:{self.attempt}"

    @property
    def open_holds(self) -> list[Hold]:
        """The first opened first."""
        return sorted((hold for hold in self.holds if hold.is_open), key=lambda hold: (hold.opened_at, hold.key))

    @property
    def hold_reason(self) -> HoldReason | None:
        """The first reason to keep it back; None while it is not kept back."""
        holds = self.open_holds
        return holds[0].reason if holds and self.status is PayoutStatus.ON_HOLD else None

    @property
    def ledger_account(self) -> str:
        """Where what remains of it stands; the receivable of the seller once nothing does."""
        match self.status:
            case PayoutStatus.PENDING:
                return ledger.pending(self.seller_id)
            case PayoutStatus.ON_HOLD:
                return ledger.on_hold(self.seller_id)
            case PayoutStatus.DUE | PayoutStatus.SENDING:
                return ledger.payable(self.seller_id)
            case _:
                return ledger.receivable(self.seller_id)

    def has_claim(self) -> bool:
        """Whether a dispute or a chargeback is open on it."""
        return any(hold.reason.is_claim for hold in self.open_holds)

    def key_is_remembered(self, now: datetime) -> bool:
        """Whether whatever was sent with this key, even if the books have lost it, is surely answered as it was."""
        return now < self.created_at + KEY_LIFETIME

    def key_is_spent(self, now: datetime) -> bool:
        return self.sending is not None and now >= self.sending.first_sent_at + KEY_LIFETIME

    # --- on the way to being due

    def fall_due(self, *, now: datetime) -> bool:
        """The sale is complete. Whether it became ``due``: not while it is kept back, nor once it is over."""
        if self.due_at is not None or not self.status.is_open:
            return False
        self.due_at = now
        if self.status is not PayoutStatus.PENDING:
            return False
        self._become_due(now)
        return True

    def hold(self, *, key: str, reason: HoldReason, now: datetime) -> bool:
        """Keep it back. Whether it became ``on_hold`` by this: not while it is sent, nor when it is on hold already.

        Repeating it changes nothing. What has been sent stays sent; the hold is noted all the same.
        """
        held = next((hold for hold in self.holds if hold.key == key), None)
        if held is None:
            self.holds.append(Hold(key=key, reason=reason, opened_at=now))
        elif held.is_open:
            return False
        else:
            held.opened_at, held.released_at, held.count = now, None, held.count + 1
        if self.status not in (PayoutStatus.PENDING, PayoutStatus.DUE):
            return False
        self._keep_back(now)
        return True

    def release(self, *, key: str, now: datetime) -> Hold | None:
        """End one hold. The hold when it was the last one, and the payout goes its way again: ``due``, or ``pending``.

        Repeating it, or releasing what was never held, changes nothing.
        """
        held = next((hold for hold in self.holds if hold.key == key and hold.is_open), None)
        if held is None:
            return None
        held.released_at = now
        if self.status is not PayoutStatus.ON_HOLD or self.open_holds:
            return None
        if self.due_at is None:
            self.status = PayoutStatus.PENDING
        else:
            self._become_due(now)
        return held

    def take(self, amount: int) -> bool:
        """So much goes back to the buyer. Whether it comes out of the payout itself; if not, the seller owes it.

        Raises Invalid for more than the sale brought.
        """
        if amount < 0 or self.reversed_amount + amount > self.amount.amount:
            left = self.amount.amount - self.reversed_amount
            raise Invalid(f"{amount} minor units cannot be taken from payout {self.id}: {left} are left of it.")
        is_on_its_way = self.status is PayoutStatus.SENDING or not self.status.is_open
        # More than what is left by itself: part of it has paid what the seller owed. That is not undone.
        of_itself = not is_on_its_way and amount <= self.remaining
        if of_itself:
            self.withheld_amount += amount
        else:
            self.reclaimed_amount += amount
        # What is left although everything was taken pays what the seller came to owe of it, with the next sending.
        if self._is_all_taken and not self.remaining and (of_itself or not self.status.is_open):
            self._end(PayoutStatus.REVERSED)
        return of_itself

    # --- sending

    def is_leased(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until

    def is_to_be_tried(self, now: datetime) -> bool:
        return self.next_check_at is not None and self.next_check_at <= now and not self.is_leased(now)

    def is_to_be_sent(self, now: datetime) -> bool:
        """Whether a worker should take it: it is in a batch, or its sending was begun, and its time has come."""
        is_gathered = self.status is PayoutStatus.DUE and self.batch_id is not None
        return (is_gathered or self.status is PayoutStatus.SENDING) and self.is_to_be_tried(now)

    def begin(self, *, destination: str, source_charge: str | None, now: datetime, until: datetime) -> None:
        """Freeze what the transfer is asked for with, under a lease. Raises IllegalTransition unless it is due."""
        if self.status is not PayoutStatus.DUE:
            raise IllegalTransition(f"Payout {self.id} is {self.status}; it cannot be sent.")
        self.status = PayoutStatus.SENDING
        self.sending = Sending(
            amount=self.remaining, destination=destination, source_charge=source_charge, first_sent_at=now
        )
        self.locked_until = until

    def lease(self, *, now: datetime, until: datetime) -> None:
        """Go on with what was begun. Raises PayoutBusy while somebody else's lease stands."""
        if self.is_leased(now):
            raise PayoutBusy("This payout is being sent; try again in a moment.")
        self.locked_until = until

    def next_attempt(self, *, now: datetime) -> None:
        """A look-up has shown that nothing was transferred, and the provider may have forgotten the key."""
        assert self.sending is not None  # it is there while the payout is being sent
        self.attempt += 1
        self.sending = Sending(
            amount=self.sending.amount,
            destination=self.sending.destination,
            source_charge=self.sending.source_charge,
            first_sent_at=now,
        )

    def executed(self, transfer_id: str, *, now: datetime) -> None:
        """The provider has transferred it."""
        assert self.sending is not None
        self.transfer_id = transfer_id
        self.transferred_amount = self.sending.amount
        self.sending = None
        self._pay(now)
        self.events.append(
            PayoutSent(
                occurred_at=now,
                payout_id=self.id,
                sale_id=self.sale_id,
                order_id=self.order_id,
                seller_id=self.seller_id,
                amount=self.transferred_amount,
                currency=self.amount.currency,
            )
        )

    def paid_without_transfer(self, *, now: datetime) -> None:
        """Nothing is left to send: it was nothing from the beginning, or it has paid what the seller owed."""
        self._pay(now)

    def not_executed(self, reason: str, *, now: datetime, for_good: bool = False) -> None:
        """The provider refused for certain: due again, or on hold if that came meanwhile.

        It is tried again after a growing pause, under another key; ``for_good``: only once an operator says so.
        """
        self.attempt += 1
        self.refusals += 1
        self.sending = None
        self.last_error = reason[:MAX_ERROR]
        self._become_due(now)
        self.next_check_at = None if for_good else now + _refused_pause(self.refusals)
        if for_good or self.refusals % REFUSALS_BEFORE_ALARM == 0:
            self._alarm(f"refused {self.refusals} times in a row: {self.last_error}", now)
        if self.open_holds:
            self._keep_back(now)

    def cannot_be_received(self, reason: str, *, now: datetime, tell: bool) -> None:
        """The seller's account cannot receive it now: it stays due and is tried again later."""
        self.blocked = True
        self.last_error = reason[:MAX_ERROR]
        if tell:
            self.events.append(
                PayoutFailed(
                    occurred_at=now,
                    payout_id=self.id,
                    sale_id=self.sale_id,
                    order_id=self.order_id,
                    seller_id=self.seller_id,
                    reason=self.last_error,
                )
            )

    def put_off(self, *, now: datetime) -> None:
        """Nothing was sent: it waits a growing while."""
        self.refusals += 1
        self.next_check_at = now + _refused_pause(self.refusals)

    def failed_to_reach(self, reason: str, *, now: datetime) -> None:
        """The provider gave no usable answer: what was begun is tried again, later each time."""
        self.locked_until = None
        self.last_error = reason[:MAX_ERROR]
        self.next_check_at = now + backoff(self.failures)
        self.failures += 1

    def stop(self, reason: str, *, now: datetime) -> None:
        """What the provider shows fits nothing: it stays ``sending``, and nothing more is sent, until it is retried."""
        self.locked_until = None
        self.next_check_at = None
        self.last_error = reason[:MAX_ERROR]
        self._alarm(self.last_error, now)

    def retry(self, *, now: datetime) -> None:
        """Whatever it waits for, it is tried now. Raises IllegalTransition unless it is due or being sent."""
        if self.status not in (PayoutStatus.DUE, PayoutStatus.SENDING):
            raise IllegalTransition(
                f"Payout {self.id} is {self.status}: only one that is due or being sent can be tried again.",
                current_status=self.status.value,
            )
        self.next_check_at = now

    def look_again(self, *, now: datetime) -> None:
        """News of its transfer: what was begun is gone on with soon, unless it was stopped."""
        if self.status is PayoutStatus.SENDING and self.next_check_at is not None and not self.is_leased(now):
            self.next_check_at = now

    # --- what operators are told

    def found_reversed_elsewhere(self, amount: int, *, now: datetime) -> bool:
        """So much of the transfer was reversed by nobody here. Whether that is news, which raises an alarm."""
        if amount <= self.reversed_elsewhere:
            return False
        self.reversed_elsewhere = amount
        text = self.amount_of(amount)
        self._alarm(f"{text} of transfer {self.transfer_id} was reversed elsewhere; the books do not have it", now)
        return True

    def kept_too_long(self, *, now: datetime) -> None:
        """The provider's terms bound how long a buyer's money may be kept: an operator has to decide."""
        self.kept_long_told = True
        days = (now - self.created_at).days
        self._alarm(f"{self.amount_of(self.remaining)} kept for {days} days, {self.status}", now)

    @property
    def _is_all_taken(self) -> bool:
        return 0 < self.amount.amount == self.reversed_amount

    def _alarm(self, reason: str, now: datetime) -> None:
        subject = f"payout {self.id} of order {self.order_id}"
        self.events.append(ProviderAlarm(occurred_at=now, subject=subject, reason=reason))

    def _become_due(self, now: datetime) -> None:
        self.status = PayoutStatus.DUE
        self.locked_until = None
        self.failures = 0
        self.next_check_at = now

    def _keep_back(self, now: datetime) -> None:
        self.status = PayoutStatus.ON_HOLD
        self.next_check_at = None
        self.batch_id = None
        self.events.append(
            PayoutHeld(
                occurred_at=now,
                payout_id=self.id,
                sale_id=self.sale_id,
                order_id=self.order_id,
                seller_id=self.seller_id,
                reason=self.open_holds[0].reason.value,
            )
        )

    def _pay(self, now: datetime) -> None:
        self.paid_at = now
        self.last_error = ""
        self.refusals = self.failures = 0
        self._end(PayoutStatus.REVERSED if self._is_all_taken else PayoutStatus.PAID)

    def _end(self, status: PayoutStatus) -> None:
        self.status = status
        self.blocked = False
        self.next_check_at = self.locked_until = None


def _refused_pause(refusals: int) -> timedelta:
    return min(REFUSED_FIRST * (1 << min(refusals - 1, 10)), REFUSED_LONGEST)
