"""Listings: one seller's offer of one variant.

    active <──> inactive     the seller's wish
    active <──> sold_out     the stock's fact: nothing left, something back
    sold_out ─> inactive ─> sold_out
    any ──────> archived     the end

Restocking reactivates what sold out, never what the seller switched off. A pause (a seller suspended, on holiday) is
derived from the seller and written nowhere. Rules: "Listings" and rule 8 of "Stock and reservations" of the domain
specification.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from marketplace.domain.shared.aggregate import Aggregate
from marketplace.domain.shared.errors import Conflict, IllegalTransition, Invalid
from marketplace.domain.shared.ids import AccountId, ListingId, ProductId, VariantId
from marketplace.domain.shared.money import MAX_AMOUNT, Money, step
from marketplace.domain.shared.text import checked_text

MAX_STOCK = 1_000_000
MAX_DESCRIPTION = 2_000
_DECIMAL = re.compile(r"(0|[1-9]\d{0,11})(\.\d{1,3})?", re.ASCII)


class ListingStatus(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    SOLD_OUT = "sold_out"
    ARCHIVED = "archived"


PUBLIC_STATUSES = frozenset({ListingStatus.ACTIVE, ListingStatus.SOLD_OUT})
"""What the public sees of a seller who may sell."""

_MOVES: Mapping[ListingStatus, frozenset[ListingStatus]] = {
    ListingStatus.ACTIVE: frozenset({ListingStatus.INACTIVE, ListingStatus.SOLD_OUT, ListingStatus.ARCHIVED}),
    ListingStatus.INACTIVE: frozenset({ListingStatus.ACTIVE, ListingStatus.SOLD_OUT, ListingStatus.ARCHIVED}),
    ListingStatus.SOLD_OUT: frozenset({ListingStatus.ACTIVE, ListingStatus.INACTIVE, ListingStatus.ARCHIVED}),
    ListingStatus.ARCHIVED: frozenset(),
}


class ListingSource(StrEnum):
    """How a listing came to be, where that matters: a file's next run finds what it made."""

    IMPORT = "import"


class StockClaimed(Conflict):
    """``claimed``: the least that the stock can be set to."""

    code = "stock_claimed"


@dataclass(kw_only=True, slots=True)
class Listing(Aggregate):
    """``stock`` is on hand, ``claimed`` the part of it that carts and unpaid orders hold; only claims change that."""

    id: ListingId
    seller_id: AccountId
    product_id: ProductId
    variant_id: VariantId
    price: Money
    stock: int
    status: ListingStatus
    created_at: datetime
    updated_at: datetime
    description: str = ""
    claimed: int = 0
    source: ListingSource | None = None
    is_verified: bool = False

    @classmethod
    def offer(
        cls,
        id: ListingId,
        *,
        seller_id: AccountId,
        product_id: ProductId,
        variant_id: VariantId,
        price: Money,
        stock: int,
        now: datetime,
        description: str = "",
        active: bool = True,
        source: ListingSource | None = None,
    ) -> Self:
        """A new listing, sold out at once without stock. Raises Invalid on a bad price, stock or description."""
        return cls(
            id=id,
            seller_id=seller_id,
            product_id=product_id,
            variant_id=variant_id,
            price=checked_price(price),
            stock=checked_stock(stock),
            status=_on_sale(stock) if active else ListingStatus.INACTIVE,
            description=checked_description(description),
            source=source,
            created_at=now,
            updated_at=now,
        )

    @property
    def is_public(self) -> bool:
        """Whether the public may see it, as long as its seller may sell."""
        return self.status in PUBLIC_STATUSES

    def reprice(self, price: Money, *, now: datetime) -> None:
        """Raises Invalid, and IllegalTransition on an archived listing, as every change does."""
        self._require_open()
        if price != self.price:
            self.price = checked_price(price)
            self._lose_badge(now)

    def move_to(self, *, product_id: ProductId, variant_id: VariantId, now: datetime) -> None:
        """Offer another variant under the same listing, which is no import's any more then. The badge is lost.

        Raises StockClaimed while somebody holds a piece of the old one.
        """
        self._require_open()
        if variant_id == self.variant_id:
            return
        if self.claimed:
            raise StockClaimed(
                f"{self.claimed} of this listing are claimed by carts and unpaid orders, so it cannot become another "
                "variant; make a new listing, and switch this one off with status inactive.",
                claimed=self.claimed,
            )
        self.product_id, self.variant_id = product_id, variant_id
        self.source = None
        self._lose_badge(now)

    def restock(self, stock: int, *, now: datetime) -> None:
        """Set what is on hand. Raises StockClaimed below what is claimed."""
        self._require_open()
        checked_stock(stock)
        if stock < self.claimed:
            raise StockClaimed(
                f"{self.claimed} of this listing are claimed by carts and unpaid orders, so its stock cannot be set to "
                f"{stock}; set it to {self.claimed} or more, or switch the listing off with status inactive.",
                claimed=self.claimed,
            )
        if stock != self.stock:
            self.stock = stock
            self.updated_at = now
            if self.is_public:
                self._become(_on_sale(stock), now)

    def sell(self, quantity: int, *, now: datetime) -> None:
        """Pieces leave the stock, paid for. A listing that is off sale keeps what it had promised."""
        self.stock -= quantity
        self.updated_at = now
        if self.status is ListingStatus.ACTIVE:
            self._become(_on_sale(self.stock), now)

    def put_back(self, quantity: int, *, now: datetime) -> None:
        """Pieces come back into the stock, which never grows beyond its bound. What is archived stays as it is."""
        if self.status is ListingStatus.ARCHIVED:
            return
        self.stock = min(self.stock + quantity, MAX_STOCK)
        self.updated_at = now
        if self.is_public:
            self._become(_on_sale(self.stock), now)

    def describe(self, description: str, *, now: datetime) -> None:
        self._require_open()
        description = checked_description(description)
        if description != self.description:
            self.description = description
            self.updated_at = now

    def switch_on(self, *, now: datetime) -> None:
        """Offer it: active, or sold out when there is nothing to offer."""
        self._become(_on_sale(self.stock), now)

    def switch_off(self, *, now: datetime) -> None:
        """Take it off sale, claims or not."""
        self._become(ListingStatus.INACTIVE, now)

    def archive(self, *, now: datetime) -> None:
        """The end. Archiving what is archived changes nothing."""
        self._become(ListingStatus.ARCHIVED, now)

    def _lose_badge(self, now: datetime) -> None:
        self.is_verified = False
        self.updated_at = now

    def _require_open(self) -> None:
        if self.status is ListingStatus.ARCHIVED:
            raise IllegalTransition(f"Listing {self.id} is archived; make a new one.", current_status=str(self.status))

    def _become(self, to: ListingStatus, now: datetime) -> None:
        if to is self.status:
            return
        if to not in _MOVES[self.status]:
            raise IllegalTransition(
                f"Listing {self.id} is {self.status} and cannot become {to}; make a new one.",
                current_status=str(self.status),
            )
        self.status = to
        self.updated_at = now


def _on_sale(stock: int) -> ListingStatus:
    return ListingStatus.ACTIVE if stock else ListingStatus.SOLD_OUT


def parsed_price(text: str, currency: str) -> Money:
    """The price that a decimal such as ``"25.99"`` tells. Raises Invalid on signs, exponents, parts of a step."""
    if not _DECIMAL.fullmatch(text):
        raise _refused("price", f"{text[:40]!r} is not a price; write a decimal such as 25.99.")
    try:
        price = Money.parse(text, currency)
    except Invalid as error:
        raise _refused("price", str(error)) from error
    return checked_price(price)


def checked_price(price: Money) -> Money:
    """Raises Invalid unless it is above zero, within bounds and payable to the last digit."""
    unit = step(price.currency)
    if not 0 < price.amount <= MAX_AMOUNT or price.amount % unit:
        raise _refused(
            "price",
            f"{price} is not a price: from {Money(unit, price.currency)} to {Money(MAX_AMOUNT, price.currency)} "
            f"in steps of {Money(unit, price.currency)}.",
        )
    return price


def checked_stock(stock: int) -> int:
    """Raises Invalid unless it is a whole number from 0 to MAX_STOCK."""
    if type(stock) is not int or not 0 <= stock <= MAX_STOCK:
        raise _refused("stock", f"{stock!r} is not a stock: a whole number from 0 to {MAX_STOCK}.")
    return stock


def checked_description(description: str) -> str:
    """Raises Invalid when it is too long or unprintable."""
    return checked_text(description, field="description", maximum=MAX_DESCRIPTION, lines=True)


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", errors={field: [message]})
