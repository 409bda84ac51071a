"""Eleven kinds of callers in one small world on the memory backend, as they come in the columns of the access matrix.

Each has an address and something in the cart. The world is made once; ``restore`` undoes what a request changed.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import OPERATOR, Actor
from marketplace.application.identity.registration import NewMember
from marketplace.application.payouts import positions
from marketplace.domain.identity import Role
from marketplace.domain.notifications import Kind
from marketplace.domain.payments.chargebacks import Chargeback, ChargebackStage
from marketplace.domain.shared.ids import AccountId, ChargebackId, OrderId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.market import Market

PASSWORD = "correct horse battery"
CALLERS = (
    "anonymous",
    "unverified",
    "buyer",
    "other_buyer",
    "seller",
    "other_seller",
    "pending_seller",
    "suspended_seller",
    "verifier",
    "admin",
    "suspended",
)
"""The columns. ``buyer`` owns the orders, ``seller`` the listings and the sales; ``suspended`` was let in before."""


@dataclass(frozen=True, slots=True)
class Caller:
    """``own`` are the names by which a row speaks of what belongs to whoever calls: ``$my_address``."""

    header: dict[str, str]
    own: dict[str, Any]


class World:
    def __init__(self, environment: dict[str, str]) -> None:
        self.container = Container(settings=Settings.from_env(environment), backend=MemoryBackend(), clock=FixedClock())
        self.app: Flask = create_app(self.container)
        self.client: FlaskClient = self.app.test_client()
        self.callers: dict[str, Caller] = {}
        self.things: dict[str, Any] = {}
        """The names by which a row speaks of what is there: ``$listing``."""
        self._populate()
        self._saved = pickle.dumps(self._state())
        self._provider = self.container.backend.provider_state().contents

    def restore(self) -> None:
        """Undo all since the world was made."""
        store, saved = self.container.backend.store(), pickle.loads(self._saved)
        store.tables.clear()
        store.tables.update(saved["tables"])
        store.outbox.clear()
        store.outbox.update(saved["outbox"])
        self.container.backend.provider_state().contents = self._provider

    def _state(self) -> dict[str, Any]:
        store = self.container.backend.store()
        return {"tables": store.tables, "outbox": store.outbox}

    def ask(self, caller: str, method: str, path: str, body: Any = None) -> Any:
        """What the answer to a request holds, which has to be granted."""
        answer = self.client.open(
            f"/api/v1{path}", method=method, json=body, headers=self.callers[caller].header if caller else {}
        )
        assert 200 <= answer.status_code < 300, answer.get_data(as_text=True)
        return answer.json

    # --- who there is

    def _populate(self) -> None:
        backend = self.container.backend
        self.market = Market(
            unit_of_work=backend.unit_of_work,
            reservation_queries=backend.reservation_queries(),
            order_queries=backend.order_queries(),
            clock=self.container.clock(),
            ids=backend.ids(),
        )
        roles = {"verifier": [Role.VERIFIER], "admin": [Role.ADMIN]}
        self.callers["anonymous"] = Caller(
            {}, {"my_id": 1, "my_address": 1, "my_item": 1, "my_session": 1, "my_notification": 1, "my_refresh": "x"}
        )
        for name in CALLERS[1:]:
            self._join(name, *roles.get(name, ()))
        self._make_sellers()
        self._make_things()
        for name in CALLERS[1:]:
            self._furnish(name)
        self._make_orders()
        self.ask(
            "admin", "PATCH", f"/admin/users/{self.things['suspended']}/", {"is_suspended": True, "reason": "Spam"}
        )

    def _join(self, name: str, *roles: Role) -> None:
        username = name.replace("_", "-")
        member = NewMember(username=username, email=f"{name}@example.com", password=PASSWORD, accept_terms=True)
        id = self.container.create_account()(actor=OPERATOR, member=member, roles=frozenset(roles))
        if name == "unverified":
            self._doubt_address(id)
        tokens = self.ask("", "POST", "/auth/login/", {"username": username, "password": PASSWORD})
        header = {"Authorization": f"Bearer {tokens['access_token']}"}
        self.callers[name] = Caller(header, {"my_id": id, "my_refresh": tokens["refresh_token"]})
        self.things[name] = id

    def _doubt_address(self, id: AccountId) -> None:
        with self.container.backend.unit_of_work() as uow:
            account = uow.accounts.get(id)
            account.is_email_verified = False
            uow.accounts.save(account)
            uow.commit()

    def _make_sellers(self) -> None:
        for name in ("seller", "other_seller", "suspended_seller"):
            self.container.vouch_for_seller()(actor=OPERATOR, account=self.things[name])
        self.ask("pending_seller", "POST", "/sellers/", {"shop_name": "Pending shop"})
        suspended = self.things["suspended_seller"]
        self.ask("admin", "POST", f"/admin/sellers/{suspended}/suspend/", {"reason": "Late parcels"})

    # --- what there is

    def _listing(self, seller: str, **changes: Any) -> int:
        return self.market.listing(Actor(account_id=AccountId(self.things[seller])), **changes)

    def _make_things(self) -> None:
        shown = self.market.listing_now(listing := self._listing("seller", stock=50))
        card = {"name": "Withdrawn", "tcg_type": "pokemon"}
        card_set = {"tcg_type": "pokemon", "external_id": "own-1", "code": "OWN", "name": "Our own"}
        made = {
            "category": ("/categories/", {"name": "Empty"}),
            "version": ("/versions/", {"code": "etched", "name": "Etched"}),
            "set": ("/sets/", card_set),
            "archived_product": ("/products/", card),
        }
        self.things |= {name: self.ask("admin", "POST", *about)["id"] for name, about in made.items()}
        self.ask("admin", "DELETE", f"/products/{self.things['archived_product']}/")
        self.things |= {
            "listing": listing,
            "product": shown.product_id,
            "variant": shown.variant_id,
            "hidden": self._listing("seller", active=False),
            "paused": self._listing("suspended_seller"),
            "offer": self._listing("other_seller", stock=50),
        }

    def _furnish(self, name: str) -> None:
        parts = {"name": name, "street": "Rue des Cartes", "city": "Lyon", "country": "FR"}
        listing = self.things["listing" if name == "other_seller" else "offer"]
        mine = {
            "address": self.ask(name, "POST", "/users/me/addresses/", parts)["id"],
            "item": self.ask(name, "POST", "/cart/items/", {"listing": listing, "quantity": 1})["id"],
            "session": self.ask(name, "GET", "/auth/sessions/")["results"][0]["id"],
            "notification": self._tell(name),
        }
        self.things |= {f"{name}_{what}": id for what, id in mine.items()}
        self.callers[name].own.update({f"my_{what}": id for what, id in mine.items()})

    def _tell(self, name: str) -> int:
        """Something that the member finds in the application."""
        notices = self.container.notifications
        account = AccountId(self.things[name])
        notices.notify()(Kind.SELLER_APPROVED, account=account, occasion="welcome")
        link = notices.links().link(account, Kind.SALE_MADE)
        self.things[f"{name}_way_out"] = link.removesuffix("/").rpartition("/")[2]
        id: int = self.ask(name, "GET", "/users/me/notifications/")["results"][0]["id"]
        return id

    def _make_orders(self) -> None:
        """One that is paid, with a sale of the seller in it, one that is disputed, one that waits for its payment."""
        for name in ("paid", "claimed", "order"):
            item = self.ask("buyer", "POST", "/cart/items/", {"listing": self.things["listing"], "quantity": 1})["id"]
            wish = {"cart_items": [item], "shipping_address": self.things["buyer_address"]}
            order = self.ask("buyer", "POST", "/orders/", wish)["id"]
            self.things[name] = order
            if name == "paid":
                self.market.pay(order)
                self.things["sale"] = self.market.order_now(order).sales[0].id
                with self.market.unit_of_work() as uow:
                    self.things["payout"] = uow.payouts.of_sale_for_update(self.things["sale"]).id
            if name == "claimed":
                self._dispute(order)
        self._issue_documents()
        self.things["saved_card"] = self._save_card("buyer")
        self.things["others_card"] = self._save_card("other_buyer")

    def _issue_documents(self) -> None:
        """The buyer's invoice, and the seller's of the fees of a sale that is due, though kept back."""
        issue = self.container.documents.issue()
        (invoice,) = issue.of_order(OrderId(self.things["paid"]))
        with self.market.unit_of_work() as uow:
            order = uow.orders.get_for_update(OrderId(self.things["claimed"]))
            positions.fall_due(uow, order.sales[0], order, now=self.market.clock.now())
            uow.commit()
        (fees,) = issue.of_order(order.id, sale_id=order.sales[0].id)
        self.things |= {"invoice": invoice.id, "fee_invoice": fees.id}

    def _save_card(self, caller: str) -> str:
        setup = self.ask(caller, "POST", "/payments/setup-intents/")["id"]
        return self.container.payment_provider.simulated().finish_setup(setup, payment_method="pm_card_visa").id

    def _dispute(self, order_id: int) -> None:
        """By its buyer, and earlier by their bank; and something of it has gone back."""
        self.market.pay(order_id)
        sale = self.market.order_now(order_id).sales[0].id
        seller = Actor(account_id=self.things["seller"])
        self.container.fulfilment.ship_sale()(actor=seller, sale_id=sale, carrier="La Poste", tracking_number="6A1")
        claim = {"sale": sale, "reason": "damaged", "description": "A corner is bent"}
        self.things["dispute"] = self.ask("buyer", "POST", "/disputes/", claim)["id"]
        refund = {"amount": "1.00", "reason": "A gesture"}
        self.things["refund"] = self.ask("admin", "POST", f"/admin/orders/{order_id}/refund/", refund)["id"]
        with self.market.unit_of_work() as uow:
            chargeback = Chargeback.found(
                id=ChargebackId(self.container.backend.ids().next()),
                provider_chargeback_id="du_1",
                order_id=OrderId(order_id),
                payment_id=uow.payments.of_order(OrderId(order_id)).id,
                amount=Money(1000, "EUR"),
                reason="fraudulent",
                opened_at=self.market.clock.now(),
            )
            chargeback.stage = ChargebackStage.WON
            uow.chargebacks.add(chargeback)
            uow.commit()
        self.things["chargeback"] = chargeback.id
