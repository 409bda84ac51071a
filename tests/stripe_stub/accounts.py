"""Sellers' accounts, of the first version of the interface and of the second, and links to their onboarding."""

from __future__ import annotations

from datetime import timedelta

from tests.stripe_stub.answers import Call, answers
from tests.stripe_stub.errors import Refusal, missing
from tests.stripe_stub.world import Object, World

LINK_LIFETIME = timedelta(minutes=5)
_WANTED = ["external_account", "tos_acceptance.date", "tos_acceptance.ip"]
_CODES = {"active": "active", "inactive": "restricted", "pending": "pending"}


@answers("POST", "/v1/accounts")
def create(call: Call) -> Object:
    given = call.given
    if given.get("type") and given.get("controller"):
        raise Refusal(400, "You may not provide the `type` parameter and `controller` parameters.", kept=False)
    wanted = given.get("capabilities", {}).get("transfers", {}).get("requested", False)
    return _open(
        call.world,
        has_transfers=wanted,
        country=given.get("country", "FR"),
        business_type=given.get("business_type"),
        email=given.get("email"),
        metadata=given.get("metadata") or {},
    )


@answers("GET", "/v1/accounts/{account}")
def read(call: Call) -> Object:
    id = call.names["account"]
    account = call.world.objects.get(id)
    if account is None or id in call.world.cut_off:
        message = f"The provided key does not have access to account '{id}' (or that account does not exist)."
        raise Refusal(403, message, code="account_invalid")
    return account


@answers("POST", "/v1/account_links")
def link(call: Call) -> Object:
    _account(call.world, call.given["account"], param="account")
    made = call.world.spec.fixture("account_link")
    world = call.world
    return {**made, "created": world.seconds(), "expires_at": world.seconds(LINK_LIFETIME), "url": _address(call)}


@answers("POST", "/v2/core/accounts")
def create_second(call: Call) -> Object:
    world, given = call.world, call.given
    identity = given.get("identity", {})
    recipient = given.get("configuration", {}).get("recipient", {})
    capabilities = recipient.get("capabilities", {}).get("stripe_balance", {})
    account = _open(
        world,
        has_transfers=capabilities.get("stripe_transfers", {}).get("requested", False),
        country=identity.get("country", "FR").upper(),
        business_type=identity.get("entity_type"),
        email=given.get("contact_email"),
        metadata=given.get("metadata") or {},
    )
    world.objects[f"v2:{account['id']}"] = {"id": account["id"], "object": "kept", "given": given}
    return _second(world, account, given.get("include", []))


@answers("GET", "/v2/core/accounts/{id}")
def read_second(call: Call) -> Object:
    return _second(call.world, _account(call.world, call.names["id"]), call.given.get("include", []))


@answers("POST", "/v2/core/account_links")
def link_second(call: Call) -> Object:
    account = _account(call.world, call.given["account"])
    return {
        "object": "v2.core.account_link",
        "account": account["id"],
        "created": call.world.stamp(),
        "expires_at": call.world.stamp(LINK_LIFETIME),
        "livemode": False,
        "url": _address(call),
        "use_case": call.given["use_case"],
    }


def change(world: World, account: Object, *, transfers: str, due: list[str], reason: str | None) -> None:
    """The provider makes up its mind about a seller, and tells of it in all three ways."""
    account["capabilities"] = {"transfers": transfers}
    account["payouts_enabled"] = transfers == "active"
    account["details_submitted"] = True
    account["requirements"] = {**account["requirements"], "currently_due": due, "disabled_reason": reason}
    world.tell("account.updated", account, account=account["id"])
    capability = {"id": "transfers", "object": "capability", "account": account["id"], "status": transfers}
    world.tell("capability.updated", capability, account=account["id"])
    world.hint("v2.core.account[configuration.recipient].capability_status_updated", account["id"])
    world.hint("v2.core.account[requirements].updated", account["id"])


def fail_bank(world: World, account: Object, amount: int) -> None:
    """A payout of the seller's comes back, on their balance: they have to name another bank account."""
    payout = {"id": world.name("po"), "object": "payout", "amount": amount, "currency": account["default_currency"]}
    world.sellers[account["id"]][account["default_currency"]] += amount
    account["payouts_enabled"] = False
    account["requirements"] = {**account["requirements"], "currently_due": ["external_account"]}
    failure = {"status": "failed", "failure_code": "no_account", "livemode": False}
    world.tell("payout.failed", {**payout, **failure}, account=account["id"])
    world.tell("account.updated", account, account=account["id"])


def cut_off(world: World, account: Object) -> None:
    """The seller disconnects from the platform."""
    world.cut_off.add(account["id"])
    about = {"id": world.name("ca"), "object": "application", "name": "Cards"}
    world.tell("account.application.deauthorized", about, account=account["id"])


def _open(world: World, *, has_transfers: bool, **values: object) -> Object:
    sample = world.spec.fixture("account")
    wants = {**sample["requirements"], "currently_due": list(_WANTED), "disabled_reason": "requirements.past_due"}
    account = world.make(
        "account",
        id=world.name("acct"),
        capabilities={"transfers": "inactive"} if has_transfers else {},
        charges_enabled=False,
        details_submitted=False,
        payouts_enabled=False,
        requirements=wants,
        default_currency="eur",
        type="express",
        **values,
    )
    world.tell("account.updated", account, account=account["id"])
    return account


def _second(world: World, account: Object, include: list[str]) -> Object:
    given = world.objects.get(f"v2:{account['id']}", {"given": {}})["given"]
    status = _CODES[account["capabilities"].get("transfers", "inactive")]
    details = [] if status == "active" else [{"code": "requirements_past_due", "resolution": "provide_info"}]
    transfers = {"status": status, "status_details": details}
    parts = {
        "configuration.recipient": {
            "applied": True,
            "capabilities": {"stripe_balance": {"stripe_transfers": transfers}},
        },
        "defaults": given.get("defaults"),
        "identity": given.get("identity"),
        "requirements": {"entries": [], "summary": None},
    }
    return {
        "object": "v2.core.account",
        "id": account["id"],
        "applied_configurations": ["recipient"],
        "closed": False,
        "configuration": {"recipient": parts["configuration.recipient"]}
        if "configuration.recipient" in include
        else None,
        "contact_email": account["email"],
        "created": world.stamp(),
        "dashboard": given.get("dashboard", "express"),
        "display_name": given.get("display_name"),
        "livemode": False,
        "metadata": account["metadata"],
        **{name: parts[name] if name in include else None for name in ("defaults", "identity", "requirements")},
    }


def _account(world: World, id: str, *, param: str | None = None) -> Object:
    if id in world.cut_off:
        raise missing("account", id, param=param)
    return world.get("account", id, param=param)


def _address(call: Call) -> str:
    return f"https://connect.stripe.com/setup/e/{call.given['account']}/{call.world.name('link')}"
