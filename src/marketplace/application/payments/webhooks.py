"""The provider's events: stored once each, answered at once, worked on afterwards.

What an event says is only a hint of what to read again, so it does not matter how often or in which order they come.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from marketplace.application.access import Actor, require_role
from marketplace.application.payments.checking import PaymentCheck, PaymentLost
from marketplace.application.payments.event_topics import Topic, topic_of
from marketplace.application.payments.refunding import RefundCheck
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import (
    InvalidSignature,
    MalformedEvent,
    PaymentGateway,
    ProviderEvent,
    SignedAtAnotherTime,
    WebhookSource,
)
from marketplace.application.ports.payments import InboxItem, InboxStatus, WebhookInbox
from marketplace.application.ports.provider_events import Refusal, WebhookRefusals
from marketplace.application.ports.provider_state import SimulatedCourier
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.payments.payment import Payment, PaymentBusy, ProviderAlarm, backoff
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.payout_accounts import PayoutAccountBusy
from marketplace.domain.payout_states import PayoutBusy
from marketplace.domain.recoveries import RecoveryBusy
from marketplace.domain.shared.errors import MarketplaceError, Unavailable

MAX_EVENT = 256 * 1024
"""Bytes."""
TRY_FOR = timedelta(hours=24)
"""How long an event is tried that is about something we do not know, in case we come to know it; and one about which
nobody answers."""
MAX_ATTEMPTS = 12
LEASE_FOR = timedelta(minutes=2)

_BUSY = (PaymentBusy, PayoutAccountBusy, PayoutBusy, RecoveryBusy)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepEvent:
    """Store an event that is surely the provider's, once, however it came here."""

    unit_of_work: Callable[[], UnitOfWork]
    inbox: WebhookInbox
    livemode: bool

    def __call__(self, event: ProviderEvent, *, now: datetime) -> bool:
        """Whether it is new. One of the other environment is set aside, with an alarm."""
        wrong = _environments_of(event) - {self.livemode}
        status = InboxStatus.WAITING if topic_of(event) is not None else InboxStatus.IGNORED
        is_new = self.inbox.store(event, status=InboxStatus.REJECTED if wrong else status, now=now)
        if is_new and wrong:
            reason = f"livemode is {not self.livemode}: it belongs to the provider's other environment"
            alarm(self.unit_of_work, event, reason, now)
        return is_new


def _environments_of(event: ProviderEvent) -> set[bool]:
    """What the event says, and what its object says."""
    data = event.payload.get("data")
    about = data.get("object") if isinstance(data, Mapping) else None
    told = about.get("livemode") if isinstance(about, Mapping) else None
    return {event.livemode, told} if isinstance(told, bool) else {event.livemode}


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiveWebhook:
    """Take an event from whoever brings it, if it is signed; what is refused is counted."""

    gateway: PaymentGateway
    keep: KeepEvent
    refusals: WebhookRefusals
    clock: Clock

    def __call__(
        self, *, raw: bytes, headers: Mapping[str, str], source: WebhookSource = WebhookSource.PLATFORM
    ) -> bool:
        """Whether it is new. Raises InvalidSignature and MalformedEvent; then nothing of it is stored."""
        if len(raw) > MAX_EVENT:
            self.refuse_size(source)
        now = self.clock.now()
        try:
            event = self.gateway.parse_webhook(raw, headers, source=source, now=now)
        except SignedAtAnotherTime as error:
            self._count(source, Refusal.TIME, now, seconds_off=error.seconds_off)
            raise
        except InvalidSignature:
            self._count(source, Refusal.SIGNATURE, now)
            raise
        except MalformedEvent:
            self._count(source, Refusal.CONTENT, now)
            raise
        return self.keep(event, now=now)

    def refuse_size(self, source: WebhookSource) -> NoReturn:
        """What is too large is not read, whoever signed it. Raises MalformedEvent."""
        self._count(source, Refusal.CONTENT, self.clock.now())
        raise MalformedEvent(f"An event has at most {MAX_EVENT} bytes.")

    def _count(self, source: WebhookSource, refusal: Refusal, now: datetime, *, seconds_off: int = 0) -> None:
        try:
            self.refusals.note(source, refusal, seconds_off=seconds_off, now=now)
        except Unavailable:
            # It is refused all the same: nothing that could not be counted gets in.
            _log.warning("a refused event could not be counted", exc_info=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessWebhooks:
    """Work on stored events; any number of workers side by side.

    Each ``check_`` brings something up to date with the provider and says whether it is ours. What nobody follows is
    left alone: None.
    """

    unit_of_work: Callable[[], UnitOfWork]
    inbox: WebhookInbox
    clock: Clock
    check_payment: PaymentCheck
    check_refund: RefundCheck
    check_account: Callable[[str], bool]
    check_chargeback: Callable[[str], bool] | None = None
    check_transfer: Callable[[str], bool] | None = None
    check_platform_payout: Callable[[str], bool] | None = None
    check_card: Callable[[ProviderEvent], bool] | None = None
    batch_size: int = 20

    def __call__(self) -> int:
        """Work on one batch; gives the number of events that were tried, 0 when nothing was due.

        What an event raises is noted with it, and goes no further: it comes again.
        """
        started = self.clock.now()
        tried = 0
        for item in self.inbox.lease(now=started, lease_for=LEASE_FOR, limit=self.batch_size):
            # Whatever the slow ones left no time for is leased again, by whichever worker is free.
            if tried and self.clock.now() >= started + LEASE_FOR / 2:
                break
            self._process(item)
            tried += 1
        return tried

    def _process(self, item: InboxItem) -> None:
        event = item.event
        try:
            is_matched = self._handle(event)
        except _BUSY as error:
            self._retry(item, InboxStatus.WAITING, str(error))
        except PaymentLost as error:
            self._failed(item, f"{error.code}: {error}")
        except Unavailable as error:
            # The provider, or our store, is silent: no fault of the event, however often. It waits, but not for ever.
            self._wait(item, InboxStatus.WAITING, f"{error.code}: {error}")
        except MarketplaceError as error:
            self._failed(item, f"{error.code}: {error}")
        except Exception as error:
            # One event never blocks the others, whatever is wrong with it: kept, counted, shown, replayed.
            _log.exception("event %s (%s) failed", event.id, event.type)
            self._failed(item, type(error).__name__)
        else:
            now = self.clock.now()
            if is_matched is None:
                self.inbox.close(event.id, status=InboxStatus.IGNORED, error="", now=now)
            elif is_matched:
                self.inbox.close(event.id, status=InboxStatus.DONE, error="", now=now)
            else:
                self._wait(item, InboxStatus.UNMATCHED, f"we do not know {event.object_id}")

    def _handle(self, event: ProviderEvent) -> bool | None:
        """Whether it was about something of ours, which is up to date then. None for what nobody follows."""
        topic, id = topic_of(event), event.object_id
        match topic:
            case Topic.PAYMENT:
                return self._check_payment(event)
            case Topic.REFUND:
                return self._check_refund(event)
            case Topic.CHARGE_REFUND:
                return self._check_refunds(event)
            case Topic.FRAUD_WARNING:
                return self._warn(event)
            case Topic.ACCOUNT:
                return self.check_account(event.account or id)
            case Topic.CHARGEBACK:
                return self.check_chargeback and self.check_chargeback(id)
            case Topic.TRANSFER:
                return self.check_transfer and self.check_transfer(id)
            case Topic.PLATFORM_PAYOUT:
                return self.check_platform_payout and self.check_platform_payout(id)
            case Topic.CARD:
                return self.check_card and self.check_card(event)
        return None

    def _check_payment(self, event: ProviderEvent) -> bool:
        payment = self._payment_of(event)
        if payment is None:
            return False
        if not payment.is_settled:
            self.check_payment(payment.order_id)
            if payment.intent_id is None:
                # Its creation was repeated, and answered as it was then: what the event tells of came later.
                self.check_payment(payment.order_id)
        return True

    def _check_refund(self, event: ProviderEvent) -> bool:
        with self.unit_of_work() as uow:
            refund = uow.refunds.find(refund_id=event.refund_id, provider_refund_id=event.object_id)
        if refund is None:
            return False
        self.check_refund(refund.id)
        return True

    def _check_refunds(self, event: ProviderEvent) -> bool:
        """The event names the charge alone: each refund that may be meant is read."""
        payment = self._payment_of(event)
        if payment is None:
            return False
        with self.unit_of_work() as uow:
            refunds = uow.refunds.of_order(payment.order_id)
        for refund in refunds:
            if refund.status in (RefundStatus.SENDING, RefundStatus.PENDING):
                self.check_refund(refund.id)
        return True

    def _warn(self, event: ProviderEvent) -> bool:
        payment = self._payment_of(event)
        if payment is None:
            return False
        order = f"the payment of order {payment.order_id}"
        reason = f"{order} may be fraud, says the buyer's bank: look at the order before it is shipped"
        alarm(self.unit_of_work, event, reason, self.clock.now())
        return True

    def _payment_of(self, event: ProviderEvent) -> Payment | None:
        """A payment of ours by the order alone: the event may have come before the answer that names it. But an order
        has one payment, and money that comes by another one is nobody's yet."""
        with self.unit_of_work() as uow:
            payment = uow.payments.find(intent_id=event.intent_id, order_id=event.order_id)
        is_another = payment is not None and payment.intent_id not in (None, event.intent_id)
        return None if is_another else payment

    def _wait(self, item: InboxItem, status: InboxStatus, why: str) -> None:
        if self.clock.now() >= item.received_at + TRY_FOR:
            self._bury(item, why)
        else:
            self._retry(item, status, why)

    def _failed(self, item: InboxItem, error: str) -> None:
        if item.attempts >= MAX_ATTEMPTS:
            self._bury(item, error)
        else:
            self._retry(item, InboxStatus.WAITING, error)

    def _retry(self, item: InboxItem, status: InboxStatus, error: str) -> None:
        at = self.clock.now() + backoff(item.attempts - 1)
        self.inbox.retry(item.event.id, status=status, error=error, at=at)

    def _bury(self, item: InboxItem, error: str) -> None:
        now = self.clock.now()
        self.inbox.close(item.event.id, status=InboxStatus.DEAD, error=error, now=now)
        alarm(self.unit_of_work, item.event, error, now)


def alarm(unit_of_work: Callable[[], UnitOfWork], event: ProviderEvent, reason: str, now: datetime) -> None:
    """Tell the operators of an event that they have to look at."""
    with unit_of_work() as uow:
        uow.record(ProviderAlarm(occurred_at=now, subject=f"{event.type} {event.id}", reason=reason))
        uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayWebhooks:
    """Try again what was given up."""

    unit_of_work: Callable[[], UnitOfWork]
    inbox: WebhookInbox
    clock: Clock

    def __call__(self, *, actor: Actor, ids: tuple[str, ...] | None = None) -> int:
        """``ids`` of events, None for all of them; gives the number. Raises Forbidden."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            # Before it is done, in a transaction of its own: what was done and not noted would be worse.
            named = {"ids": "all" if ids is None else ids}
            uow.audit.add(actor.did("webhooks.replayed", "webhooks", "dead_events", now=now, after=named))
            uow.commit()
        return self.inbox.replay(ids, now=now)


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeWebhooks:
    """Forget events that were done with long ago: what they say of buyers is kept no longer than it is of use."""

    inbox: WebhookInbox
    clock: Clock
    keep_for: timedelta = timedelta(days=90)
    limit: int = 1_000

    def __call__(self) -> int:
        """One batch; gives the number. Raises Unavailable when the store does not answer."""
        return self.inbox.purge(closed_before=self.clock.now() - self.keep_for, limit=self.limit)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliverSimulatedEvents:
    """Bring the simulated provider's events to ``receive``, as the real one does by HTTP."""

    courier: SimulatedCourier
    receive: Callable[..., object]
    limit: int = 50

    def __call__(self) -> int:
        """Deliver what is due, up to a bound; gives the number.

        An event that ``receive`` refuses, with any error of ours, comes again later; other errors are raised.
        """
        due = self.courier.due_deliveries(lease_for=LEASE_FOR, limit=self.limit)
        for delivery in due:
            try:
                self.receive(raw=delivery.body, headers=delivery.headers, source=delivery.source)
            except MarketplaceError:
                self.courier.refused(delivery)
            else:
                self.courier.delivered(delivery)
        return len(due)
