"""Sellers' accounts: made with version 2 of Stripe's accounts or, behind a setting, with version 1, and always read
with version 1, which knows both.

The platform is liable for losses and pays the fees, the seller has the Express dashboard: what Stripe recommends for
separate charges and transfers. A seller needs nothing but the capability to receive transfers.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from marketplace.adapters.stripe_gateway.client import Object, StripeApi, named, reading
from marketplace.adapters.stripe_gateway.errors import Subject
from marketplace.adapters.stripe_gateway.shapes import moment, remembered, text
from marketplace.application.ports.payment_gateway import (
    AccountLink,
    InvalidRequest,
    Misconfigured,
    ProviderAccount,
    ProviderObjectUnknown,
)
from marketplace.application.ports.transfers import SellerNotPayable
from marketplace.domain.payout_accounts import AccountRequest, AccountState, Transfers
from marketplace.domain.shared.errors import Unavailable
from marketplace.domain.shared.ids import AccountId

if TYPE_CHECKING:
    from stripe.params import AccountCreateParams, AccountLinkCreateParams
    from stripe.params.v2.core import AccountCreateParams as AccountCreateParamsV2
    from stripe.params.v2.core import AccountCreateParamsIdentity
    from stripe.params.v2.core import AccountLinkCreateParams as AccountLinkCreateParamsV2

MOST_REQUIREMENTS = 100


class AccountsApi(StrEnum):
    """Which version makes accounts; some platforms may not use the second one yet, and new ones not the first."""

    V1 = "v1"
    V2 = "v2"


class Accounts:
    """``_currency`` is what sellers are paid in, ISO 4217."""

    _api: StripeApi
    _accounts_api: AccountsApi
    _currency: str

    def create_account(self, request: AccountRequest, *, key: str) -> ProviderAccount:
        if self._accounts_api is AccountsApi.V1:
            return _account_of(self._create_v1(request, key), _CREATE)
        made = self._create_v2(request, key)
        with reading(_CREATE):
            id = made["id"]
            if not isinstance(id, str):
                raise TypeError("no name")
        try:
            return self.get_account(id)
        except (Unavailable, ProviderObjectUnknown):
            # It is made, and that is what counts: its state is read again soon in any case.
            return ProviderAccount(id=id, seller_id=request.seller_id, state=AccountState())

    def get_account(self, provider_account_id: str) -> ProviderAccount:
        name, what = named(provider_account_id), "read a seller's account"
        found = self._api.read(what, lambda client: client.v1.accounts.retrieve(name), subject=Subject.ACCOUNT)
        return _account_of(found, what)

    def account_link(self, provider_account_id: str, *, return_url: str, refresh_url: str) -> AccountLink:
        name, what = named(provider_account_id), "make a link for a seller"
        make = self._link_v1 if self._accounts_api is AccountsApi.V1 else self._link_v2
        link = make(name, return_url, refresh_url, what)
        with reading(what):
            return AccountLink(url=_url(link["url"]), expires_at=_end(link["expires_at"]))

    def _create_v2(self, request: AccountRequest, key: str) -> Object:
        identity: AccountCreateParamsIdentity = {"entity_type": request.entity_type.value}
        country = request.country or self._own_country()
        if country:
            identity["country"] = country
        params: AccountCreateParamsV2 = {
            "contact_email": request.email,
            "dashboard": "express",
            "identity": identity,
            "configuration": {
                "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
            },
            "defaults": {
                "currency": self._currency.lower(),
                "responsibilities": {"fees_collector": "application", "losses_collector": "application"},
            },
            "metadata": {"seller_id": str(request.seller_id)},
        }
        if request.display_name:
            params["display_name"] = request.display_name
        return self._create(lambda client, options: client.v2.core.accounts.create(params, options), key)

    def _own_country(self) -> str:
        """Version 1 takes a seller to be where the platform is when nothing is said; version 2 wants to be told.

        Empty for a key that may not read the platform's own account.
        """
        try:
            ours = self._api.read("read our own account", lambda client: client.v1.accounts.retrieve_current())
        except (Misconfigured, ProviderObjectUnknown):
            return ""
        return text(ours.get("country"))

    def _create_v1(self, request: AccountRequest, key: str) -> Object:
        params: AccountCreateParams = {
            "email": request.email,
            "business_type": request.entity_type.value,
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "requirement_collection": "stripe",
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"seller_id": str(request.seller_id)},
        }
        if request.country is not None:
            params["country"] = request.country
        if request.display_name:
            params["business_profile"] = {"name": request.display_name}
        return self._create(lambda client, options: client.v1.accounts.create(params, options), key)

    def _create(self, call: Any, key: str) -> Object:
        try:
            return self._api.send(_CREATE, call, key=key)
        except (ProviderObjectUnknown, SellerNotPayable) as error:
            # There is no account yet that could be unknown or out of reach.
            raise InvalidRequest(str(error)) from error

    def _link_v2(self, account: str, return_url: str, refresh_url: str, what: str) -> Object:
        params: AccountLinkCreateParamsV2 = {
            "account": account,
            "use_case": {
                "type": "account_onboarding",
                "account_onboarding": {
                    "collection_options": {"fields": "eventually_due"},
                    "refresh_url": refresh_url,
                    "return_url": return_url,
                },
            },
        }
        return self._api.send(
            what,
            lambda client, options: client.v2.core.account_links.create(params, options),
            subject=Subject.ACCOUNT,
        )

    def _link_v1(self, account: str, return_url: str, refresh_url: str, what: str) -> Object:
        params: AccountLinkCreateParams = {
            "account": account,
            "type": "account_onboarding",
            "collection_options": {"fields": "eventually_due"},
            "refresh_url": refresh_url,
            "return_url": return_url,
        }
        return self._api.send(
            what, lambda client, options: client.v1.account_links.create(params, options), subject=Subject.ACCOUNT
        )


_CREATE = "make a seller's account"


def _account_of(account: Object, what: str) -> ProviderAccount:
    with reading(what):
        requirements = account.get("requirements") or {}
        due = [each for each in requirements.get("currently_due") or [] if isinstance(each, str)]
        return ProviderAccount(
            id=account["id"],
            seller_id=remembered(account, "seller_id", AccountId),
            state=AccountState(
                transfers=_transfers((account.get("capabilities") or {}).get("transfers")),
                payouts_enabled=bool(account.get("payouts_enabled")),
                requirements_due=tuple(due[:MOST_REQUIREMENTS]),
                disabled_reason=text(requirements.get("disabled_reason")),
            ),
        )


def _transfers(capability: Any) -> Transfers:
    """Only ``active`` can be paid, whatever other words there are or will be."""
    try:
        return Transfers(capability)
    except ValueError:
        return Transfers.INACTIVE


def _url(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("no address")
    return value


def _end(value: Any) -> datetime:
    """Version 1 writes seconds, version 2 a date."""
    return datetime.fromisoformat(value) if isinstance(value, str) else moment(value)
