"""Chargebacks followed: read at the provider under a lease, then applied to the order, its sellers and the books.

However often and in whatever order the provider's events come, what counts is what it says when it is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from marketplace.application.payments.checking import LEASE_FOR, TURN
from marketplace.application.payments.returns import end_dispute, end_if_all_is_back
from marketplace.application.payouts import positions
from marketplace.application.ports.chargebacks import ProviderChargeback
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.payment_gateway import PaymentGateway, ProviderObjectUnknown
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals
from marketplace.domain.disputes import Dispute, DisputeOutcome, DisputeReason
from marketplace.domain.orders.losses import Loss, share_out
from marketplace.domain.orders.order import Order
from marketplace.domain.payments.chargebacks import HARMLESS, Chargeback, ChargebackMovement, ChargebackStage
from marketplace.domain.payments.payment import Payment, PaymentBusy, PaymentStatus, ProviderAlarm
from marketplace.domain.payout_states import HoldReason
from marketplace.domain.shared.errors import Conflict, Unavailable
from marketplace.domain.shared.ids import ChargebackId, DisputeId
from marketplace.domain.shared.money import Money

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargebackCheck:
    """Bring one chargeback up to date with the provider."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock
    ids: IdSequence

    def __call__(self, provider_chargeback_id: str) -> bool:
        """Whether it is on a payment of ours. By the provider's name for it.

        Raises PaymentBusy while somebody else does it and until its payment has been settled here, and Unavailable when
        there is no answer.
        """
        with self.unit_of_work() as uow:
            known = uow.chargebacks.find(provider_chargeback_id)
        id = known.id if known is not None else self._meet(provider_chargeback_id)
        if id is None:
            return False
        self.of(id)
        return True

    def of(self, id: ChargebackId) -> Chargeback:
        """The same for one that is known. Raises NotFound, and as a call does."""
        with self.unit_of_work() as uow:
            chargeback = uow.chargebacks.get_for_update(id)
            self.take(uow, chargeback)
            uow.commit()
        return self.go_on(chargeback)

    def take_next(self) -> Chargeback | None:
        """Lease the one that has waited longest for it, to go on with; None when none is due."""
        with self.unit_of_work() as uow:
            chargeback = uow.chargebacks.next_due_for_update(now=self.clock.now())
            if chargeback is not None:
                self.take(uow, chargeback)
                uow.commit()
            return chargeback

    def take(self, uow: UnitOfWork, chargeback: Chargeback) -> None:
        """Lease it, in the caller's transaction. Raises PaymentBusy."""
        now = self.clock.now()
        chargeback.lease(now=now, until=now + LEASE_FOR)
        uow.chargebacks.save(chargeback)

    def go_on(self, chargeback: Chargeback) -> Chargeback:
        """Ask the provider about a leased one, and apply what it says. Raises as a call does."""
        return self.applied(chargeback, lambda: self.gateway.get_chargeback(chargeback.provider_chargeback_id))

    def applied(self, leased: Chargeback, ask: Callable[[], ProviderChargeback]) -> Chargeback:
        """What ``ask`` answers, applied under the lease. Raises as a call does, and what ``ask`` raises."""
        try:
            answer = ask()
        except Exception:
            self._note_silence(leased)
            raise
        return self._apply(leased, answer)

    def _meet(self, provider_chargeback_id: str) -> ChargebackId | None:
        """Keep one that is new to us; None when it is on nothing of ours."""
        try:
            found = self.gateway.get_chargeback(provider_chargeback_id)
        except ProviderObjectUnknown:
            return None
        now = self.clock.now()
        with self.unit_of_work() as uow:
            payment = uow.payments.find(intent_id=found.intent_id, order_id=None)
            if payment is None or payment.quarantine or found.livemode != self.gateway.livemode:
                return None
            if payment.status is not PaymentStatus.SUCCEEDED:
                raise PaymentBusy(f"The payment of order {payment.order_id} has not been settled yet.")
            chargeback = _found(found, payment, id=ChargebackId(self.ids.next()))
            chargeback.next_check_at = now
            try:
                uow.chargebacks.add(chargeback)
                uow.commit()
            except Conflict as error:
                raise PaymentBusy(f"Somebody else has just come to know chargeback {found.id}.") from error
        return chargeback.id

    def _apply(self, leased: Chargeback, answer: ProviderChargeback) -> Chargeback:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            # The order is locked before what belongs to it, everywhere.
            order = uow.orders.get_for_update(leased.order_id)
            chargeback = uow.chargebacks.get_for_update(leased.id)
            if chargeback.locked_until != leased.locked_until:
                raise PaymentBusy("Somebody else has taken this chargeback over; read it again.")
            chargeback.follow(
                answer.stage,
                status=answer.status,
                reason=answer.reason,
                amount=answer.amount,
                evidence_due_at=answer.evidence_due_at,
                now=now,
            )
            if chargeback.is_held:
                self._hold(uow, order, chargeback, now)
            self._book(uow, order, chargeback, chargeback.take_in(answer.movements), now)
            if chargeback.is_to_be_shared_out:
                self._lose(uow, order, chargeback, now)
            if chargeback.stage in HARMLESS or chargeback.lost is not None:
                self._let_go(uow, order, chargeback, now)
            chargeback.check_again(now=now)
            uow.chargebacks.save(chargeback)
            uow.commit()
            return chargeback

    def _hold(self, uow: UnitOfWork, order: Order, chargeback: Chargeback, now: datetime) -> None:
        """Nobody is paid out of this order meanwhile; once money has moved, each sale is in dispute."""
        for sale in sorted(order.sales, key=lambda sale: sale.id):
            positions.hold(uow, order, sale.id, key=chargeback.hold_key, reason=HoldReason.CHARGEBACK, now=now)
        if chargeback.stage is not ChargebackStage.OPEN:
            return
        opened = {dispute.sale_id for dispute in uow.disputes.of_chargeback_for_update(chargeback.id)}
        for sale in sorted(order.sales, key=lambda sale: sale.id):
            if sale.id not in opened and sale.returned < sale.base:
                uow.disputes.add(
                    Dispute.open(
                        id=DisputeId(self.ids.next()),
                        order_id=order.id,
                        sale_id=sale.id,
                        buyer_id=order.buyer_id,
                        seller_id=sale.seller_id,
                        reason=DisputeReason.CHARGEBACK,
                        description=f"The buyer's bank disputes the payment of order {order.reference}.",
                        currency=order.currency,
                        now=now,
                        chargeback_id=chargeback.id,
                    )
                )

    def _book(
        self,
        uow: UnitOfWork,
        order: Order,
        chargeback: Chargeback,
        movements: list[ChargebackMovement],
        now: datetime,
    ) -> None:
        for movement in movements:
            after_loss = chargeback.lost is not None
            if movement.amount < 0:
                journal = journals.chargeback_withdrawn(
                    balance_transaction_id=movement.balance_transaction_id,
                    chargeback_id=chargeback.id,
                    order_id=order.id,
                    currency=order.currency,
                    amount=-movement.amount,
                    fee=movement.fee,
                    at=now,
                )
            else:
                journal = journals.chargeback_won(
                    balance_transaction_id=movement.balance_transaction_id,
                    chargeback_id=chargeback.id,
                    order_id=order.id,
                    currency=order.currency,
                    amount=movement.amount,
                    fee=movement.fee,
                    at=now,
                    after_loss=after_loss,
                )
            uow.ledger.post(journal)
            if after_loss:
                money = Money(movement.amount, order.currency)
                reason = f"{money} moved after the loss had been shared out: decide whose it is"
                uow.record(ProviderAlarm(occurred_at=now, subject=f"chargeback {chargeback.id}", reason=reason))

    def _lose(self, uow: UnitOfWork, order: Order, chargeback: Chargeback, now: datetime) -> None:
        """The bank has given the money to the buyer: everybody bears their part of it."""
        gone, others = chargeback.withdrawn, uow.chargebacks.of_order(order.id)
        is_first = all(other.lost is None for other in others)
        back = [part.components for refund in uow.refunds.of_order(order.id) for part in refund.parts]
        loss = share_out(order, gone, back=back, is_first=is_first)
        sellers = []
        for part in loss.sales:
            sale, net = order.sale(part.sale_id), part.components.seller_net
            account = positions.take_from_seller(
                uow, order, part.sale_id, net, cause=chargeback.hold_key, ids=self.ids, now=now
            )
            sellers.append((account, net))
            order.take_back(sale, {}, items=part.items, now=now, reason="lost to a chargeback")
            end_if_all_is_back(order, sale, now=now, actor_id=None, reason="lost to a chargeback")
            returned = Money(part.items, order.currency)
            end_dispute(uow, sale, order, amount=returned, note="The buyer's bank has given the money back.", now=now)
        uow.orders.save(order)
        uow.ledger.post(
            journals.chargeback_lost(
                chargeback_id=chargeback.id,
                order_id=order.id,
                currency=order.currency,
                sellers=sellers,
                commission_seller=loss.seller_commission,
                seller_fees=loss.seller_fees,
                commission_buyer=loss.commission,
                processing=loss.processing,
                losses=loss.losses,
                at=now,
            )
        )
        chargeback.shared_out(gone)
        self._resolve(uow, chargeback, loss, now)

    def _resolve(self, uow: UnitOfWork, chargeback: Chargeback, loss: Loss | None, now: datetime) -> None:
        """The disputes that it opened end as the bank has decided."""
        lost = {} if loss is None else {part.sale_id: part.items for part in loss.sales}
        for dispute in uow.disputes.of_chargeback_for_update(chargeback.id):
            if dispute.is_open:
                items = lost.get(dispute.sale_id, 0)
                outcome = DisputeOutcome.REFUND if items else DisputeOutcome.DISMISSED
                dispute.resolve(
                    outcome,
                    note=f"The buyer's bank has decided: {chargeback.status or chargeback.stage}.",
                    now=now,
                    by=None,
                    amount=Money(items, dispute.currency) if items else None,
                )
                uow.disputes.save(dispute)

    def _let_go(self, uow: UnitOfWork, order: Order, chargeback: Chargeback, now: datetime) -> None:
        """It is over: what is left of the sellers' money goes its way. Repeating it changes nothing."""
        self._resolve(uow, chargeback, None, now)
        for sale in sorted(order.sales, key=lambda sale: sale.id):
            positions.release(uow, order, sale.id, key=chargeback.hold_key, now=now)

    def _note_silence(self, leased: Chargeback) -> None:
        with self.unit_of_work() as uow:
            chargeback = uow.chargebacks.get_for_update(leased.id)
            if chargeback.locked_until == leased.locked_until:
                chargeback.failed_to_reach(now=self.clock.now())
                uow.chargebacks.save(chargeback)
                uow.commit()


def _found(provider: ProviderChargeback, payment: Payment, *, id: ChargebackId) -> Chargeback:
    return Chargeback.found(
        id=id,
        provider_chargeback_id=provider.id,
        order_id=payment.order_id,
        payment_id=payment.id,
        amount=Money(provider.amount, payment.amount.currency),
        reason=provider.reason,
        opened_at=provider.created_at,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckChargebacks:
    """Read those that are not over, since events can be lost: for a worker."""

    check: ChargebackCheck
    limit: int = 100

    def __call__(self) -> int:
        """Check what is due, up to a bound; gives the number.

        What one check raises is noted and goes no further. Raises Unavailable when the store does not answer.
        """
        done, until = 0, self.check.clock.now() + TURN
        # What fails here is no chargeback's fault, so that the job as a whole is tried again later.
        while done < self.limit and (leased := self.check.take_next()) is not None:
            try:
                self.check.go_on(leased)
            except (PaymentBusy, Unavailable):
                # Noted with it, and it comes again later; the others need not wait for it.
                pass
            except Exception:
                # Nor for one that cannot be applied: it comes again when its lease is over.
                _log.exception("the check of chargeback %s failed", leased.id)
            done += 1
            if self.check.clock.now() >= until:
                break
        return done
