"""Sellers' accounts at the simulated provider: made, linked to, and finished or restricted at its page."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from marketplace.adapters.simulated_gateway.objects import Object
from marketplace.adapters.simulated_gateway.provider import Provider
from marketplace.application.ports.payment_gateway import AccountLink, ProviderAccount, ProviderObjectUnknown
from marketplace.application.ports.provider_state import OnboardingForm
from marketplace.domain.payout_accounts import AccountRequest, AccountState, EntityType, Transfers
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId

LINK_LIFETIME = timedelta(minutes=5)
_WANTED_AT_FIRST = ["business_profile.url", "external_account", "tos_acceptance.date", "tos_acceptance.ip"]
_WANTED_AFTER_FAILURE = ["individual.verification.document"]


def open_account(provider: Provider, request: AccountRequest) -> Object:
    """In the shape in which the real provider's first version shows it, whichever version made it.

    It keeps nothing of who the seller is: the database of the marketplace is no place for a second copy of that.
    """
    account: Object = {
        "id": provider.name("acct"),
        "object": "account",
        "business_type": "company" if request.entity_type is EntityType.COMPANY else "individual",
        "capabilities": {"transfers": "inactive"},
        "charges_enabled": False,
        "country": request.country or "FR",
        "created": int(provider.now.timestamp()),
        "details_submitted": False,
        "metadata": {"seller_id": str(request.seller_id)},
        "payouts_enabled": False,
        "requirements": {"currently_due": _WANTED_AT_FIRST, "disabled_reason": "requirements.past_due"},
        "type": "express",
    }
    provider.keep_account(account)
    provider.tell("account.updated", account, account=account["id"])
    return account


def account_in(provider: Provider, id: str) -> Object:
    """Raises ProviderObjectUnknown, also for one that we were cut off from."""
    account = provider.state.get(id)
    if account is None or account["object"] != "account" or account.get("is_cut_off"):
        raise ProviderObjectUnknown(f"The provider has no account {id!r}.")
    return account


def link_to(provider: Provider, account: Object, *, public_url: str, return_url: str, refresh_url: str) -> AccountLink:
    expires_at = provider.now + LINK_LIFETIME
    link = {
        "id": provider.name("link"),
        "object": "account_link",
        "account": account["id"],
        "expires_at": expires_at.timestamp(),
        "is_used": False,
        "return_url": return_url,
        "refresh_url": refresh_url,
    }
    provider.state.put(link, kind="account_link", parent=account["id"], at=provider.now)
    return AccountLink(url=f"{public_url}/dev/onboarding/{account['id']}/?link={link['id']}", expires_at=expires_at)


def form_of(provider: Provider, account_id: str, link_id: str | None, *, use: bool = False) -> OnboardingForm:
    """``use`` uses the link up. Raises NotFound."""
    try:
        account = account_in(provider, account_id)
    except ProviderObjectUnknown as error:
        raise NotFound(f"There is no account {account_id}.") from error
    link = None if link_id is None else provider.state.get(link_id)
    if link_id is not None and (link is None or link["object"] != "account_link" or link["account"] != account_id):
        raise NotFound(f"There is no such link to the account {account_id}.")
    expired = link is not None and (link["is_used"] or link["expires_at"] <= provider.now.timestamp())
    if use and link is not None and not expired:
        provider.state.put({**link, "is_used": True}, kind="account_link", parent=account_id, at=provider.now)
    return OnboardingForm(
        account=account_id,
        seller_id=AccountId(int(account["metadata"]["seller_id"])),
        state=state_of(account),
        return_url=link["return_url"] if link is not None else "",
        refresh_url=link["refresh_url"] if link is not None else "",
        expired=expired,
    )


def decide(provider: Provider, account_id: str, *, succeed: bool) -> None:
    """The provider has what it wants and pays the seller, or wants more and does not (any more)."""
    account = account_in(provider, account_id)
    account.update(
        capabilities={"transfers": "active" if succeed else "inactive"},
        details_submitted=True,
        payouts_enabled=succeed,
        requirements={
            "currently_due": [] if succeed else _WANTED_AFTER_FAILURE,
            "disabled_reason": None if succeed else "requirements.past_due",
        },
    )
    provider.keep_account(account)
    provider.tell("account.updated", account, account=account["id"])


def account_of(account: Object) -> ProviderAccount:
    return ProviderAccount(
        id=account["id"], seller_id=AccountId(int(account["metadata"]["seller_id"])), state=state_of(account)
    )


def parameters_of(request: AccountRequest) -> dict[str, Any]:
    """What a key is remembered with: another request under it is refused."""
    who = f"{request.email}\n{request.display_name}"
    return {
        "seller_id": request.seller_id,
        "who": hashlib.sha256(who.encode()).hexdigest(),
        "entity_type": request.entity_type.value,
        "country": request.country,
    }


def state_of(account: Object) -> AccountState:
    return AccountState(
        transfers=Transfers(account["capabilities"]["transfers"]),
        payouts_enabled=account["payouts_enabled"],
        requirements_due=tuple(account["requirements"]["currently_due"]),
        disabled_reason=account["requirements"]["disabled_reason"] or "",
    )
