"""The provider's events: stored once each, answered at once, worked on afterwards.

What an event says is only a hint of what to read again, so it does not matter how often or in which order they come.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.application.access import Actor, require_role
from marketplace.application.payments.checking import PaymentCheck
from marketplace.application.payments.refunding import RefundCheck
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import MalformedEvent, PaymentGateway, ProviderEvent, WebhookSource
from marketplace.application.ports.payments import InboxItem, InboxStatus, WebhookInbox
from marketplace.application.ports.provider_state import SimulatedCourier
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.payments.payment import PaymentBusy, ProviderAlarm, backoff
from marketplace.domain.payout_accounts import PayoutAccountBusy
from marketplace.domain.shared.errors import MarketplaceError

MAX_EVENT = 256 * 1024
"""Bytes."""
MATCH_WITHIN = timedelta(hours=24)
"""How long an event about a payment that we do not know is kept in case we come to know it."""
MAX_ATTEMPTS = 12
LEASE_FOR = timedelta(minutes=2)

PAYMENT_EVENTS = frozenset(
    [
        "charge.failed",
        "charge.succeeded",
        "charge.updated",
        "payment_intent.canceled",
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.processing",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    ]
)
ACCOUNT_EVENTS = frozenset(
    [
        "account.application.deauthorized",
        "account.external_account.deleted",
        "account.updated",
        "capability.updated",
        "v2.core.account.closed",
        "v2.core.account[configuration.recipient].capability_status_updated",
        "v2.core.account[requirements].updated",
    ]
)
REFUND_EVENTS = frozenset(["refund.created", "refund.failed", "refund.updated"])

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiveWebhook:
    """Store an event of the provider, once, whoever brings it."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    inbox: WebhookInbox
    clock: Clock

    def __call__(
        self, *, raw: bytes, headers: Mapping[str, str], source: WebhookSource = WebhookSource.PLATFORM
    ) -> bool:
        """Whether it is new. Raises InvalidSignature and MalformedEvent; then nothing is stored."""
        if len(raw) > MAX_EVENT:
            raise MalformedEvent(f"An event has at most {MAX_EVENT} bytes, not {len(raw)}.")
        now = self.clock.now()
        event = self.gateway.parse_webhook(raw, headers, source=source, now=now)
        is_ours = event.livemode == self.gateway.livemode
        status = _status_of(event) if is_ours else InboxStatus.REJECTED
        is_new = self.inbox.store(event, status=status, now=now)
        if is_new and not is_ours:
            reason = f"livemode is {event.livemode}: it belongs to the provider's other environment"
            alarm(self.unit_of_work, event, reason, now)
        return is_new


def _status_of(event: ProviderEvent) -> InboxStatus:
    is_known = event.type in PAYMENT_EVENTS | REFUND_EVENTS | ACCOUNT_EVENTS
    return InboxStatus.WAITING if is_known else InboxStatus.IGNORED


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessWebhooks:
    """Work on stored events; any number of workers side by side."""

    unit_of_work: Callable[[], UnitOfWork]
    inbox: WebhookInbox
    clock: Clock
    check_payment: PaymentCheck
    check_refund: RefundCheck
    check_account: Callable[[str], bool]
    """Brings the seller with that account at the provider up to date; whether there is one."""
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
        except (PaymentBusy, PayoutAccountBusy) as error:
            self._retry(item, InboxStatus.WAITING, str(error))
        except MarketplaceError as error:
            self._failed(item, f"{error.code}: {error}")
        except Exception as error:
            # One event never blocks the others, whatever is wrong with it: kept, counted, shown, replayed.
            _log.exception("event %s (%s) failed", event.id, event.type)
            self._failed(item, type(error).__name__)
        else:
            now = self.clock.now()
            if is_matched:
                self.inbox.close(event.id, status=InboxStatus.DONE, error="", now=now)
            elif now >= item.received_at + MATCH_WITHIN:
                self._bury(item, f"we do not know {event.object_id}")
            else:
                self._retry(item, InboxStatus.UNMATCHED, f"we do not know {event.object_id} yet")

    def _handle(self, event: ProviderEvent) -> bool:
        """Whether it was about something of ours, which is up to date then."""
        if event.type in ACCOUNT_EVENTS:
            return self.check_account(event.account or event.object_id)
        if event.type in REFUND_EVENTS:
            with self.unit_of_work() as uow:
                refund = uow.refunds.find(refund_id=event.refund_id, provider_refund_id=event.object_id)
            if refund is None:
                return False
            self.check_refund(refund.id)
            return True
        with self.unit_of_work() as uow:
            payment = uow.payments.find(intent_id=event.intent_id, order_id=event.order_id)
        # A payment of ours by the order alone: the event may have come before the answer that names it. But an
        # order has one payment, and money that comes by another one is nobody's yet.
        if payment is None or (payment.intent_id is not None and payment.intent_id != event.intent_id):
            return False
        if not payment.is_settled:
            self.check_payment(payment.order_id)
        return True

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
                self.receive(raw=delivery.body, headers=delivery.headers)
            except MarketplaceError:
                self.courier.refused(delivery)
            else:
                self.courier.delivered(delivery)
        return len(due)
