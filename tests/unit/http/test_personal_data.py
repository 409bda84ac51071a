"""One's own data over HTTP and for operators: all of it as a file, and all of it gone."""

import json
from dataclasses import replace

import pytest

from marketplace.application.access import OPERATOR, LastAdmin
from marketplace.application.identity.registration import NewMember
from marketplace.domain.disputes import Dispute, DisputeOutcome, DisputeReason
from marketplace.domain.identity import Role
from marketplace.domain.identity.erasure import ErasureRefused
from marketplace.domain.shared.errors import Conflict, Forbidden, NotFound
from marketplace.domain.shared.ids import AccountId, DisputeId
from marketplace.entrypoints.http.personal_data import ExportSchema
from tests.people import PASSWORD, Person
from tests.unit.http.answers import refused

SECTIONS = [
    *("format", "exported_at", "account", "professional_info", "second_factor", "addresses", "sessions"),
    *("requested_codes", "cart", "orders", "order_history", "refunds", "payment_customer"),
    *("seller", "listings", "sales"),
    *("payouts", "recoveries", "disputes", "documents"),
    *("notifications", "notification_preferences", "audit"),
]


@pytest.fixture
def ash(container, client):
    return Person(container=container, client=client, name="ash")


@pytest.fixture
def phone(ash):
    """The device on which Ash has joined."""
    return ash.joins()


def exported(device):
    answer = device.ask("GET", "/users/me/export/")
    assert answer.status_code == 200, answer.text
    return json.loads(answer.data)


def audited(container, account_id):
    with container.backend.store().lock:
        entries = container.backend.store().table("audit_entries").values()
        return [entry for entry in entries if entry.subject_id == str(account_id)]


class TestExport:
    def test_is_one_file_that_nobody_keeps(self, phone):
        answer = phone.ask("GET", "/users/me/export/")
        assert answer.mimetype == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        me = phone.ask("GET", "/users/me/").json["id"]
        assert answer.headers["Content-Disposition"] == f'attachment; filename="export-{me}-2026-01-15.json"'
        assert list(json.loads(answer.data)) == SECTIONS

    def test_has_what_the_api_document_says_that_it_has(self):
        assert list(ExportSchema().fields) == SECTIONS

    def test_has_what_was_said_and_no_secret(self, ash, phone):
        ash.letters()
        ash.asks_for_reset()
        ash.letters()
        phone.ask("POST", "/auth/two-factor/", {"password": PASSWORD})
        phone.ask(
            "POST", "/users/me/addresses/", {"name": "Ash", "street": "Bourg 1", "city": "Palette", "country": "FR"}
        )
        ash.logs_in(user_agent="curl/8.5.0", address="192.0.2.7")
        phone.ask("DELETE", "/auth/sessions/?keep_current=true")
        told = exported(phone)
        assert (told["account"]["username"], told["account"]["email"]) == ("ash", "ash@example.com")
        assert told["account"]["terms_accepted_at"] == "2026-01-15T12:00:00+00:00"
        assert [address["city"] for address in told["addresses"]] == ["Palette"]
        # The one that was ended tells of a place as well.
        assert [(s["ip"], s["revoked_at"] is None) for s in told["sessions"]] == [
            ("127.0.0.1", True),
            ("192.0.2.7", False),
        ]
        assert told["sessions"][1]["device"] == "curl/8.5.0"
        assert {code["purpose"] for code in told["requested_codes"]} == {"password_reset", "verify_email"}
        assert told["second_factor"]["enabled"] is False
        assert not [word for word in ("password_hash", "token", "code_hash", "sealed") if word in json.dumps(told)]

    def test_has_what_admins_did_but_not_who_and_from_where(self, ash, phone, container):
        me = phone.ask("GET", "/users/me/").json["id"]
        admin = replace(OPERATOR, account_id=999, origin="198.51.100.7")
        container.grant_role()(actor=admin, name="ash", role=Role.VERIFIER)
        (entry,) = exported(phone)["audit"]
        assert (entry["action"], entry["subject"]) == ("account.roles_changed", {"type": "account", "id": str(me)})
        assert (entry["actor"], entry["origin"]) == (None, "")
        assert "198.51.100.7" not in json.dumps(exported(phone))

    def test_has_once_what_people_did_to_themselves(self, phone, container):
        me = phone.ask("GET", "/users/me/").json["id"]
        container.grant_role()(actor=OPERATOR, name="ash", role=Role.ADMIN)
        admin = replace(OPERATOR, account_id=me, origin="192.0.2.7")
        container.grant_role()(actor=admin, name="ash", role=Role.VERIFIER)
        # What others did comes without them; what they did themselves comes with all that is known of it.
        told = [(entry["actor"], entry["origin"]) for entry in exported(phone)["audit"]]
        assert told == [(me, "192.0.2.7"), (None, "")]

    def test_is_for_oneself(self, client):
        refused(client.get("/api/v1/users/me/export/"), 401, "not_authenticated")


class TestExportOfBusiness:
    def get(self, client, header):
        return json.loads(client.get("/api/v1/users/me/export/", headers=header).data)

    def test_has_every_listing_and_not_only_a_page(self, client, market, sign_in):
        seller = market.seller()
        made = [market.listing(seller) for _ in range(205)]
        market.archive(made[0])
        told = self.get(client, sign_in(seller))
        assert sorted(listing["id"] for listing in told["listings"]) == sorted(made)
        assert told["seller"]["shop_name"] == f"Shop {seller.account_id}"

    def test_has_both_sides_of_a_purchase_each_what_is_theirs(self, client, market, sign_in, buyer):
        seller = market.seller()
        listing = market.listing(seller)
        market.add(buyer, listing)
        order_id = market.order(buyer)
        market.pay(order_id)
        market.add(buyer, market.listing(seller))
        bought, sold = self.get(client, sign_in(buyer)), self.get(client, sign_in(seller))
        (order,) = bought["orders"]
        assert (order["id"], order["shipping_address"]["street"]) == (order_id, "Rue des Cartes")
        assert [(move["from"], move["to"]) for move in bought["order_history"] if move["sale"] is None] == [
            ("pending_payment", "paid")
        ]
        assert len(bought["cart"]) == 1
        (sale,) = sold["sales"]
        assert (sale["order"], "shipping_address" in sale) == (order_id, False)
        assert f"Member {buyer.account_id}" not in json.dumps(sold)

    def test_has_what_was_disputed_without_who_bought_and_who_decided(self, client, market, sign_in, buyer):
        seller = market.seller()
        market.add(buyer, market.listing(seller))
        order = market.order_now(market.order(buyer))
        sale = order.sales[0]
        claim = Dispute.open(
            id=DisputeId(1),
            order_id=order.id,
            sale_id=sale.id,
            buyer_id=order.buyer_id,
            seller_id=sale.seller_id,
            reason=DisputeReason.DAMAGED,
            description="A corner is bent",
            currency=order.currency,
            now=market.clock.now(),
        )
        claim.resolve(DisputeOutcome.DISMISSED, note="It came so", now=market.clock.now(), by=AccountId(1))
        with market.unit_of_work() as uow:
            uow.disputes.add(claim)
            uow.commit()
        (mine,) = self.get(client, sign_in(buyer))["disputes"]
        (theirs,) = self.get(client, sign_in(seller))["disputes"]
        assert mine == theirs
        assert (mine["sale"], mine["reason"], mine["description"]) == (sale.id, "damaged", "A corner is bent")
        assert {"buyer", "resolved_by"}.isdisjoint(mine)

    def test_shows_what_fails_as_a_problem(self, client, market, sign_in, container, monkeypatch):
        def gone(account_id):
            raise NotFound("There is no such account.")

        monkeypatch.setattr(container.backend.identity_queries(), "me", gone)
        refused(client.get("/api/v1/users/me/export/", headers=sign_in(market.buyer())), 404, "not_found")


class TestErasure:
    def test_is_refused_without_the_password(self, phone):
        refused(phone.ask("DELETE", "/users/me/", {}), 422, "validation_error")
        problem = refused(phone.ask("DELETE", "/users/me/", {"password": "not this one"}), 422, "validation_error")
        assert problem["errors"] == {"password": ["It is not the password of this account."]}
        assert phone.is_signed_in()

    def test_counts_wrong_passwords(self, phone):
        for _ in range(20):  # ten for the whole world, and ten for a place that is known
            refused(phone.ask("DELETE", "/users/me/", {"password": "not this one"}), 422, "validation_error")
        answer = phone.ask("DELETE", "/users/me/", {"password": PASSWORD})
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0

    def test_signs_out_everywhere_and_for_good(self, ash, phone):
        laptop = ash.logs_in()
        assert phone.ask("DELETE", "/users/me/", {"password": PASSWORD}).status_code == 204
        assert (phone.is_signed_in(), laptop.is_signed_in()) == (False, False)
        refused(laptop.refresh(), 401, "not_authenticated")
        refused(ash.try_log_in(PASSWORD), 401, "invalid_credentials")

    def test_frees_the_names_and_tells_nobody(self, ash, phone, container):
        before = len(ash.letters())
        phone.ask("DELETE", "/users/me/", {"password": PASSWORD})
        assert len(ash.letters()) == before
        assert ash.joins().is_signed_in()

    def test_lets_no_admin_bring_back_a_person(self, ash, phone, container):
        me = phone.ask("GET", "/users/me/").json["id"]
        phone.ask("DELETE", "/users/me/", {"password": PASSWORD})
        with pytest.raises(Conflict, match="was erased"):
            container.change_access()(actor=OPERATOR, account_id=me, is_suspended=False)
        with pytest.raises(Conflict, match="was erased"):
            container.change_access()(actor=OPERATOR, account_id=me, roles={Role.ADMIN})

    def test_is_no_privilege_on_oneself(self, phone, container):
        me = phone.ask("GET", "/users/me/").json["id"]
        phone.ask("DELETE", "/users/me/", {"password": PASSWORD})
        assert audited(container, me) == []

    def test_of_the_last_admin_is_refused(self, ash, phone, container):
        container.grant_role()(actor=OPERATOR, name="ash", role=Role.ADMIN)
        refused(phone.ask("DELETE", "/users/me/", {"password": PASSWORD}), 409, "last_admin")
        member = NewMember(username="gary", email="gary@example.com", password=PASSWORD, accept_terms=True)
        container.create_account()(actor=OPERATOR, member=member, roles=frozenset({Role.ADMIN}))
        assert phone.ask("DELETE", "/users/me/", {"password": PASSWORD}).status_code == 204
        with pytest.raises(LastAdmin):
            container.personal_data.erase_member()(actor=OPERATOR, name="gary")

    def test_a_shop_is_called_by_nobodys_name_even_if_another_has_that(self, ash, phone, container):
        me = phone.ask("GET", "/users/me/").json["id"]
        container.vouch_for_seller()(actor=OPERATOR, account="ash", shop_name="Ash's")
        Person(container=container, client=ash.client, name="gary").joins()
        container.vouch_for_seller()(actor=OPERATOR, account="gary", shop_name=f"(erased {me})")
        assert phone.ask("DELETE", "/users/me/", {"password": PASSWORD}).status_code == 204
        assert container.backend.store().table("sellers")[me].shop_name == f"(erased {me})*"

    def test_says_what_is_open(self, container, client, market, sign_in, buyer):
        market.add(buyer, market.listing(market.seller()))
        order = market.order_now(market.order(buyer))
        with market.unit_of_work() as uow:
            account = uow.accounts.get(buyer.account_id)
            account.rehash(container.backend.password_hasher().hash(PASSWORD))
            uow.accounts.save(account)
            uow.commit()
        answer = client.delete("/api/v1/users/me/", json={"password": PASSWORD}, headers=sign_in(buyer))
        problem = refused(answer, 409, "erasure_refused")
        assert problem["reasons"] == [{"reason": "order_unpaid", "count": 1, "subjects": [order.reference]}]
        assert order.reference in problem["detail"]
        with pytest.raises(ErasureRefused):
            container.personal_data.erase_member()(actor=OPERATOR, name=f"member-{buyer.account_id}")


class TestOperators:
    def test_erase_and_leave_a_record_without_a_name(self, ash, phone, container):
        me = phone.ask("GET", "/users/me/").json["id"]
        assert container.personal_data.erase_member()(actor=OPERATOR, name="ASH@example.com") == me
        (entry,) = audited(container, me)
        assert (entry.action, entry.origin, entry.before, entry.after) == ("account.erased", "command line", {}, {})
        assert not phone.is_signed_in()
        for name in ("ash", f"(erased {me})"):
            with pytest.raises(NotFound):
                container.personal_data.erase_member()(actor=OPERATOR, name=name)

    def test_export_and_leave_a_record(self, phone, container):
        me = phone.ask("GET", "/users/me/").json["id"]
        sections = list(container.personal_data.export_member()(actor=OPERATOR, name="ash"))
        assert [section.name for section in sections] == SECTIONS[2:]
        assert [entry.action for entry in audited(container, me)] == ["account.exported"]
        with pytest.raises(NotFound):
            container.personal_data.export_member()(actor=OPERATOR, name="nobody")

    @pytest.mark.parametrize("act", ["erase_member", "export_member"])
    def test_nobody_else_does(self, phone, container, act, market):
        with pytest.raises(Forbidden):
            getattr(container.personal_data, act)()(actor=market.buyer(), name="ash")

    def test_finishing_an_erasure_leaves_alone_who_is_there(self, phone, container):
        me = phone.ask("GET", "/users/me/").json["id"]
        container.personal_data.finish_erasure()(account_id=me)
        assert phone.is_signed_in()
