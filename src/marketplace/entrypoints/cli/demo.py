"""`marketplace demo`: something to look at. Made by the use cases that everybody goes through, not behind their backs.

Each step is skipped when it has been done before, so that a load that was interrupted is finished by the next one.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any
from zlib import crc32

import click

from marketplace.application.access import OPERATOR, Actor
from marketplace.application.identity.registration import NewMember
from marketplace.application.listings.stock_file import header
from marketplace.application.payments.returns import RefundWish
from marketplace.application.ports.identity import IdentityQueries
from marketplace.application.ports.listings import ListingFilters, ListingQueries, ListingView
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.payments.refund import RefundCause
from marketplace.domain.shared.errors import Conflict, Unavailable
from marketplace.domain.shared.ids import AccountId, AddressId, ListingId, OrderId, SaleId
from marketplace.domain.shared.money import Money, exponent
from marketplace.entrypoints.cli.console import with_container
from marketplace.entrypoints.container import Container

PASSWORD = "marketplace-demo"
ADDRESS = {
    "name": "Camille Moreau",
    "street_number": "12",
    "street": "Rue des Capucins",
    "city": "Lyon",
    "state": "",
    "postal_code": "69001",
    "country": "FR",
    "phone_number": "+33478000000",
    "address_type": "both",
}
_DATA = files("marketplace.entrypoints.cli") / "demo_data"
_MOST_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    first_name: str
    last_name: str
    roles: frozenset[Role] = frozenset()
    shop_name: str = ""

    @property
    def email(self) -> str:
        return f"{self.username}@example.com"


PEOPLE = (
    Person("buyer", "Camille", "Moreau"),
    Person("seller", "Robin", "Leclerc", shop_name="The Card Cave"),
    Person("nora", "Nora", "Lindqvist", shop_name="Northern Foils"),
    Person("luc", "Luc", "Fontaine", shop_name="Luc et ses cartes"),
    Person("verifier", "Veronika", "Novak", roles=frozenset({Role.VERIFIER})),
    Person("admin", "Ada", "Minder", roles=frozenset({Role.ADMIN})),
)
NEWCOMER = Person("newcomer", "Noa", "Costa", shop_name="Fresh Pulls")
"""Waits for an admin's approval. Made last, so that a market is finished when it is there."""


class DemoRefused(Conflict):
    code = "demo_refused"


@click.group()
def demo() -> None:
    """A market to try things with."""


@demo.command()
@with_container
def load(container: Container) -> None:
    """Fill the marketplace with cards, sellers, listings and orders; development only."""
    if load_demo(container):
        click.echo(f"The demo market is loaded. Every account's password is {PASSWORD}:")
        for person in (*PEOPLE, NEWCOMER):
            click.echo(f"  {person.email:<22} {person.shop_name}")
    else:
        click.echo("The demo market is loaded already; nothing was changed.")


def load_demo(container: Container) -> bool:
    """Load it, or the rest of it; False, and nothing is changed, when it is all there.

    Raises DemoRefused outside development, and where payments are not simulated.
    """
    if not container.settings().is_development:
        raise DemoRefused(
            "The demo market has accounts whose password everybody knows, so it is for development only; "
            "set MARKETPLACE_ENV=development."
        )
    if not container.settings().has_demo:
        raise DemoRefused("The demo market is paid for by the simulated provider; unset STRIPE_SECRET_KEY.")
    if is_loaded(container):
        return False
    container.catalogue.import_catalogue()(sets=_lines("sets.jsonl"), cards=_lines("cards.jsonl"))
    market = _Market(container)
    for person in PEOPLE:
        market.admit(person)
        if person.shop_name:
            market.open_shop(person)
    market.buy()
    market.admit(NEWCOMER)
    container.open_seller_profile()(account_id=market.account(NEWCOMER), shop_name=NEWCOMER.shop_name)
    return True


def is_loaded(container: Container) -> bool:
    with _unit_of_work(container) as uow:
        account = uow.accounts.by_name(NEWCOMER.email)
        return account is not None and uow.sellers.find(account.id) is not None


def is_unfinished(container: Container) -> bool:
    """Whether a load began that did not come to its end."""
    with _unit_of_work(container) as uow:
        has_begun = uow.accounts.by_name(PEOPLE[0].email) is not None
    return has_begun and not is_loaded(container)


def _unit_of_work(container: Container) -> UnitOfWork:
    unit: UnitOfWork = container.backend.unit_of_work()
    return unit


def _lines(name: str) -> Iterator[bytes]:
    yield from (_DATA / name).read_bytes().splitlines()


def _objects(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines(name)]


@dataclass(frozen=True)
class _Market:
    container: Container

    def account(self, person: Person) -> AccountId:
        with _unit_of_work(self.container) as uow:
            account = uow.accounts.by_name(person.email)
        if account is None:
            raise Unavailable(f"The demo account {person.email} is not there yet.")
        return account.id

    def admit(self, person: Person) -> None:
        with _unit_of_work(self.container) as uow:
            if uow.accounts.by_name(person.email) is not None:
                return
        member = NewMember(
            username=person.username,
            email=person.email,
            password=PASSWORD,
            accept_terms=True,
            first_name=person.first_name,
            last_name=person.last_name,
        )
        self.container.create_account()(actor=OPERATOR, member=member, roles=person.roles)

    def open_shop(self, person: Person) -> None:
        self.container.vouch_for_seller()(actor=OPERATOR, account=person.email, shop_name=person.shop_name)
        seller_id = self.account(person)
        if not self._listings(seller_id):
            stock = _stock_file(person.shop_name, self.container.settings().currency)
            self.container.import_listings()(actor=OPERATOR, seller_id=seller_id, data=stock)

    def _listings(self, seller_id: AccountId) -> Sequence[ListingView]:
        """A page of what a seller has in stock, the dearest first."""
        queries: ListingQueries = self.container.backend.listing_queries()
        return queries.listings(
            ListingFilters(seller_id=seller_id, in_stock=True),
            PageRequest(size=MAX_PAGE_SIZE, ordering="-price"),
            now=self.container.clock().now(),
        ).items

    # --- the buyer

    @cached_property
    def buyer(self) -> Actor:
        return Actor(account_id=self.account(PEOPLE[0]), is_email_verified=True)

    @cached_property
    def shelves(self) -> list[list[ListingId]]:
        """What each of the three sellers offers in the middle of the price range."""
        shops = [self._listings(self.account(person)) for person in PEOPLE if person.shop_name]
        return [[ListingId(listing.id) for listing in shop[20:]] for shop in shops]

    def buy(self) -> None:
        """Orders in several states, and something in the cart."""
        scenes = (
            self._waiting,
            self._paid,
            self._cancelled,
            self._partially_refunded,
            self._paid_from_three,
            self._shipped,
            self._delivered,
            self._completed,
            self._cancelled_by_its_seller,
        )
        orders = self.container.backend.order_queries().orders(self.buyer.account_id, PageRequest()).count
        for number, scene in enumerate(scenes):
            if number >= orders:
                scene(number * 3)
        if orders < len(scenes):
            self._add_to_cart((0, 30, 1), (1, 31, 1))

    def _waiting(self, at: int) -> None:
        """Ordered, not paid."""
        self._order((2, at, 1))

    def _paid(self, at: int) -> None:
        self._pay(self._order((0, at, 1), (0, at + 1, 1), (1, at, 1)))

    def _cancelled(self, at: int) -> None:
        order_id = self._order((1, at, 1))
        self.container.cancel_order()(actor=self.buyer, order_id=order_id)

    def _partially_refunded(self, at: int) -> None:
        order_id = self._order((0, at, 1), (2, at, 1))
        self._pay(order_id)
        sale = self.container.backend.order_queries().order(order_id).sales[0]
        self.container.refund_order()(
            actor=OPERATOR,
            order_id=order_id,
            wish=RefundWish(sale_id=SaleId(sale.id)),
            cause=RefundCause.SELLER,
            reason="The seller could not find the card",
        )
        self._let_the_provider_work()

    def _paid_from_three(self, at: int) -> None:
        self._pay(self._order((0, at, 1), (1, at, 1), (2, at, 1)))

    def _shipped(self, at: int) -> None:
        """One parcel is on its way; of the other the buyer does not want to hear any more."""
        order_id = self._order((0, at, 1), (1, at, 1))
        self._pay(order_id)
        self._send(order_id)
        self.container.fulfilment.request_cancellation()(
            actor=self.buyer, order_id=order_id, reason="I found it elsewhere"
        )

    def _delivered(self, at: int) -> None:
        order_id = self._order((1, at, 1))
        self._pay(order_id)
        self._receive(order_id, self._send(order_id))

    def _completed(self, at: int) -> None:
        order_id = self._order((2, at, 1))
        self._pay(order_id)
        sale_id = self._send(order_id)
        self._receive(order_id, sale_id)
        self.container.fulfilment.complete_sale()(
            actor=OPERATOR, sale_id=sale_id, reason="The buyer says that all is well"
        )
        self._let_the_provider_work()

    def _cancelled_by_its_seller(self, at: int) -> None:
        order_id = self._order((2, at, 1))
        self._pay(order_id)
        sale = self.container.backend.order_queries().order(order_id).sales[0]
        self.container.fulfilment.cancel_sale()(
            actor=Actor(account_id=AccountId(sale.seller_id)),
            sale_id=SaleId(sale.id),
            reason="The card was sold at a fair",
        )
        self._let_the_provider_work()

    def _send(self, order_id: OrderId) -> SaleId:
        """The first sale of an order goes out."""
        sale = self.container.backend.order_queries().order(order_id).sales[0]
        self.container.fulfilment.ship_sale()(
            actor=Actor(account_id=AccountId(sale.seller_id)),
            sale_id=SaleId(sale.id),
            carrier="Colissimo",
            tracking_number=f"6A{sale.id:011}",
        )
        return SaleId(sale.id)

    def _receive(self, order_id: OrderId, sale_id: SaleId) -> None:
        self.container.fulfilment.confirm_receipt()(actor=self.buyer, order_id=order_id, sale_id=sale_id)

    def _add_to_cart(self, *wanted: tuple[int, int, int]) -> None:
        """(shelf, place on it, quantity)"""
        for shelf, place, quantity in wanted:
            self.container.add_to_cart()(actor=self.buyer, listing_id=self.shelves[shelf][place], quantity=quantity)

    def _order(self, *wanted: tuple[int, int, int]) -> OrderId:
        self._add_to_cart(*wanted)
        order_id: OrderId = self.container.place_order()(actor=self.buyer, shipping_address=self._address)
        self.container.start_payment()(actor=self.buyer, order_id=order_id)
        return order_id

    @cached_property
    def _address(self) -> AddressId:
        queries: IdentityQueries = self.container.backend.identity_queries()
        kept = queries.addresses(self.buyer.account_id, page=PageRequest())
        if kept.items:
            return kept.items[0].id
        address_id: AddressId = self.container.members.add_address()(actor=self.buyer, parts=ADDRESS)
        return address_id

    def _pay(self, order_id: OrderId) -> None:
        self.container.pay_order()(actor=self.buyer, order_id=order_id, payment_method="pm_card_visa")
        self._let_the_provider_work()

    def _let_the_provider_work(self) -> None:
        """What the worker does: send refunds and payouts, bring events, work on them, until nothing is left to do."""
        jobs = (
            self.container.send_refunds(),
            self.container.payouts.send(),
            self.container.webhooks.deliver_simulated(),
            self.container.webhooks.process(),
        )
        for _ in range(_MOST_ROUNDS):
            if not sum(job() for job in jobs):
                return
        raise Unavailable("The simulated payment provider does not come to rest; run `marketplace outbox status`.")


# --- stock: a formula over the card and the shop, so that every load gives the same market

_CONDITIONS = ("NM", "NM", "NM", "EX", "MT", "GD", "LP")
_PRICES = {  # in hundredths of a unit
    "Common": 40,
    "Uncommon": 80,
    "Rare": 350,
    "Holo Rare": 700,
    "Double rare": 900,
    "Super Rare": 1800,
    "Ultra Rare": 3900,
    "Mythic Rare": 2400,
    "Secret Rare": 5900,
}


def _stock_file(shop_name: str, currency: str) -> bytes:
    codes = {card_set["id"]: card_set["code"] for card_set in _objects("sets.jsonl")}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header(currency))
    for card in _objects("cards.jsonl"):
        luck = crc32(f"{shop_name}/{card['id']}".encode())
        if luck % 100 < 46:
            writer.writerow(_stock_row(card, codes[card["set_id"]], luck // 100, currency))
    return out.getvalue().encode()


def _stock_row(card: Mapping[str, Any], set_code: str, luck: int, currency: str) -> list[object]:
    languages = [code for code in ("en", "fr", "ja") if code in card["names"]]
    language = languages[luck % len(languages)]
    finish = card["finishes"][luck // 7 % len(card["finishes"])] if card.get("finishes") else "normal"
    price = _PRICES.get(card["rarity"], 200) * (70 + luck // 11 % 80) // 100
    is_graded = price > 250 and luck % 19 == 0
    if is_graded:
        price *= 6
    unit = 10 ** exponent(currency)
    return [
        card["game"],
        card["names"][language],
        set_code,
        card["number"],
        language,
        _CONDITIONS[luck // 13 % len(_CONDITIONS)],
        finish,
        "Y" if card.get("first_edition") and luck % 5 == 0 else "N",
        "PSA 9" if is_graded else "",
        1 if is_graded else 1 + luck // 17 % 6,
        Money(max(price, 2) * unit // 100 or unit, currency).decimal,
        "",
    ]
