"""Buyers at Stripe, and the payment methods that they keep there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from marketplace.adapters.stripe_gateway.client import PAGE, Object, StripeApi, named, reading, rows_of
from marketplace.adapters.stripe_gateway.methods import SLOW_ONCE_SAVED
from marketplace.adapters.stripe_gateway.shapes import name_of, remembered, text
from marketplace.application.ports.payment_gateway import (
    InvalidRequest,
    ProviderObjectUnknown,
    UnknownPaymentMethod,
)
from marketplace.application.ports.saved_cards import CardSetup, CustomerRequest, ProviderCustomer, SavedCard
from marketplace.domain.shared.ids import AccountId

if TYPE_CHECKING:
    from stripe.params import CustomerCreateParams, SetupIntentCreateParams


class Cards:
    _api: StripeApi

    def create_customer(self, request: CustomerRequest, *, key: str) -> ProviderCustomer:
        what = "make a buyer known"
        params: CustomerCreateParams = {
            "email": request.email,
            "preferred_locales": [request.language],
            "metadata": {"account_id": str(request.account_id)},
        }
        if request.name:
            params["name"] = request.name
        made = self._api.send(what, lambda client, options: client.v1.customers.create(params, options), key=key)
        with reading(what):
            return ProviderCustomer(id=made["id"], account_id=remembered(made, "account_id", AccountId))

    def forget_customer(self, customer_id: str) -> None:
        try:
            name = named(customer_id)
            self._api.send("forget a buyer", lambda client, options: client.v1.customers.delete(name, {}, options))
        except ProviderObjectUnknown:
            pass

    def set_up_card(self, customer_id: str, *, key: str) -> CardSetup:
        what = "save a payment method"
        params: SetupIntentCreateParams = {
            "customer": named(customer_id),
            "usage": "off_session",
            "automatic_payment_methods": {"enabled": True},
            "excluded_payment_method_types": [*SLOW_ONCE_SAVED],
        }
        made = self._api.send(what, lambda client, options: client.v1.setup_intents.create(params, options), key=key)
        return _setup_of(made, what)

    def get_card_setup(self, setup_id: str) -> CardSetup:
        name, what = named(setup_id), "read how far a payment method is saved"
        return _setup_of(self._api.read(what, lambda client: client.v1.setup_intents.retrieve(name)), what)

    def list_cards(self, customer_id: str) -> Sequence[SavedCard]:
        name, what = named(customer_id), "list payment methods"
        found = self._api.read(what, lambda client: client.v1.customers.payment_methods.list(name, {"limit": PAGE}))
        return [_card_of(method, what) for method in rows_of(found)]

    def get_card(self, card_id: str) -> SavedCard:
        name, what = named(card_id), "read a payment method"
        try:
            return _card_of(self._api.read(what, lambda client: client.v1.payment_methods.retrieve(name)), what)
        except UnknownPaymentMethod as error:
            raise ProviderObjectUnknown(str(error)) from error

    def remove_card(self, card_id: str, *, key: str) -> None:
        name = named(card_id)
        try:
            self._api.send(
                "remove a payment method",
                lambda client, options: client.v1.payment_methods.detach(name, {}, options),
                key=key,
            )
        except (ProviderObjectUnknown, UnknownPaymentMethod):
            pass
        except InvalidRequest:
            if self.get_card(name).customer_id is not None:
                raise


def _setup_of(setup: Object, what: str) -> CardSetup:
    with reading(what):
        return CardSetup(
            id=setup["id"],
            customer_id=name_of(setup.get("customer")),
            status=setup["status"],
            client_secret=setup["client_secret"],
        )


def _card_of(method: Object, what: str) -> SavedCard:
    with reading(what):
        card = method.get("card")
        facts = card if isinstance(card, dict) else {}
        return SavedCard(
            id=method["id"],
            customer_id=name_of(method.get("customer")),
            type=method["type"],
            brand=text(facts.get("brand")),
            last4=text(facts.get("last4")),
            expires_month=facts.get("exp_month"),
            expires_year=facts.get("exp_year"),
        )
