"""What has to be true of the money in the end: ours counted on one side, the provider's on the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.application.ports.payment_gateway import BalanceTransaction
from marketplace.application.ports.payments import InboxStatus
from marketplace.application.ports.transfers import ProviderTransfer
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.orders.order import Order
from marketplace.domain.payments.chargebacks import Chargeback, ChargebackStage
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.payments.refund import Refund, RefundStatus
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery, RecoveryStatus
from marketplace.domain.shared.ids import AccountId, OrderId, PayoutId
from marketplace.entrypoints.container import Container

_PAGE = 100


@dataclass(kw_only=True, slots=True)
class Ours:
    """What we have stored of some orders."""

    orders: list[Order] = field(default_factory=list)
    payouts: list[Payout] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    chargebacks: list[Chargeback] = field(default_factory=list)

    @classmethod
    def read(cls, unit_of_work: Callable[[], UnitOfWork], order_ids: Sequence[OrderId]) -> Ours:
        ours = cls()
        for order_id in order_ids:
            with unit_of_work() as uow:
                ours.orders.append(uow.orders.get(order_id))
                payouts = uow.payouts.of_order_for_update(order_id)
                ours.payouts += payouts
                for payout in payouts:
                    ours.recoveries += uow.recoveries.of_payout_for_update(payout.id)
                ours.refunds += uow.refunds.of_order(order_id)
                ours.chargebacks += uow.chargebacks.of_order(order_id)
        return ours


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """``banked``: what each seller has had sent to their bank; ``accounts``: their names at the provider."""

    container: Container
    orders: Sequence[OrderId]
    accounts: Mapping[AccountId, str]
    banked: Mapping[AccountId, int]
    since: datetime

    def __call__(self) -> tuple[list[str], dict[str, Any]]:
        """What is wrong, and the figures."""
        ours = Ours.read(self.container.backend.unit_of_work, self.orders)
        movements = list(self._movements())
        transfers = [self._transfer(each) for each in movements if each.reporting_category == "transfer"]
        faults = [
            *_payments(ours, movements, self.container),
            *payout_faults(ours, transfers),
            *reversal_faults(ours, movements),
            *refund_faults(ours, movements),
            *self._sellers(ours),
            *unfinished(ours),
            *self._left_behind(),
            *self._books(),
        ]
        return faults, _figures(ours, transfers)

    def _movements(self) -> Iterator[BalanceTransaction]:
        after: str | None = None
        gateway = self.container.payment_gateway()
        while page := gateway.balance_transactions(since=self.since, after=after, limit=_PAGE):
            yield from page
            after = page[-1].id

    def _transfer(self, movement: BalanceTransaction) -> ProviderTransfer:
        found: ProviderTransfer = self.container.payment_gateway().get_transfer(movement.source)
        return found

    def _sellers(self, ours: Ours) -> Iterator[str]:
        """What a seller has at the provider and at their bank is what was agreed, less what was taken of it."""
        agreed: Counter[AccountId] = Counter()
        owed: Counter[AccountId] = Counter()
        netted: Counter[AccountId] = Counter()
        for payout in ours.payouts:
            agreed[payout.seller_id] += payout.amount.amount - payout.reversed_amount
            netted[payout.seller_id] += payout.netted_amount
        for recovery in ours.recoveries:
            owed[recovery.seller_id] += recovery.left
            netted[recovery.seller_id] -= recovery.netted_amount
        desk = self.container.payment_provider.simulated()
        for seller, account in self.accounts.items():
            has = sum(fund.available + fund.pending for fund in desk.desk_seller(account).funds)
            has += self.banked.get(seller, 0)
            if has != agreed[seller] + owed[seller]:
                yield f"seller {seller} got {has}, agreed was {agreed[seller]}, {owed[seller]} are still to come back"
            if netted[seller]:
                yield f"seller {seller}: {netted[seller]} more was kept from payouts than was paid of debts"

    def _left_behind(self) -> Iterator[str]:
        """Events that nobody comes for, and what was given up."""
        events = self.container.backend.outbox()
        status = events.status(now=self.container.clock().now())
        if status.waiting or status.in_flight or status.dead:
            yield f"outbox: {status.waiting} wait, {status.in_flight} are in flight, {status.dead} were given up"
        yield from (f"outbox: {letter.name} {letter.last_error}" for letter in events.dead_letters(limit=5))
        inbox = self.container.backend.webhook_inbox()
        for state in (InboxStatus.WAITING, InboxStatus.UNMATCHED, InboxStatus.DEAD, InboxStatus.REJECTED):
            if count := inbox.counts().get(state, 0):
                yield f"events of the provider: {count} are {state}"

    def _books(self) -> Iterator[str]:
        for check in self.container.verify_ledger()().checks:
            yield from (f"{check.name}: {finding.subject} {finding.detail}" for finding in check.findings)
            if check.note:
                yield f"{check.name}: {check.note}"
        self.container.ledger.reconcile()(since=self.since, force=True)
        open_ones = self.container.backend.reconciliation_queries().differences(
            PageRequest(size=MAX_PAGE_SIZE), is_open=True
        )
        yield from (f"difference {each.kind}: {each.detail}" for each in open_ones.items)


def _payments(ours: Ours, movements: Sequence[BalanceTransaction], container: Container) -> Iterator[str]:
    charged = Counter(each.source for each in movements if each.reporting_category == "charge")
    for order in ours.orders:
        with container.backend.unit_of_work() as uow:
            payment = uow.payments.of_order(order.id)
        has_paid = payment.status is PaymentStatus.SUCCEEDED
        if has_paid != (order.paid_at is not None) or payment.is_open:
            yield f"order {order.reference} is {order.status}, its payment {payment.status}"
        if charged[str(payment.charge_id)] != int(has_paid):
            yield f"order {order.reference} was charged {charged[str(payment.charge_id)]} times"
    if sum(charged.values()) != sum(order.paid_at is not None for order in ours.orders):
        yield f"the provider charged {sum(charged.values())} times for other orders than were paid"


def unfinished(ours: Ours) -> Iterator[str]:
    """What still waits for somebody."""
    for payout in ours.payouts:
        if payout.status.is_open:
            yield f"payout {payout.id} is {payout.status}: {payout.last_error or payout.hold_reason or 'not sent'}"
    for recovery in ours.recoveries:
        if recovery.status in (RecoveryStatus.DECIDED, RecoveryStatus.SENDING):
            yield f"recovery {recovery.id} is {recovery.status}: {recovery.last_error}"
    for refund in ours.refunds:
        if refund.status not in (RefundStatus.SUCCEEDED, RefundStatus.SETTLED_ELSEWHERE):
            yield f"refund {refund.id} is {refund.status}: {refund.failure_reason}"
    for chargeback in ours.chargebacks:
        if chargeback.stage not in (ChargebackStage.WON, ChargebackStage.LOST):
            yield f"chargeback {chargeback.id} is {chargeback.stage}"


def payout_faults(ours: Ours, transfers: Sequence[ProviderTransfer]) -> Iterator[str]:
    """One transfer of what is left of each payout, none of one of which nothing is left."""
    made: dict[PayoutId | None, list[ProviderTransfer]] = defaultdict(list)
    for transfer in transfers:
        made[transfer.payout_id].append(transfer)
    taken: Counter[PayoutId] = Counter()
    for recovery in ours.recoveries:
        taken[recovery.payout_id] += recovery.amount.amount
    for payout in ours.payouts:
        theirs = [(transfer.id, transfer.amount) for transfer in made.pop(payout.id, [])]
        booked = [(payout.transfer_id, payout.transferred_amount)] if payout.transferred_amount else []
        if theirs != booked:
            yield f"payout {payout.id} was sent as {theirs}, we have {booked}"
        due = payout.amount.amount - payout.withheld_amount - payout.netted_amount
        if not payout.status.is_open and payout.transferred_amount != due:
            yield f"payout {payout.id} is {payout.status}: {payout.transferred_amount} were sent, due were {due}"
        if payout.reclaimed_amount != taken[payout.id]:
            yield f"payout {payout.id}: {payout.reclaimed_amount} to come back, its recoveries say {taken[payout.id]}"
    for payout_id, strange in made.items():
        yield f"{len(strange)} transfers are for payout {payout_id}, which we do not have"


def reversal_faults(ours: Ours, movements: Sequence[BalanceTransaction]) -> Iterator[str]:
    """Each of our recoveries was reversed at the provider as often as we have booked: once, or not at all."""
    theirs = sorted((each.source, each.amount) for each in movements if each.reporting_category == "transfer_reversal")
    booked = sorted(
        (str(recovery.reversal_id), recovery.reversed_amount) for recovery in ours.recoveries if recovery.reversal_id
    )
    if theirs != booked:
        yield f"reversals: the provider alone has {_without(theirs, booked)}, we alone {_without(booked, theirs)}"


def refund_faults(ours: Ours, movements: Sequence[BalanceTransaction]) -> Iterator[str]:
    """Each of our refunds was sent once for each attempt that we have booked."""
    theirs = sorted((each.source, -each.amount) for each in movements if each.reporting_category == "refund")
    booked = sorted(
        (id, refund.amount.amount)
        for refund in ours.refunds
        for id in (*refund.earlier_provider_refund_ids, refund.provider_refund_id)
        if id is not None
    )
    if theirs != booked:
        yield f"refunds: the provider alone has {_without(theirs, booked)}, we alone {_without(booked, theirs)}"
    failed = {each.source for each in movements if each.reporting_category == "refund_failure"}
    for refund in ours.refunds:
        if refund.status is RefundStatus.SUCCEEDED and (
            refund.provider_refund_id is None or refund.provider_refund_id in failed
        ):
            yield f"refund {refund.id} succeeded here and not at the provider"


def _without(these: Sequence[tuple[str, int]], those: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    return list((Counter(these) - Counter(those)).elements())


def _figures(ours: Ours, transfers: Sequence[ProviderTransfer]) -> dict[str, Any]:
    return {
        "orders paid": sum(order.paid_at is not None for order in ours.orders),
        "payouts": len(ours.payouts),
        "transfers": len(transfers),
        "nothing left to send": sum(not payout.transferred_amount for payout in ours.payouts),
        "sent with a second key": sum(payout.attempt > 1 for payout in ours.payouts),
        "refunds": len(ours.refunds),
        "refunds settled by hand": sum(each.status is RefundStatus.SETTLED_ELSEWHERE for each in ours.refunds),
        "recoveries": len(ours.recoveries),
        "reversed": sum(recovery.reversal_id is not None for recovery in ours.recoveries),
        "owed": sum(recovery.status is RecoveryStatus.REFUSED for recovery in ours.recoveries),
        "netted payouts": sum(payout.netted_amount > 0 for payout in ours.payouts),
        "chargebacks lost": sum(each.stage is ChargebackStage.LOST for each in ours.chargebacks),
        "chargebacks won": sum(each.stage is ChargebackStage.WON for each in ours.chargebacks),
        "payouts reversed": sum(payout.status is PayoutStatus.REVERSED for payout in ours.payouts),
    }
