"""Buyers at the simulated provider, and the cards that they save there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from marketplace.adapters.simulated_gateway.cards import CARDS, brand_of
from marketplace.adapters.simulated_gateway.objects import Object
from marketplace.adapters.simulated_gateway.provider import Provider
from marketplace.adapters.simulated_gateway.sessions import Answer, Sessions
from marketplace.application.ports.payment_gateway import (
    PaymentDeclined,
    ProviderObjectUnknown,
    UnknownPaymentMethod,
)
from marketplace.application.ports.saved_cards import CardSetup, CustomerRequest, ProviderCustomer, SavedCard
from marketplace.domain.payments.payment import neutral_decline
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import AccountId

MAX_CARDS = 100
_EXPIRES_AFTER = 4
"""Years."""


class SimulatedWallets(Sessions):
    def create_customer(self, request: CustomerRequest, *, key: str) -> ProviderCustomer:
        # Nothing of who it is stays here: the database of the marketplace is no place for a second copy of that.
        who = f"{request.email}\n{request.name}\n{request.language}"
        parameters = {"account_id": request.account_id, "who": hashlib.sha256(who.encode()).hexdigest()}

        def create(provider: Provider) -> Answer:
            customer: Object = {
                "id": provider.name("cus"),
                "object": "customer",
                "created": provider.seconds,
                "deleted": False,
                "livemode": False,
                "metadata": {"account_id": str(request.account_id)},
            }
            _keep_customer(provider, customer)
            return {"object": customer}

        made = self._once("create_customer", key, parameters, create)["object"]
        return ProviderCustomer(id=made["id"], account_id=AccountId(int(made["metadata"]["account_id"])))

    def forget_customer(self, customer_id: str) -> None:
        with self._provider() as provider:
            customer = provider.state.get(customer_id)
            if customer is None or customer["object"] != "customer" or customer["deleted"]:
                return
            customer["deleted"] = True
            _keep_customer(provider, customer)
            for card in provider.state.children("payment_method", customer_id):
                provider.state.put(
                    {**card, "customer": None}, kind="payment_method", parent=customer_id, at=provider.now
                )
            provider.tell("customer.deleted", customer)

    def set_up_card(self, customer_id: str, *, key: str) -> CardSetup:
        def set_up(provider: Provider) -> Answer:
            customer_in(provider, customer_id)
            id = provider.name("seti")
            setup: Object = {
                "id": id,
                "object": "setup_intent",
                "client_secret": f"{id}_secret_{provider.token()}",
                "created": provider.seconds,
                "customer": customer_id,
                "last_setup_error": None,
                "livemode": False,
                "metadata": {},
                "payment_method": None,
                "status": "requires_payment_method",
                "usage": "off_session",
            }
            _keep_setup(provider, setup)
            return {"object": setup}

        setup = self._once("set_up_card", key, {"customer_id": customer_id}, set_up)["object"]
        return _card_setup_of(setup)

    def get_card_setup(self, setup_id: str) -> CardSetup:
        with self._provider() as provider:
            setup = provider.state.read(setup_id)
        if setup is None or setup["object"] != "setup_intent":
            raise ProviderObjectUnknown(f"The provider saves nothing by {setup_id!r}.")
        return _card_setup_of(setup)

    def list_cards(self, customer_id: str) -> Sequence[SavedCard]:
        with self._provider() as provider:
            customer_in(provider, customer_id)
            cards = provider.state.children("payment_method", customer_id)
        return [saved_card_of(card) for card in reversed(cards) if card["customer"] is not None][:MAX_CARDS]

    def get_card(self, card_id: str) -> SavedCard:
        with self._provider() as provider:
            return saved_card_of(_card_in(provider.state.read(card_id), card_id))

    def remove_card(self, card_id: str, *, key: str) -> None:
        def remove(provider: Provider) -> Answer:
            card = _card_in(provider.state.get(card_id), card_id)
            if card["customer"] is not None:
                was, card["customer"] = card["customer"], None
                provider.state.put(card, kind="payment_method", parent=was, at=provider.now)
                provider.tell("payment_method.detached", card)
            return {"object": card}

        try:
            self._once("remove_card", key, {"card_id": card_id}, remove)
        except ProviderObjectUnknown:
            return

    # --- what the buyer's client does

    def finish_setup(self, setup_id: str, *, payment_method: str) -> SavedCard:
        if payment_method not in CARDS:
            message = f"{payment_method!r} is not a test card of the provider, such as pm_card_visa."
            raise UnknownPaymentMethod(message, errors={"payment_method": [message]})
        named = CARDS[payment_method]
        with self._provider() as provider:
            setup = _setup_in(provider, setup_id)
            if setup["status"] == "succeeded":
                raise Conflict(f"{setup_id} is finished: a card was saved by it.")
            card = _save(provider, setup, payment_method) if named.can_be_saved else None
            if card is None:
                setup["last_setup_error"] = {"code": named.code, "decline_code": named.decline_code}
                _keep_setup(provider, setup)
                provider.tell("setup_intent.setup_failed", setup)
        if card is None:
            code = neutral_decline(named.decline_code)
            raise PaymentDeclined("The card was declined; try another one.", decline_code=code)
        return saved_card_of(card)

    def setup_customer(self, setup_id: str) -> str | None:
        with self._provider() as provider:
            setup = _setup_in(provider, setup_id)
        customer: str = setup["customer"]
        return customer if setup["status"] != "succeeded" else None


def customer_in(provider: Provider, id: str) -> Object:
    """Locked. Raises ProviderObjectUnknown, also for one who was deleted."""
    customer = provider.state.get(id)
    if customer is None or customer["object"] != "customer" or customer["deleted"]:
        raise ProviderObjectUnknown(f"The provider has no customer {id!r}.")
    return customer


def named_card(provider: Provider, payment_method: str, *, customer: str | None) -> str:
    """The name of the test card that a payment method is. Raises UnknownPaymentMethod, also for somebody else's."""
    if payment_method in CARDS:
        return payment_method
    card = provider.state.read(payment_method)
    if card is None or card["object"] != "payment_method":
        message = f"{payment_method!r} is not a payment method that the provider knows, such as pm_card_visa."
    elif customer is None or card["customer"] != customer:
        message = f"{payment_method!r} is not a payment method of the buyer who pays."
    else:
        named: str = card["simulated_card"]
        return named
    raise UnknownPaymentMethod(message, errors={"payment_method": [message]})


def saved_card_of(card: Object) -> SavedCard:
    facts = card["card"]
    return SavedCard(
        id=card["id"],
        customer_id=card["customer"],
        type=card["type"],
        brand=facts["brand"],
        last4=facts["last4"],
        expires_month=facts["exp_month"],
        expires_year=facts["exp_year"],
    )


def _card_setup_of(setup: Object) -> CardSetup:
    return CardSetup(
        id=setup["id"],
        customer_id=setup["customer"],
        status=setup["status"],
        client_secret=setup["client_secret"],
    )


def _save(provider: Provider, setup: Object, named: str) -> Object:
    brand, last4 = brand_of(named)
    card: Object = {
        "id": provider.name("pm"),
        "object": "payment_method",
        "card": {
            "brand": brand,
            "exp_month": provider.now.month,
            "exp_year": provider.now.year + _EXPIRES_AFTER,
            "last4": last4,
        },
        "created": provider.seconds,
        "customer": setup["customer"],
        "livemode": False,
        "metadata": {},
        "simulated_card": named,
        "type": "card",
    }
    customer_in(provider, setup["customer"])
    provider.state.put(card, kind="payment_method", parent=setup["customer"], at=provider.now)
    setup.update(status="succeeded", payment_method=card["id"], last_setup_error=None)
    _keep_setup(provider, setup)
    provider.tell("payment_method.attached", card)
    provider.tell("setup_intent.succeeded", setup)
    return card


def _card_in(card: Object | None, id: str) -> Object:
    if card is None or card["object"] != "payment_method":
        raise ProviderObjectUnknown(f"The provider has no payment method {id!r}.")
    return card


def _setup_in(provider: Provider, id: str) -> Object:
    setup = provider.state.get(id)
    if setup is None or setup["object"] != "setup_intent":
        raise NotFound(f"Nobody is saving a card by {id}.")
    return setup


def _keep_customer(provider: Provider, customer: Object) -> None:
    provider.state.put(customer, kind="customer", parent=customer["metadata"]["account_id"], at=provider.now)


def _keep_setup(provider: Provider, setup: Object) -> None:
    provider.state.put(setup, kind="setup_intent", parent=setup["customer"], at=provider.now)
