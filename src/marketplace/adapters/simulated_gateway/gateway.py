"""The simulated payment provider, for development and tests: the same port, rules and events as the real one.

It keeps its state in a ``ProviderState``, changes it in transactions of its own, and answers the same key in the same
way. It refuses to be called while a unit of work is open, as one should never wait for a network in a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import orjson

from marketplace.adapters.simulated_gateway import accounts
from marketplace.adapters.simulated_gateway.cards import CARDS, Outcome
from marketplace.adapters.simulated_gateway.desk import SimulatedBackOffice
from marketplace.adapters.simulated_gateway.disputes import SimulatedDisputes, refuses_refunds, ripen_dispute
from marketplace.adapters.simulated_gateway.objects import (
    Object,
    balance_transaction_of,
    money_of,
    payment_of,
    refund_of,
)
from marketplace.adapters.simulated_gateway.provider import CONFIRMABLE, DISPUTE, RIPEN, Provider
from marketplace.adapters.simulated_gateway.sessions import Answer, refusal
from marketplace.adapters.simulated_gateway.signatures import HEADER, read_event, sign, verify
from marketplace.adapters.simulated_gateway.transfers import SimulatedTransfers
from marketplace.adapters.simulated_gateway.wallets import SimulatedWallets, customer_in, named_card
from marketplace.application.ports.payment_gateway import (
    AccountLink,
    ActionRequired,
    BalanceTransaction,
    CustomerUnknown,
    InvalidRequest,
    InvalidSignature,
    PaymentGateway,
    PaymentRequest,
    ProviderAccount,
    ProviderBalance,
    ProviderEvent,
    ProviderObjectUnknown,
    ProviderPayment,
    ProviderRefund,
    WebhookSource,
)
from marketplace.application.ports.provider_desk import SimulatedDesk
from marketplace.application.ports.provider_state import (
    OUR_BALANCE,
    Challenge,
    OnboardingForm,
    SignedDelivery,
    SimulatedBank,
    SimulatedCourier,
    SimulatedOnboarding,
)
from marketplace.domain.payments.payment import neutral_decline
from marketplace.domain.payout_accounts import AccountRequest
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import OrderId, RefundId
from marketplace.domain.shared.money import MAX_AMOUNT, Money

_EVENTS_ARE_KEPT = timedelta(days=30)
_RETRY_FIRST = timedelta(seconds=5)
_MAX_DELIVERIES = 12
"""With the pause doubling from five seconds on: about six hours."""


class SimulatedGateway(
    SimulatedTransfers,
    SimulatedDisputes,
    SimulatedWallets,
    SimulatedBackOffice,
    PaymentGateway,
    SimulatedBank,
    SimulatedOnboarding,
    SimulatedCourier,
    SimulatedDesk,
):
    """Payments, sellers' accounts and events are here; what else it does is in the classes before the ports'."""

    @property
    def name(self) -> str:
        return "simulated"

    @property
    def livemode(self) -> bool:
        return False

    def create_payment(self, request: PaymentRequest, *, key: str) -> ProviderPayment:
        if not 0 < request.amount.amount <= MAX_AMOUNT:
            raise InvalidRequest(f"{request.amount} cannot be paid: from the smallest unit to {MAX_AMOUNT} of them.")
        parameters = {
            "order_id": request.order_id,
            "payment_id": request.payment_id,
            "amount": request.amount.amount,
            "currency": request.amount.currency,
            "description": request.description,
        }
        if request.customer_id is not None:
            parameters["customer_id"] = request.customer_id

        def create(provider: Provider) -> Answer:
            if request.customer_id is not None:
                _refuse_unknown_customer(provider, request.customer_id)
            return {"object": provider.create(request)}

        return payment_of(self._once("create_payment", key, parameters, create)["object"], None)

    def get_payment(self, intent_id: str) -> ProviderPayment:
        return self._payment(intent_id)

    def find_payment(self, order_id: OrderId, *, since: datetime) -> ProviderPayment | None:
        with self._provider() as provider:
            made = provider.state.children("payment_intent", str(order_id))
        recent = [intent["id"] for intent in made if intent["created"] >= int(since.timestamp())]
        return self._payment(recent[-1]) if recent else None

    def name_buyer(self, intent_id: str, customer_id: str, *, key: str) -> ProviderPayment:
        def name(provider: Provider) -> Answer:
            intent = _intent(provider, intent_id)
            _refuse_unknown_customer(provider, customer_id)
            if intent["status"] not in CONFIRMABLE:
                return refusal("in_state", f"Payment {intent_id} is {intent['status']}; it stays what it is.")
            if intent["customer"] not in (None, customer_id):
                return refusal("invalid", f"Payment {intent_id} is another buyer's for good.")
            intent["customer"] = customer_id
            provider.keep_intent(intent)
            return {"object": intent}

        parameters = {"intent_id": intent_id, "customer_id": customer_id}
        return payment_of(self._once("name_buyer", key, parameters, name)["object"], None)

    def confirm_payment(
        self, intent_id: str, *, payment_method: str, return_url: str | None, key: str
    ) -> ProviderPayment:
        parameters = {"intent_id": intent_id, "payment_method": payment_method, "return_url": return_url}

        def confirm(provider: Provider) -> Answer:
            intent = _intent(provider, intent_id)
            named = named_card(provider, payment_method, customer=intent["customer"])
            card = CARDS[named]
            if card.outcome is Outcome.ASKS_THE_BUYER and return_url is None:
                raise ActionRequired("The bank wants to see the buyer, and there is no address to return to.")
            if intent["status"] not in CONFIRMABLE:
                return refusal("in_state", f"Payment {intent_id} is {intent['status']}; it cannot be paid again.")
            page = f"{self._public_url}/dev/payments/{intent_id}/"
            provider.confirm(intent, payment_method, named=named, page=page, return_url=return_url or "")
            if card.outcome is Outcome.DECLINED:
                code = neutral_decline(card.decline_code)
                return refusal("declined", "The payment was declined; try another card.", decline_code=code)
            return {"object": intent}

        return payment_of(self._once("confirm_payment", key, parameters, confirm)["object"], None)

    def cancel_payment(self, intent_id: str, *, key: str) -> ProviderPayment:
        def cancel(provider: Provider) -> Answer:
            intent = _intent(provider, intent_id)
            if intent["status"] not in CONFIRMABLE:
                return refusal("in_state", f"Payment {intent_id} is {intent['status']}; it cannot be cancelled.")
            provider.cancel(intent)
            return {"object": intent}

        return payment_of(self._once("cancel_payment", key, {"intent_id": intent_id}, cancel)["object"], None)

    def refund(
        self, intent_id: str, *, amount: Money, reason: str, metadata: Mapping[str, str], key: str
    ) -> ProviderRefund:
        parameters = {"intent_id": intent_id, "amount": amount.amount, "reason": reason, "metadata": dict(metadata)}

        def refund(provider: Provider) -> Answer:
            intent = _intent(provider, intent_id)
            charge = provider.found(intent["latest_charge"]) if intent["status"] == "succeeded" else None
            if charge is not None and refuses_refunds(provider, charge):
                return refusal("refund", f"Payment {intent_id} is charged back: the bank has the money.")
            left = charge["amount"] - charge["amount_refunded"] if charge else 0
            if charge is None or amount.currency != money_of(charge).currency or not 0 < amount.amount <= left:
                return refusal(
                    "refund", f"{amount} of payment {intent_id} cannot go back: {left} minor units are left."
                )
            return {"object": provider.refund(charge, amount=amount.amount, reason=reason, metadata=metadata)}

        return refund_of(self._once("refund", key, parameters, refund)["object"])

    def find_refund(self, intent_id: str, refund_id: RefundId) -> ProviderRefund | None:
        with self._provider() as provider:
            made = [refund_of(refund) for refund in provider.state.children("refund", intent_id)]
        # The last one that was made: what failed before may have been tried again under our same name.
        return next((refund for refund in reversed(made) if refund.refund_id == refund_id), None)

    def create_account(self, request: AccountRequest, *, key: str) -> ProviderAccount:
        def create(provider: Provider) -> Answer:
            return {"object": accounts.open_account(provider, request)}

        made = self._once("create_account", key, accounts.parameters_of(request), create)
        return accounts.account_of(made["object"])

    def get_account(self, provider_account_id: str) -> ProviderAccount:
        with self._provider() as provider:
            return accounts.account_of(accounts.account_in(provider, provider_account_id))

    def account_link(self, provider_account_id: str, *, return_url: str, refresh_url: str) -> AccountLink:
        with self._provider() as provider:
            account = accounts.account_in(provider, provider_account_id)
            return accounts.link_to(
                provider, account, public_url=self._public_url, return_url=return_url, refresh_url=refresh_url
            )

    def balance(self, currency: str) -> ProviderBalance:
        with self._provider() as provider:
            available, pending = provider.funds(OUR_BALANCE, currency)
        return ProviderBalance(currency=currency, available=available, pending=pending)

    def balance_transactions(self, *, since: datetime, after: str | None, limit: int) -> Sequence[BalanceTransaction]:
        with self._provider() as provider:
            found = provider.state.listing("balance_transaction", since=since, after=after, limit=limit)
        return [balance_transaction_of(movement) for movement in found]

    def events(self, *, since: datetime, after: str | None, limit: int) -> Sequence[ProviderEvent]:
        oldest = max(since, self._clock.now() - _EVENTS_ARE_KEPT)
        with self._provider() as provider:
            told = provider.state.told(since=oldest, after=after, limit=limit)
        return [read_event(event.body.encode()) for event in told]

    def parse_webhook(
        self, raw: bytes, headers: Mapping[str, str], *, source: WebhookSource, now: datetime
    ) -> ProviderEvent:
        header = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), None)
        if header is None:
            raise InvalidSignature(f"There is no {HEADER} header.")
        verify(raw, header, self._secrets, now=now)
        return read_event(raw)

    # --- the bank's page

    def challenge(self, intent_id: str) -> Challenge:
        with self._provider() as provider:
            intent = _waiting_intent(provider, intent_id)
        return Challenge(
            intent_id=intent_id,
            amount=money_of(intent),
            description=intent["description"],
            return_url=intent["next_action"]["redirect_to_url"]["return_url"],
        )

    def answer(self, intent_id: str, *, succeed: bool) -> str:
        with self._provider() as provider:
            intent = _waiting_intent(provider, intent_id)
            return_url: str = intent["next_action"]["redirect_to_url"]["return_url"]
            if succeed:
                provider.succeed(intent)
            else:
                code = "payment_intent_authentication_failure"
                provider.decline(intent, code=code, decline_code="authentication_failed")
        return return_url

    # --- the page that asks sellers about themselves

    def onboarding(self, account: str, *, link: str | None) -> OnboardingForm:
        with self._provider() as provider:
            return accounts.form_of(provider, account, link)

    def finish_onboarding(self, account: str, *, link: str | None, succeed: bool) -> OnboardingForm:
        with self._provider() as provider:
            form = accounts.form_of(provider, account, link, use=True)
            if not form.expired:
                accounts.decide(provider, account, succeed=succeed)
        return form

    # --- the courier of its events

    def due_deliveries(self, *, lease_for: timedelta, limit: int) -> Sequence[SignedDelivery]:
        now = self._clock.now()
        due = []
        for event in self._state.lease_events(now=now, lease_for=lease_for, limit=limit):
            if event.type in (RIPEN, DISPUTE):
                with self._provider() as provider:
                    if event.type == RIPEN:
                        provider.ripen(event.body)
                    else:
                        ripen_dispute(provider, event.body)
                self._state.delivered(event.id, now=now)
                continue
            body = event.body.encode()
            headers = {HEADER: sign(body, self._secrets[0], now=now), "Content-Type": "application/json"}
            source = WebhookSource.CONNECT if "account" in orjson.loads(body) else WebhookSource.PLATFORM
            due.append(
                SignedDelivery(event_id=event.id, source=source, body=body, headers=headers, attempts=event.attempts)
            )
        return due

    def delivered(self, delivery: SignedDelivery) -> None:
        self._state.delivered(delivery.event_id, now=self._clock.now())

    def refused(self, delivery: SignedDelivery) -> None:
        pause = _RETRY_FIRST * (1 << delivery.attempts)
        given_up = delivery.attempts >= _MAX_DELIVERIES
        self._state.refused(delivery.event_id, retry_at=None if given_up else self._clock.now() + pause)

    # --- what they share

    def _payment(self, intent_id: str) -> ProviderPayment:
        with self._provider() as provider:
            intent = _intent(provider, intent_id)
            movements = provider.state.children("balance_transaction", intent["latest_charge"] or "")
        return payment_of(intent, movements[0] if movements else None)


def _intent(provider: Provider, intent_id: str) -> Object:
    intent = provider.state.get(intent_id)
    if intent is None or intent["object"] != "payment_intent":
        raise ProviderObjectUnknown(f"The provider has no payment {intent_id!r}.")
    return intent


def _refuse_unknown_customer(provider: Provider, customer_id: str) -> None:
    """Raises CustomerUnknown."""
    try:
        customer_in(provider, customer_id)
    except ProviderObjectUnknown as error:
        raise CustomerUnknown(str(error)) from error


def _waiting_intent(provider: Provider, intent_id: str) -> Object:
    intent = provider.state.get(intent_id)
    if intent is None or intent["object"] != "payment_intent":
        raise NotFound(f"There is no payment {intent_id}.")
    if intent["status"] != "requires_action":
        raise Conflict(f"This payment does not wait for its buyer: it is {intent['status']}.")
    return intent
