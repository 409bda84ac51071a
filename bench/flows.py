"""The four flows: the requests that each of the two applications gets for the same work."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from bench.seed import BUYER, LISTING, PRODUCT, Size

SHOPPERS = 1_000
"""The last buyers only fill carts; those before them check out, once each."""
_VARIETY = 4_000

Tokens = Callable[[int], str]
ADDRESS = {
    "name": "Ada Lovelace",
    "street_number": "12",
    "street": "Rue des Cartes",
    "city": "Lyon",
    "state": "",
    "postal_code": "69001",
    "country": "FR",
    "phone_number": "+33123456789",
}


@dataclass(frozen=True)
class Flow:
    """``goal`` is the part of the baseline's rate to reach. A flow that is done ``once`` uses each request once."""

    name: str
    what: str
    goal: float
    baseline: list[bytes]
    application: list[bytes]
    once: bool = False


def flows(size: Size, token: Tokens) -> list[Flow]:
    dice = random.Random(7)
    sets = [PRODUCT + dice.randint(1, size.sets) for _ in range(_VARIETY)]
    products = [PRODUCT + dice.randint(1, size.products) for _ in range(_VARIETY)]
    shoppers = [BUYER + size.buyers - dice.randrange(SHOPPERS) for _ in range(_VARIETY * 4)]
    picks = [LISTING + 1 + 20 * dice.randrange(size.listings // 20 - 1) + dice.randrange(18) for _ in shoppers]
    buyers = [BUYER + number for number in range(1, size.buyers - SHOPPERS + 1)]
    return [
        Flow(
            "list",
            "20 products of a set with lowest price and number of offers",
            0.70,
            [_get(f"/list?set={id}") for id in sets],
            [_get(f"/api/v1/products/?set={id}") for id in sets],
        ),
        Flow(
            "detail",
            "a product with its prices",
            1.30,
            [_get(f"/detail?id={id}") for id in products],
            [_get(f"/api/v1/products/{id}/") for id in products],
        ),
        Flow(
            "add to cart",
            "claim one piece of a listing",
            0.60,
            [
                _post("/cart", {"buyer": buyer, "listing": listing, "quantity": 1})
                for buyer, listing in zip(shoppers, picks, strict=True)
            ],
            [
                _post("/api/v1/cart/items/", {"listing": listing, "quantity": 1}, token(buyer))
                for buyer, listing in zip(shoppers, picks, strict=True)
            ],
        ),
        Flow(
            "checkout",
            "three items of two sellers: from the cart to an order whose payment is started",
            0.75,
            [_post("/checkout", {"buyer": buyer, "items": _basket(buyer, size)}) for buyer in buyers],
            [_post("/api/v1/orders/", {"shipping_address": ADDRESS}, token(buyer)) for buyer in buyers],
            once=True,
        ),
    ]


def _basket(buyer: int, size: Size) -> list[dict[str, int]]:
    """What seed.fill_carts puts into this buyer's cart."""
    first = LISTING + 1 + 20 * ((buyer - BUYER) * 41 % ((size.listings - size.sellers) // 20 - 1))
    return [
        {"id": first, "quantity": 1},
        {"id": first + 1, "quantity": 1},
        {"id": first + size.sellers, "quantity": 2},
    ]


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n".encode()


def _post(path: str, body: object, token: str | None = None) -> bytes:
    content = json.dumps(body).encode()
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{bearer}"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
