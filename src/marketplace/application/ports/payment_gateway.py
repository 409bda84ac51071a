"""The payment provider: what the marketplace asks of it, in the marketplace's words.

Every command carries an idempotency key, made from our own identities and recorded before it is sent: the same key
again gives the same answer and has no second effect. Nothing here is called while a unit of work is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from marketplace.application.ports.chargebacks import ChargebackGateway
from marketplace.application.ports.saved_cards import CardGateway
from marketplace.application.ports.transfers import TransferGateway
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.payout_accounts import AccountRequest, AccountState
from marketplace.domain.shared.errors import Conflict, Invalid, NotFound, Unavailable
from marketplace.domain.shared.ids import AccountId, OrderId, PaymentId, RefundId
from marketplace.domain.shared.money import Money


class PaymentDeclined(Conflict):
    """The buyer's bank or the provider said no; another card may do. ``decline_code`` is fit to be shown."""

    code = "payment_declined"


class ActionRequired(Conflict):
    """The buyer has to confirm in person, and no page was named to return to."""

    code = "authentication_required"


class UnknownPaymentMethod(Invalid):
    """The provider does not know this payment method."""


class ProviderObjectUnknown(NotFound):
    """The provider knows no such object: a fault of ours, or its other environment."""

    code = "provider_object_unknown"


class AlreadyInState(Conflict):
    """The object has moved on, so the command makes no sense any more: read it and go on from there."""

    code = "already_in_state"


class RefundNotPossible(Conflict):
    """The provider will not give this money back: disputed, or more than is left."""

    code = "refund_not_possible"


class InvalidRequest(Invalid):
    """The provider refused the parameters: a fault of ours. Repeating does not help."""

    code = "provider_refused_request"


class CustomerUnknown(InvalidRequest):
    """The provider knows no such buyer (any more), in whose name something was to be done."""


class KeyReused(Conflict):
    """The key was used with other parameters: a fault of ours. Repeating does not help."""

    code = "provider_key_reused"


class Misconfigured(Unavailable):
    """The provider does not accept our credentials."""

    code = "provider_misconfigured"


class InProgress(Unavailable):
    """The same key is being worked on: repeat it after a pause."""

    code = "provider_busy"


class RateLimited(Unavailable):
    """Too many requests: repeat with the same key after a pause."""

    code = "provider_busy"


class OutcomeUnknown(Unavailable):
    """No usable answer: it may have happened or not. Repeat with the same key, or look it up."""

    code = "provider_silent"


class ProviderFailed(OutcomeUnknown):
    """The provider answered that it failed: nothing is under way under this key any more, and it answers so for a day.

    What it had done before it failed is shown by a look-up.
    """


class InvalidSignature(Invalid):
    """The webhook was not signed with one of our secrets, or not within the tolerated time."""

    code = "invalid_signature"


class SignedAtAnotherTime(InvalidSignature):
    """Signed with one of our secrets, but not within the tolerated time: sent again by somebody, or a clock is wrong.

    ``seconds_off`` is the time it was signed at less ours.
    """

    def __init__(self, message: str, *, seconds_off: int) -> None:
        super().__init__(message)
        self.seconds_off = seconds_off


class MalformedEvent(Invalid):
    """Signed, but not an event."""

    code = "malformed_event"


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentRequest:
    """What creates a payment. Two requests for one payment are equal, whenever they are made.

    ``customer_id`` names the buyer at the provider, so that a payment method that they saved there can be used.
    """

    payment_id: PaymentId
    order_id: OrderId
    amount: Money
    description: str
    customer_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NextAction:
    """What the buyer has to do, as the client library expects it; ``url`` empty unless it is a redirect."""

    type: str
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderPayment:
    """A payment as the provider has it now. Amounts in minor units.

    ``decline_code`` is that of the last attempt, empty unless it was declined. ``fee`` and ``balance_transaction_id``
    may be known later than the success, and with them ``settled_in``, the currency in which the money came to our
    balance: the ``fee`` is in that one. ``order_id`` is what we gave it to remember, and ``customer_id`` the
    buyer's name there, whose saved payment methods can pay it.
    """

    id: str
    status: PaymentStatus
    amount: int
    amount_received: int
    currency: str
    client_secret: str | None = field(repr=False)
    order_id: OrderId | None
    livemode: bool
    charge_id: str | None = None
    balance_transaction_id: str | None = None
    fee: int | None = None
    settled_in: str | None = None
    decline_code: str = ""
    next_action: NextAction | None = None
    customer_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderRefund:
    """``status`` is pending, succeeded or failed. ``refund_id`` is what we gave it to remember."""

    id: str
    status: RefundStatus
    amount: int
    currency: str
    refund_id: RefundId | None
    failure_reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderBalance:
    """Minor units of ``currency``; either may be negative."""

    currency: str
    available: int
    pending: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BalanceTransaction:
    """One movement on our balance at the provider; ``net`` = ``amount`` - ``fee``, in minor units.

    ``source`` is what moved it (a charge, a refund, a transfer), empty for what has none. ``type`` and
    ``reporting_category`` are the provider's words: a chargeback and its end are both an ``adjustment``.
    """

    id: str
    type: str
    reporting_category: str
    source: str
    amount: int
    fee: int
    net: int
    currency: str
    created_at: datetime
    available_at: datetime


class PlatformPayoutStatus(StrEnum):
    """``in_transit`` to our bank; a paid one can still fail, some days later."""

    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformPayout:
    """Money on its way from our balance at the provider to our bank. Minor units."""

    id: str
    amount: int
    currency: str
    status: PlatformPayoutStatus
    balance_transaction_id: str | None
    failure_balance_transaction_id: str | None
    failure_code: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderAccount:
    """A seller's account as the provider has it now. ``seller_id`` is what we gave it to remember."""

    id: str
    seller_id: AccountId | None
    state: AccountState


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountLink:
    """A page of the provider for one seller, good once and until ``expires_at``: whoever has the address gets in."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderEvent:
    """What an event is about. The rest of it is a hint: the object itself is always read again.

    ``account`` is the seller's account at the provider that it happened to, None for our own. ``payload`` is the event
    as it came, without secrets and without what it says of who a seller is.
    """

    id: str
    type: str
    object_id: str
    intent_id: str | None
    order_id: OrderId | None
    refund_id: RefundId | None
    account: str | None
    livemode: bool
    api_version: str
    created_at: datetime
    payload: Mapping[str, Any] = field(repr=False)


class WebhookSource(StrEnum):
    """Which of our addresses an event came to: each has secrets of its own.

    ``platform``: what happens at our own account; ``connect``: at a seller's; ``thin``: notices without content.
    """

    PLATFORM = "platform"
    CONNECT = "connect"
    THIN = "thin"


class PaymentGateway(TransferGateway, ChargebackGateway, CardGateway, Protocol):
    """Every method raises OutcomeUnknown, InProgress, RateLimited or Misconfigured when it gets no usable answer.

    Methods with a ``key`` also raise KeyReused and InvalidRequest.
    """

    @property
    def name(self) -> str:
        """``stripe`` or ``simulated``."""
        ...

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""
        ...

    def create_payment(self, request: PaymentRequest, *, key: str) -> ProviderPayment:
        """Begin to collect an amount; the buyer confirms it. The same ``key`` again gives the same payment.

        Raises CustomerUnknown for a buyer who was deleted there: nothing was made then.
        """
        ...

    def get_payment(self, intent_id: str) -> ProviderPayment:
        """Raises ProviderObjectUnknown."""
        ...

    def find_payment(self, order_id: OrderId, *, since: datetime) -> ProviderPayment | None:
        """The payment that was made for an order, not before ``since``. For when the answer to creating it was lost."""
        ...

    def name_buyer(self, intent_id: str, customer_id: str, *, key: str) -> ProviderPayment:
        """Give a payment that is nobody's its buyer, so that what they saved can pay it. It is theirs for good.

        Raises AlreadyInState once it is over, CustomerUnknown, InvalidRequest when it is somebody else's, and
        ProviderObjectUnknown.
        """
        ...

    def confirm_payment(
        self, intent_id: str, *, payment_method: str, return_url: str | None, key: str
    ) -> ProviderPayment:
        """Try to pay. Raises PaymentDeclined, ActionRequired, AlreadyInState, UnknownPaymentMethod and
        ProviderObjectUnknown."""
        ...

    def cancel_payment(self, intent_id: str, *, key: str) -> ProviderPayment:
        """Raises AlreadyInState when it has succeeded or cannot be cancelled now, and ProviderObjectUnknown."""
        ...

    def refund(
        self, intent_id: str, *, amount: Money, reason: str, metadata: Mapping[str, str], key: str
    ) -> ProviderRefund:
        """Give back part of a payment or all of it. Raises RefundNotPossible and ProviderObjectUnknown."""
        ...

    def find_refund(self, intent_id: str, refund_id: RefundId) -> ProviderRefund | None:
        """The refund whose metadata carries our name for it."""
        ...

    def create_account(self, request: AccountRequest, *, key: str) -> ProviderAccount:
        """A seller's account, to which we can transfer money once the provider knows enough of the seller."""
        ...

    def get_account(self, provider_account_id: str) -> ProviderAccount:
        """Raises ProviderObjectUnknown, also when the seller has cut the account off from us."""
        ...

    def account_link(self, provider_account_id: str, *, return_url: str, refresh_url: str) -> AccountLink:
        """A new link to the page that asks the seller for what is missing. Raises ProviderObjectUnknown.

        The seller comes back to ``return_url``, whether or not anything was finished, and to ``refresh_url`` from a
        link that cannot be used any more. It has no key: repeated, it is another link.
        """
        ...

    def balance(self, currency: str) -> ProviderBalance:
        """What the provider holds for us in a currency, in minor units."""
        ...

    def balance_transactions(self, *, since: datetime, after: str | None, limit: int) -> Sequence[BalanceTransaction]:
        """Movements from ``since`` on, the oldest first, that come after the one called ``after``."""
        ...

    def get_platform_payout(self, payout_id: str) -> PlatformPayout:
        """Raises ProviderObjectUnknown."""
        ...

    def events(self, *, since: datetime, after: str | None, limit: int) -> Sequence[ProviderEvent]:
        """What the provider had to tell from ``since`` on (a month back at most), the oldest first, after the event
        called ``after``: for what never arrived."""
        ...

    def parse_webhook(
        self, raw: bytes, headers: Mapping[str, str], *, source: WebhookSource, now: datetime
    ) -> ProviderEvent:
        """Raises InvalidSignature, and MalformedEvent for what is signed and no event."""
        ...
