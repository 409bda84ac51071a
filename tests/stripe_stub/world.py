"""What the stub remembers: objects in Stripe's shape, movements on the platform's balance, and the events of it all."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.stripe_stub.errors import missing
from tests.stripe_stub.specification import Specification, specification

AVAILABLE_AFTER = timedelta(days=2)
DISPUTE_FEE = 2000
PREFIXES = {
    "balance_transaction": "txn",
    "charge": "ch",
    "customer": "cus",
    "dispute": "dp",
    "payment_intent": "pi",
    "payment_method": "pm",
    "payout": "po",
    "refund": "re",
    "setup_intent": "seti",
    "transfer": "tr",
    "transfer_reversal": "trr",
}
# What the samples fill in, and a new object does not have.
_BLANK: dict[str, dict[str, Any]] = {
    "payment_intent": {
        **dict.fromkeys(["canceled_at", "last_payment_error", "next_action", "processing", "shipping"]),
        **dict.fromkeys(["transfer_data", "latest_charge", "managed_payments"]),
    },
    "setup_intent": dict.fromkeys(["last_setup_error", "next_action"]),
    "customer": dict.fromkeys(["discount", "shipping", "currency"]),
    "charge": dict.fromkeys(["balance_transaction", "shipping", "transfer_data", "receipt_url"]),
    "refund": {"balance_transaction": None},
    "payout": {"balance_transaction": None, "failure_balance_transaction": None},
    "payment_method": {"metadata": {}},
}

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and which of the endpoints hears of it: ``platform``, ``connect`` or ``thin``."""

    destination: str
    body: Object


@dataclass
class World:
    """``cards``: what the payment methods are, by name; ``detached`` ones pay nothing any more. ``cut_off``: accounts
    that are no longer connected.

    ``sellers`` holds what each account has, by currency. ``settles_in``: currencies of charges that arrive on the
    balance as another one. ``fees_come_late``: the movement of a charge comes later than its success.
    ``refunds_wait_for``: why new refunds are pending, in Stripe's word.
    """

    now: Callable[[], datetime]
    spec: Specification = field(default_factory=specification)
    objects: dict[str, Object] = field(default_factory=dict)
    events: list[Told] = field(default_factory=list)
    cards: dict[str, str] = field(default_factory=dict)
    sellers: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    detached: set[str] = field(default_factory=set)
    cut_off: set[str] = field(default_factory=set)
    settles_in: dict[str, str] = field(default_factory=dict)
    fees_come_late: bool = False
    refunds_wait_for: str | None = None
    key: str | None = None
    _counted: int = 0

    # --- objects

    def name(self, prefix: str) -> str:
        self._counted += 1
        return f"{prefix}_1stub{self._counted:06}"

    def make(self, kind: str, *, id: str | None = None, **values: Any) -> Object:
        """A new object: the sample of its kind, blank where new ones are, and ``values``."""
        made = {
            **self.spec.fixture(kind),
            **_BLANK.get(kind, {}),
            "id": id or self.name(PREFIXES.get(kind, kind)),
            "created": self.seconds(),
            "metadata": {},
            **values,
        }
        self.objects[made["id"]] = made
        return made

    def seconds(self, later: timedelta = timedelta(0)) -> int:
        return int((self.now() + later).timestamp())

    def get(self, kind: str, id: str, *, param: str | None = None) -> Object:
        """Raises Refusal: 404 for what a path names, 400 when ``param`` does."""
        found = self.objects.get(id)
        if found is None or found["object"] != kind:
            raise missing(kind, id, param=param)
        return found

    def find(self, kind: str, **values: Any) -> Iterator[Object]:
        """Those of a kind with these values, the oldest first."""
        for found in list(self.objects.values()):
            if found["object"] == kind and all(found.get(name) == value for name, value in values.items()):
                yield found

    # --- money

    def move(
        self,
        type: str,
        source: str | None,
        *,
        amount: int,
        currency: str,
        fee: int = 0,
        category: str | None = None,
        available: int | None = None,
    ) -> Object:
        """A movement on the platform's balance; available after two days, unless ``available`` says when."""
        told = {"amount": fee, "application": None, "currency": currency, "description": "Fees", "type": "stripe_fee"}
        return self.make(
            "balance_transaction",
            type=type,
            reporting_category=category or type,
            source=source,
            amount=amount,
            fee=fee,
            fee_details=[told] if fee else [],
            net=amount - fee,
            currency=currency,
            available_on=self.seconds(AVAILABLE_AFTER) if available is None else available,
        )

    def balance(self, currency: str) -> tuple[int, int]:
        """Available and pending."""
        ours = list(self.find("balance_transaction", currency=currency))
        pending = sum(move["net"] for move in ours if move["available_on"] > self.seconds())
        return sum(move["net"] for move in ours) - pending, pending

    # --- events

    def tell(self, type: str, about: Object, *, account: str | None = None) -> None:
        """Leave an event about an object as it is now; with ``account``, one that happened there."""
        event = {
            "id": self.name("evt"),
            "object": "event",
            "api_version": self.spec.version,
            "created": self.seconds(),
            "data": {"object": copy.deepcopy(self.shown(about))},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": self.key},
            "type": type,
        }
        if account is not None:
            event["account"] = account
        self.events.append(Told("platform" if account is None else "connect", event))

    def hint(self, type: str, account: str) -> None:
        """Leave a thin event: the name of the account that something happened to."""
        related = {"id": account, "type": "v2.core.account", "url": f"/v2/core/accounts/{account}"}
        event = {
            "id": self.name("evt_test"),
            "object": "v2.core.event",
            "type": type,
            "livemode": False,
            "created": self.stamp(),
            "context": None,
            "related_object": related,
            "reason": None,
        }
        self.events.append(Told("thin", event))

    def stamp(self, later: timedelta = timedelta(0)) -> str:
        return (self.now() + later).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    # --- answers

    def shown(self, thing: Object) -> Object:
        """An object as an answer holds it: with what follows from others."""
        if thing["object"] == "balance_transaction":
            status = "available" if thing["available_on"] <= self.seconds() else "pending"
            return {**thing, "status": status}
        if thing["object"] == "transfer":
            made = [*self.find("transfer_reversal", transfer=thing["id"])][::-1]
            listed = {**thing["reversals"], "url": f"/v1/transfers/{thing['id']}/reversals", "data": made[:10]}
            return {**thing, "reversals": {**listed, "has_more": len(made) > 10}}
        if thing["object"] == "dispute":
            moves = [self.shown(self.objects[id]) for id in thing["balance_transactions"]]
            return {**thing, "balance_transactions": moves}
        return thing


def fee_of(amount: int) -> int:
    """What Stripe keeps of a charge: 1.5 %, rounded half up, and 0.25."""
    return int((Decimal(amount) * Decimal("0.015")).quantize(Decimal(1), ROUND_HALF_UP)) + 25
