"""A marketplace as its members know it: they register, sell, buy and read their mail, all through the doors.

The whole application on PostgreSQL, or in memory without a database, with the time in the test's hand; the worker's
jobs run when it is told to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import OPERATOR
from marketplace.application.identity.registration import NewMember
from marketplace.domain.identity import Role
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.refund import RefundStatus
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend, PostgresBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings

PASSWORD = "correct horse battery"
ADDRESS = {"name": "Ada", "street": "Rue des Cartes", "street_number": "12", "city": "Lyon", "country": "FR"}


class Town:
    """Everybody in it, the worker, the bank and the post."""

    def __init__(self, database_url: str | None, home: Path) -> None:
        """Without a ``database_url`` in memory."""
        self.clock = FixedClock()
        settings = Settings.from_env(
            {
                "DATABASE_URL": database_url or "",
                "MARKETPLACE_HOME": str(home),
                "ALLOWED_HOSTS": "localhost",
                "LOG_LEVEL": "error",
                "ARGON2_MEMORY_KIB": "8",
                "ARGON2_TIME_COST": "1",
            }
        )
        self.container = Container(
            settings=settings,
            backend=PostgresBackend(url=settings.database_url, settings=settings) if database_url else MemoryBackend(),
            clock=self.clock,
        )
        self.browser: FlaskClient = create_app(self.container).test_client()

    def close(self) -> None:
        if self.container.settings().database_url:
            self.container.backend.reader().dispose()
            self.container.backend.engine().dispose()

    # --- who there is

    def member(self, name: str) -> Member:
        """Somebody who has joined and proved that the e-mail address is theirs."""
        joined = self.browser.post(
            "/api/v1/auth/register/",
            json={
                "username": name,
                "email": f"{name}@example.com",
                "password": PASSWORD,
                "confirm_password": PASSWORD,
                "first_name": name.title(),
                "last_name": "Card",
                "accept_terms": True,
            },
        )
        member = Member(self, name, answered(joined, 201)["access_token"])
        self.work()
        code = re.search(r"\b\d{6}\b", member.mail()[-1].text)
        assert code is not None
        proof = {"email": f"{name}@example.com", "otp": code[0]}
        answered(self.browser.post("/api/v1/auth/verify-email/", json=proof), 200)
        return member

    def seller(self, name: str) -> Member:
        """A member whom the operator lets sell."""
        member = self.member(name)
        self.container.vouch_for_seller()(actor=OPERATOR, account=name, shop_name=f"{name.title()}'s cards")
        return member

    def admin(self) -> Member:
        member = NewMember(username="warden", email="warden@example.com", password=PASSWORD, accept_terms=True)
        self.container.create_account()(actor=OPERATOR, member=member, roles=frozenset({Role.ADMIN}))
        tokens = self.browser.post("/api/v1/auth/login/", json={"username": "warden", "password": PASSWORD})
        return Member(self, "warden", answered(tokens, 200)["access_token"])

    # --- the worker, and time

    def work(self) -> None:
        """Run every job of the worker until none finds anything to do at this moment."""
        for _ in range(50):
            if not sum(job() for job in self.container.jobs().values()):
                return
        raise AssertionError("The jobs do not come to an end.")

    def later(self, **by: float) -> None:
        """Let time go by, the worker at work every half minute."""
        end = self.clock.now() + timedelta(**by)
        while self.clock.now() < end:
            self.clock.advance(min(timedelta(seconds=30), end - self.clock.now()))
            self.work()

    # --- the bank

    def at_the_bank(self, url: str, decision: str) -> None:
        """Open the page that a payment leads to, press a button of it, and come back."""
        path = urlsplit(url).path
        token = re.search(r'name="token" value="(\w+)"', self.browser.get(path).text)
        assert token is not None
        back = self.browser.post(path, data={"token": token[1], "outcome": decision})
        assert back.status_code == 303, back.text
        answer = self.browser.get(urlsplit(back.headers["Location"]).path)
        assert answer.status_code == 200
        assert "Thank you" in answer.text

    # --- the payment provider

    def at_the_provider(self, url: str, decision: str) -> str:
        """Open the page of a seller's account, press a button of it, and go on to where it leads; gives that page."""
        token = re.search(r'name="token" value="(\w+)"', self.browser.get(url).text)
        assert token is not None
        on = self.browser.post(url, data={"token": token[1], "outcome": decision})
        assert on.status_code == 303, on.text
        return self.browser.get(urlsplit(on.headers["Location"]).path).text

    def money_arrives_all_the_same(self, order_id: int) -> None:
        """The provider takes the money of a payment that it had cancelled, and says so."""
        with self.container.backend.provider_state().begin() as state:
            (intent,) = state.children("payment_intent", str(order_id))
            page = {"type": "redirect_to_url", "redirect_to_url": {"return_url": "", "url": ""}}
            waiting = {**intent, "status": "requires_action", "payment_method": "pm_card_visa", "next_action": page}
            state.put(waiting, kind="payment_intent", parent=str(order_id), at=self.clock.now())
        self.container.payment_gateway().answer(intent["id"], succeed=True)

    # --- what operators see

    def books(self) -> list[str]:
        """What is wrong with the books: nothing, one hopes."""
        checks = self.container.verify_ledger()().checks
        return [f"{check.name}: {finding.subject} {finding.detail}" for check in checks for finding in check.findings]

    def refunds(self, order_id: int) -> list[tuple[RefundStatus, str]]:
        with self.container.backend.unit_of_work() as uow:
            return [(refund.status, refund.amount.decimal) for refund in uow.refunds.of_order(order_id)]

    def charged_attempts(self, order_id: int) -> int:
        """How many payments the provider knows for an order: never more than one."""
        with self.container.backend.provider_state().begin() as state:
            return len(state.children("payment_intent", str(order_id)))


@dataclass
class Member:
    """Somebody signed in, and what they do."""

    town: Town
    name: str
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.token}", **{key.replace("_", "-"): v for key, v in headers.items()}}
        content = {} if body is None else {"json": body}
        return self.town.browser.open(f"/api/v1{path}", method=method, headers=sent, **content)

    def get(self, path: str) -> Any:
        return answered(self.ask("GET", path), 200)

    def mail(self) -> list[Any]:
        """Their letters, the oldest first."""
        letters = self.town.container.backend.mailbox().messages(limit=1000)
        return sorted((m for m in letters if m.to == f"{self.name}@example.com"), key=lambda m: m.sent_at)

    def letters_about(self, words: str) -> list[str]:
        return [letter.subject for letter in self.mail() if words in letter.subject]

    # --- selling

    def describes(self, card: str) -> int:
        """Put a card into the catalogue, for anybody to offer."""
        return int(answered(self.ask("POST", "/products/", {"name": card, "tcg_type": "pokemon"}), 201)["id"])

    def offers(self, product: int, *, price: str, stock: int = 1) -> int:
        offer = {"product": product, "language": "en", "version": "holo", "condition": "NM"}
        made = self.ask("POST", "/listings/", {**offer, "price": price, "stock": stock})
        return int(answered(made, 201)["id"])

    def asks(self, price: str, *, listing: int) -> None:
        answered(self.ask("PATCH", f"/listings/{listing}/", {"price": price}), 200)

    def sales(self) -> list[Any]:
        return list(self.get("/sellers/me/sales/")["results"])

    # --- buying

    def takes(self, listing: int, quantity: int = 1) -> Any:
        return answered(self.ask("POST", "/cart/items/", {"listing": listing, "quantity": quantity}), 201)

    def cart(self) -> list[tuple[str, int | None]]:
        """What is in the cart: the state of each reservation, and the order that holds it."""
        return [(item["reservation"], item["order"]) for item in self.get("/cart/")["items"]]

    def checks_out(self, **wishes: Any) -> TestResponse:
        return self.ask("POST", "/orders/", {"shipping_address": ADDRESS, **wishes})

    def orders(self, *listings: int) -> int:
        """Take one of each and check out."""
        for listing in listings:
            self.takes(listing)
        return int(answered(self.checks_out(), 201)["id"])

    def pays(self, order_id: int, card: str = "pm_card_visa") -> TestResponse:
        return self.ask("POST", f"/orders/{order_id}/pay/", {"payment_method": card})

    def cancels(self, order_id: int) -> TestResponse:
        return self.ask("POST", f"/orders/{order_id}/cancel/")

    def order(self, order_id: int) -> Any:
        return self.get(f"/orders/{order_id}/")

    def sees(self, order_id: int) -> OrderStatus:
        return OrderStatus(self.order(order_id)["status"])


def answered(response: TestResponse, status: int) -> Any:
    """The JSON of an answer that has to have this status; None of an empty one."""
    assert response.status_code == status, response.text
    return response.json if response.data else None


def refused(response: TestResponse, status: int, code: str) -> Any:
    """The problem document of a refusal that has to have this status and code."""
    assert response.mimetype == "application/problem+json", response.text
    problem = answered(response, status)
    assert problem["code"] == code, problem
    return problem
