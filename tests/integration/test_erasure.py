"""Somebody who has left is gone: no word of theirs is in any column of any table, and the books balance.

The database is asked which columns it has, so that a table of tomorrow is looked through as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from marketplace.application.access import OPERATOR
from marketplace.domain.payments.refund import RefundCause
from marketplace.domain.shared.ids import OrderId
from tests.integration.personal_traces import besides_documents, searched_columns, traces_of
from tests.integration.town import PASSWORD, Member, Town, answered, refused

pytestmark = pytest.mark.slow

NAME = "zq-leaver-77"
EMAIL = "zq.mail.77@leaver-domain.com"
NEXT_EMAIL = "zq.next.77@another-domain.com"
DEVICE = "ZqDevice/7.7"
PLACE = "203.0.113.77"
ADDRESS = {
    "name": "Zquinta Vorbelina",
    "street_number": "7719",
    "street": "Passage Zqallee",
    "city": "Zqville",
    "state": "Zqstate",
    "postal_code": "ZQ7719",
    "country": "FR",
    "phone_number": "+33 6 77 19 77 19",
}
BILLING = {**ADDRESS, "name": "Zqcompta Vorbelina", "street": "Quai Zqrive", "phone_number": "+33 1 77 20 77 20"}
COMPANY = {
    "company_name": "Zqcompany SARL",
    "siret_number": "73282932000074",
    "vat_number": "FR44732829320",
    "company_address": {"street": "Boulevard Zqindustrie", "city": "Zqbourg", "country": "FR"},
}
SHOP, ABOUT, OFFER = "Zqshop of cards", "Zqabout: my grandmother's cards", "Zqoffer, call +33677197719"
NUMBER = "+33 6 77 21 77 21"

WORDS = {
    *(NAME, EMAIL, NEXT_EMAIL, "zq.mail.77", "Zquinta", "Vorbelina", DEVICE, PLACE, SHOP, "Zqabout", "Zqoffer"),
    *(NUMBER, "+33 6 77 19 77 19", "+33 1 77 20 77 20", "Zqcompta", "Zqrive", "Zqallee", "Zqville", "Zqstate"),
    *("ZQ7719", "Zqcompany", "Zqindustrie", "Zqbourg", "73282932000074", "FR44732829320"),
}


@pytest.fixture
def town(clean_database: str, tmp_path: Path) -> Iterator[Town]:
    town = Town(clean_database, tmp_path)
    yield town
    assert town.books() == []
    town.close()


@pytest.fixture
def engine(clean_database: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(clean_database)
    yield engine
    engine.dispose()


class Leaver(Member):
    """Somebody who asks from a place of their own."""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        at_home = self.town.browser.environ_base
        everybody_elses, at_home["REMOTE_ADDR"] = at_home["REMOTE_ADDR"], PLACE
        try:
            return super().ask(method, path, body, **{"User_Agent": DEVICE, **headers})
        finally:
            at_home["REMOTE_ADDR"] = everybody_elses


@dataclass
class Life:
    """Somebody who has left traces wherever a member can, and those they dealt with."""

    town: Town
    leaver: Member
    account_id: int
    admin: Member
    bought: int
    sold: int
    offered: int


@pytest.fixture
def life(town: Town, engine: sa.Engine) -> Life:
    admin, red, ada = town.admin(), town.seller("red"), town.member("ada")
    leaver = _joined(town)
    account_id = leaver.get("/users/me/")["id"]
    _told_everything(leaver)
    bought = _bought(leaver, red.offers(admin.describes("Charizard"), price="50.05", stock=3))
    offered, sold = _sold(town, admin, leaver, ada)
    _was_looked_at(town, admin, account_id, bought, sold)
    leaver.takes(red.offers(admin.describes("Ditto"), price="5.00", stock=3))
    _asked_for_codes(town, leaver)
    _left_where_others_keep_it(engine, account_id, bought)
    return Life(town, leaver, account_id, admin, bought, sold, offered)


def _joined(town: Town) -> Member:
    joined = town.browser.post(
        "/api/v1/auth/register/",
        json={
            "username": NAME,
            "email": EMAIL,
            "password": PASSWORD,
            "confirm_password": PASSWORD,
            "first_name": "Zquinta",
            "last_name": "Vorbelina",
            "account_type": "professional",
            "role": "vendor",
            "accept_terms": True,
        },
        headers={"User-Agent": DEVICE},
        environ_overrides={"REMOTE_ADDR": PLACE},
    )
    leaver = Leaver(town, NAME, answered(joined, 201)["access_token"])
    town.work()
    code = re.search(r"\b\d{6}\b", _latest_letter(town, about="verify-email").text)
    assert code is not None
    answered(town.browser.post("/api/v1/auth/verify-email/", json={"email": EMAIL, "otp": code[0]}), 200)
    town.work()
    return leaver


def _latest_letter(town: Town, *, about: str) -> Any:
    """By the number of its delivery: several are sent within a second."""
    letters = [m for m in town.container.backend.mailbox().messages(limit=1000) if m.message_id.startswith(about)]
    return max(letters, key=lambda letter: int(letter.message_id.rpartition("-")[2]))


def _told_everything(leaver: Member) -> None:
    answered(leaver.ask("PATCH", "/users/me/", {"phone_number": NUMBER, "language": "fr"}), 200)
    answered(leaver.ask("PUT", "/users/me/professional-info/", COMPANY), 200)
    kept = leaver.ask("POST", "/users/me/addresses/", {**ADDRESS, "address_type": "both"}, Idempotency_Key="own-1")
    answered(kept, 201)
    answered(leaver.ask("POST", "/auth/two-factor/", {"password": PASSWORD}), 201)


def _bought(leaver: Member, listing: int) -> int:
    leaver.takes(listing)
    home = leaver.get("/users/me/addresses/")["results"][0]["id"]
    placed = leaver.ask("POST", "/orders/", {"shipping_address": home, "billing_address": BILLING}, Idempotency_Key="o")
    order = int(answered(placed, 201)["id"])
    answered(leaver.pays(order), 200)
    return order


def _sold(town: Town, admin: Member, leaver: Member, ada: Member) -> tuple[int, int]:
    town.container.vouch_for_seller()(actor=OPERATOR, account=NAME, shop_name=SHOP)
    answered(leaver.ask("PATCH", "/sellers/me/", {"shop_name": SHOP, "description": ABOUT}), 200)
    listing = leaver.offers(admin.describes("Pikachu"), price="30.00", stock=2)
    answered(leaver.ask("PATCH", f"/listings/{listing}/", {"description": OFFER}), 200)
    sold = ada.orders(listing)
    answered(ada.pays(sold), 200)
    return listing, sold


def _was_looked_at(town: Town, admin: Member, account_id: int, bought: int, sold: int) -> None:
    """By admins, who write about people and are answered with their names."""
    town.work()
    for order in (bought, sold):
        town.container.refund_order()(
            actor=OPERATOR, order_id=OrderId(order), reason="Vorbelina asked for it", cause=RefundCause.PLATFORM
        )
    why = {"reason": f"{EMAIL} sent false papers"}
    at = f"/admin/sellers/{account_id}"
    shown = answered(admin.ask("POST", f"{at}/suspend/", why, Idempotency_Key="admin-1"), 200)
    assert EMAIL in json.dumps(shown)
    answered(admin.ask("POST", f"{at}/reinstate/", Idempotency_Key="admin-2"), 200)
    town.work()


def _asked_for_codes(town: Town, leaver: Member) -> None:
    answered(town.browser.post("/api/v1/auth/password-reset/", json={"email": EMAIL}), 202)
    here = {"REMOTE_ADDR": PLACE}
    wrong = {"username": EMAIL, "password": "no such password"}
    assert town.browser.post("/api/v1/auth/login/", json=wrong, environ_overrides=here).status_code == 401
    again = {"username": NAME, "password": PASSWORD}
    answered(
        town.browser.post("/api/v1/auth/login/", json=again, headers={"User-Agent": DEVICE}, environ_overrides=here),
        200,
    )
    change = {"email": NEXT_EMAIL, "current_password": PASSWORD}
    answered(leaver.ask("PATCH", "/users/me/", change), 200)  # and the worker has not come round since


def _left_where_others_keep_it(engine: sa.Engine, account_id: int, bought: int) -> None:
    """What no door of ours writes today: the real provider's events, refused mail, an admin's own whereabouts."""
    charge = {"billing_details": {"name": "Zquinta Vorbelina", "email": EMAIL, "phone": NUMBER}}
    with engine.begin() as connection:
        connection.execute(
            sa.text("update webhook_inbox set payload = payload || cast(:told as jsonb) where order_id = :order"),
            {"told": json.dumps(charge), "order": bought},
        )
        connection.execute(
            sa.text("update outbox set last_error = :told where id = (select min(id) from outbox)"),
            {"told": f"550 no such user: {EMAIL}"},
        )
        connection.execute(
            sa.text(
                "insert into audit_entries (occurred_at, actor_id, roles, action, subject_type, subject_id, origin,"
                " reason, before, after) values (now(), :id, '{verifier}', 'listing.verified', 'listing', '1', :place,"
                " 'as Zquinta said', '{}', '{}')"
            ),
            {"id": account_id, "place": PLACE},
        )


def test_no_word_of_theirs_is_left_in_any_column(life: Life, engine: sa.Engine) -> None:
    before = traces_of(engine, WORDS)
    assert {word for word, _ in before} == WORDS, "what was never there proves nothing by not being found"
    assert {place for _, place in before} >= {
        "accounts.username_key",
        "accounts.company_address",
        "addresses.street",
        "audit_entries.origin",
        "audit_entries.reason",
        "idempotency_keys.body",
        "listings.description",
        "notifications.body",
        "orders.billing_address",
        "orders.shipping_address",
        "outbox.last_error",
        "outbox.payload",
        "seller_profiles.shop_name",
        "sessions.device",
        "sessions.ip",
        "webhook_inbox.payload",
    }

    answered(life.leaver.ask("DELETE", "/users/me/", {"password": PASSWORD}), 204)

    assert besides_documents(traces_of(engine, WORDS)) == set()
    assert sealed_or_digested(engine, life.account_id) == []
    life.town.work()
    assert besides_documents(traces_of(engine, WORDS)) == set()


def sealed_or_digested(engine: sa.Engine, account_id: int) -> list[str]:
    """Tables in which something is kept of them that no search for words can read."""
    with engine.connect() as connection:
        kept = {
            table: connection.exec_driver_sql(f"select count(*) from {table}").scalar_one()
            for table in ("password_resets", "attempt_counters")
        }
        for table in ("second_factors", "one_time_codes", "sessions"):
            theirs = sa.text(f"select count(*) from {table} where account_id = :id")
            kept[table] = connection.execute(theirs, {"id": account_id}).scalar_one()
        hashed = sa.text("select password_hash <> '' from accounts where id = :id")
        kept["accounts"] = connection.execute(hashed, {"id": account_id}).scalar_one()
    return [table for table, found in kept.items() if found]


def test_books_and_orders_stay_as_nobodys(life: Life, engine: sa.Engine) -> None:
    answered(life.leaver.ask("DELETE", "/users/me/", {"password": PASSWORD}), 204)
    life.town.work()
    with engine.connect() as connection:
        assert connection.execute(
            sa.text("select shipping_address ->> 'country', billing_address ->> 'name' from orders where id = :id"),
            {"id": life.bought},
        ).one() == ("FR", "(erased)")
        assert connection.execute(
            sa.text("select status, description, claimed from listings where id = :id"), {"id": life.offered}
        ).one() == ("archived", "", 0)
        assert not connection.execute(
            sa.text("select exists (select from outbox where dead_at is not null or done_at is null)")
        ).scalar_one()
    refused(life.leaver.ask("GET", "/users/me/"), 401, "not_authenticated")
    again = life.town.browser.post("/api/v1/auth/login/", json={"username": NAME, "password": PASSWORD})
    refused(again, 401, "invalid_credentials")
    assert life.town.browser.get(f"/api/v1/sellers/{life.account_id}/").status_code == 404


def test_the_name_is_free_again(life: Life) -> None:
    answered(life.leaver.ask("DELETE", "/users/me/", {"password": PASSWORD}), 204)
    newcomer = _joined(life.town)
    assert newcomer.get("/users/me/")["id"] != life.account_id
    assert newcomer.get("/orders/")["count"] == 0


def test_what_began_before_and_ends_after_is_refused(life: Life, engine: sa.Engine) -> None:
    answered(life.leaver.ask("DELETE", "/users/me/", {"password": PASSWORD}), 204)
    late = {
        "addresses": "insert into addresses (id, account_id, name, street_number, street, city, state, postal_code,"
        " country, phone_number, address_type, created_at, version) values"
        " (1, :id, 'Z', '', 'Z', 'Z', '', '', 'FR', '', 'both', now(), 1)",
        "sessions": "insert into sessions (id, account_id, token_hash, started_at, refreshed_at, expires_at, device,"
        " ip, version) values (1, :id, 't', now(), now(), now(), '', '', 1)",
        "payment_customers": "insert into payment_customers (account_id, provider, created_at, version) values"
        " (:id, 'simulated', now(), 1)",
    }
    for statement in late.values():
        with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="was erased"):
            connection.execute(sa.text(statement), {"id": life.account_id})


FORGOTTEN = {
    *("addresses.account_id", "idempotency_keys.account_id", "notification_preferences.account_id"),
    *("notifications.account_id", "one_time_codes.account_id", "password_resets.account_id"),
    *("reservations.buyer_id", "second_factors.account_id", "sessions.account_id"),
}
STAYS_AS_NOBODYS = {
    *("audit_entries.actor_id", "listings.seller_id", "order_transitions.actor_id", "orders.buyer_id"),
    # Invoices name whom they are for, as the law wants them to, for as long as it wants them kept (decision 31).
    "documents.account_id",
    # Until the provider has forgotten them too, which the worker sees to.
    "payment_customers.account_id",
    *("payments.buyer_id", "payments.cancel_wanted_by", "payout_accounts.account_id", "refund_parts.seller_id"),
    *("sales.seller_id", "seller_profiles.account_id", "payouts.seller_id", "recoveries.seller_id"),
    *("disputes.buyer_id", "disputes.seller_id", "disputes.resolved_by", "refunds.settled_by"),
}


def test_it_is_decided_what_becomes_of_every_table_that_names_an_account(engine: sa.Engine) -> None:
    """A table of tomorrow fails here until ``PersonalData.forget`` empties it, or it holds no word of anybody."""
    with engine.connect() as connection:
        naming = connection.exec_driver_sql(
            """
            select distinct c.relname || '.' || a.attname
            from pg_attribute a join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
                join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
                left join pg_constraint f on f.conrelid = c.oid and f.contype = 'f' and a.attnum = any(f.conkey)
                    and f.confrelid = 'accounts'::regclass
            where a.attnum > 0 and not a.attisdropped and (
                f.oid is not null
                or a.attname in ('account_id', 'actor_id', 'buyer_id', 'member_id', 'owner_id', 'seller_id')
            )
            """
        )
        assert set(naming.scalars()) == FORGOTTEN | STAYS_AS_NOBODYS


def test_nothing_is_left_in_what_is_to_be_forgotten(life: Life, engine: sa.Engine) -> None:
    def left() -> dict[str, int]:
        with engine.connect() as connection:
            counted = {
                column: connection.execute(
                    sa.text(f"select count(*) from {column.partition('.')[0]} where {column} = :id"),
                    {"id": life.account_id},
                ).scalar_one()
                for column in FORGOTTEN
            }
        return {column: count for column, count in counted.items() if count}

    assert left().keys() >= FORGOTTEN - {"notification_preferences.account_id", "password_resets.account_id"}
    answered(life.leaver.ask("DELETE", "/users/me/", {"password": PASSWORD}), 204)
    assert left() == {}


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("text", "'of Zquinta, once'"),
        ("varchar(40)", "'of ZQUINTA, once'"),
        ("text[]", "array['nothing', 'zquinta']"),
        ("jsonb", """'{"a": [{"b": "Zquinta"}]}'"""),
        ("bytea", "convert_to('Zquinta', 'UTF8')"),
    ],
)
def test_the_search_finds_what_a_new_table_holds(database_factory: Any, type: str, value: str) -> None:
    engine = sa.create_engine(database_factory())
    with engine.begin() as connection:
        connection.exec_driver_sql(f"create table of_tomorrow (id bigint, held {type})")
        connection.exec_driver_sql(f"insert into of_tomorrow values (1, {value})")
    assert traces_of(engine, ["Zquinta"]) == {("Zquinta", "of_tomorrow.held")}
    engine.dispose()


def test_the_search_finds_addresses_of_the_network(database_factory: Any) -> None:
    engine = sa.create_engine(database_factory())
    with engine.begin() as connection:
        connection.exec_driver_sql("create table of_tomorrow (held inet)")
        connection.exec_driver_sql(f"insert into of_tomorrow values ('{PLACE}')")
    assert traces_of(engine, [PLACE]) == {(PLACE, "of_tomorrow.held")}
    engine.dispose()


def test_the_search_looks_through_every_table_with_words(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        textual = connection.exec_driver_sql(
            "select table_name || '.' || column_name from information_schema.columns where table_schema = 'public'"
            " and data_type in ('text', 'character varying', 'jsonb', 'json', 'bytea', 'inet', 'ARRAY')"
        )
        assert set(textual.scalars()) <= searched_columns(engine)
