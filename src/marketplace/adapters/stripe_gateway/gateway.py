"""Stripe as the payment provider: separate charges and transfers, on the platform's own account (decision 25).

Each part of the port is a module; what they share, from the client to the table of errors, is in ``client``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from marketplace.adapters.stripe_gateway.accounts import Accounts, AccountsApi
from marketplace.adapters.stripe_gateway.books import Books
from marketplace.adapters.stripe_gateway.cards import Cards
from marketplace.adapters.stripe_gateway.chargebacks import Chargebacks
from marketplace.adapters.stripe_gateway.client import StripeApi
from marketplace.adapters.stripe_gateway.payments import Payments
from marketplace.adapters.stripe_gateway.refunds import Refunds
from marketplace.adapters.stripe_gateway.transfers import Transfers
from marketplace.adapters.stripe_gateway.webhooks import Webhooks
from marketplace.application.ports.payment_gateway import PaymentGateway, WebhookSource


class StripeGateway(Payments, Refunds, Accounts, Transfers, Chargebacks, Cards, Books, Webhooks, PaymentGateway):
    """``currency`` is what sellers are paid in; ``secrets`` are those of each address that events come to."""

    def __init__(
        self,
        api: StripeApi,
        *,
        currency: str,
        secrets: Mapping[WebhookSource, Sequence[str]],
        accounts_api: AccountsApi = AccountsApi.V2,
    ) -> None:
        self._api = api
        self._currency = currency
        self._secrets = secrets
        self._accounts_api = accounts_api

    @property
    def name(self) -> str:
        return "stripe"

    @property
    def livemode(self) -> bool:
        return self._api.livemode
