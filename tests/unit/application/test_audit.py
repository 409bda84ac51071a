"""Privileged acts leave their mark in the audit trail, whichever door they come through; others leave none."""

from dataclasses import replace

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import OPERATOR, Actor, LastAdmin, OwnAccess
from marketplace.application.identity.registration import NewMember
from marketplace.application.listings.stock_file import header
from marketplace.application.ports.audit import AuditFilter
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.catalogue.card_sets import SetDetails
from marketplace.domain.catalogue.products import ProductDetails, ProductStatus
from marketplace.domain.identity import Role
from marketplace.domain.payments.refund import RefundCause
from marketplace.domain.sellers import SellerStatus
from marketplace.domain.shared.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.settings import Settings
from tests.market import Market

PASSWORD = "correct horse battery"


@pytest.fixture
def container():
    settings = Settings.from_env({"ARGON2_MEMORY_KIB": "8", "ARGON2_TIME_COST": "1"})
    return Container(settings=settings, backend=MemoryBackend(), clock=FixedClock())


@pytest.fixture
def trail(container):
    """What was recorded, the oldest first: (action, subject type, subject id)."""

    def recorded():
        page = container.backend.audit_queries().entries(PageRequest(size=100), wanted=AuditFilter())
        return sorted(page.items, key=lambda entry: entry.id)

    return recorded


@pytest.fixture
def open_account(container):
    def make(name: str, *roles: Role) -> Actor:
        member = NewMember(username=name, email=f"{name}@example.com", password=PASSWORD, accept_terms=True)
        id = container.create_account()(actor=OPERATOR, member=member, roles=frozenset(roles))
        return Actor(account_id=id, roles=frozenset({Role.BUYER, *roles}), is_email_verified=True, origin="192.0.2.1")

    return make


@pytest.fixture
def ada(open_account):
    return open_account("ada", Role.ADMIN)


def acts(entries):
    return [(entry.action, entry.subject_type, entry.subject_id) for entry in entries]


class TestAccounts:
    def test_each_change_of_access_is_recorded_once(self, container, trail, open_account, ada):
        bob = open_account("bob").account_id
        container.grant_role()(actor=ada, name="bob", role=Role.VERIFIER)
        container.grant_role()(actor=ada, name="bob", role=Role.VERIFIER)
        container.suspend_account()(actor=ada, name="bob", reason="Spam")
        container.reinstate_account()(actor=ada, name="bob")
        container.revoke_role()(actor=ada, name="bob", role=Role.VERIFIER)
        created, *rest = trail()[1:]
        assert (created.actor_id, created.origin, created.after) == (None, "command line", {"roles": ["buyer"]})
        assert acts([created, *rest]) == [
            (action, "account", str(bob))
            for action in (
                "account.created",
                "account.roles_changed",
                "account.suspended",
                "account.reinstated",
                "account.roles_changed",
            )
        ]
        granted, suspended = rest[0], rest[1]
        assert (granted.actor_id, granted.roles, granted.origin) == (ada.account_id, ("admin", "buyer"), "192.0.2.1")
        assert (granted.before, granted.after) == ({"roles": ["buyer"]}, {"roles": ["buyer", "verifier"]})
        assert (suspended.reason, suspended.after) == ("Spam", {"is_suspended": True})

    def test_a_suspension_pauses_the_shop_in_the_name_of_the_same_admin(self, container, trail, open_account, ada):
        bob = open_account("bob").account_id
        container.vouch_for_seller()(actor=OPERATOR, account=bob)
        before = len(trail())
        container.suspend_account()(actor=ada, name="bob", reason="Spam")
        account, shop = trail()[before:]
        assert acts([account, shop]) == [
            ("account.suspended", "account", str(bob)),
            ("seller.suspended", "seller", str(bob)),
        ]
        assert (shop.actor_id, shop.origin) == (ada.account_id, "192.0.2.1")
        assert (shop.before["status"], shop.after["status"]) == ("approved", "suspended")

    def test_a_shop_that_only_waits_goes_on_waiting(self, container, trail, open_account, ada):
        bob = open_account("bob")
        container.apply_to_sell()(actor=bob, shop_name="Card Cave")
        container.suspend_account()(actor=ada, name="bob", reason="Spam")
        assert [entry.action for entry in trail()][-1] == "account.suspended"
        with container.backend.unit_of_work() as uow:
            assert uow.sellers.get(bob.account_id).status is SellerStatus.PENDING

    def test_nothing_personal_is_recorded(self, container, trail, ada):
        told = " ".join(str(entry) for entry in trail())
        assert "ada" not in told
        assert PASSWORD not in told

    def test_what_is_refused_is_not_recorded(self, container, trail, open_account, ada):
        bob = open_account("bob")
        before = len(trail())
        with pytest.raises(Forbidden):
            container.suspend_account()(actor=bob, name="ada")
        with pytest.raises(Conflict):
            container.revoke_role()(actor=ada, name="bob", role=Role.BUYER)
        with pytest.raises(NotFound):
            container.grant_role()(actor=ada, name="nobody", role=Role.ADMIN)
        assert len(trail()) == before


class TestChangeAccess:
    def test_changes_roles_and_suspension_in_one_go(self, container, trail, open_account, ada):
        bob = open_account("bob", Role.VERIFIER).account_id
        container.change_access()(
            actor=ada, account_id=bob, roles={Role.ADMIN}, is_suspended=True, reason="Moved to another desk"
        )
        view = container.backend.identity_queries().me(bob)
        assert (set(view.roles), view.is_suspended) == ({Role.BUYER, Role.ADMIN}, True)
        assert acts(trail()[-2:]) == [
            ("account.roles_changed", "account", str(bob)),
            ("account.suspended", "account", str(bob)),
        ]
        assert {entry.reason for entry in trail()[-2:]} == {"Moved to another desk"}

    def test_what_is_so_already_changes_nothing(self, container, trail, open_account, ada):
        bob = open_account("bob").account_id
        before = trail()
        container.change_access()(actor=ada, account_id=bob, roles=set(), is_suspended=False)
        assert trail() == before

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
    def test_a_suspension_needs_a_reason_of_a_bearable_length(self, container, open_account, ada, reason):
        bob = open_account("bob").account_id
        with pytest.raises(Invalid) as refused:
            container.change_access()(actor=ada, account_id=bob, is_suspended=True, reason=reason)
        assert "reason" in refused.value.facts["errors"]
        assert not container.backend.identity_queries().me(bob).is_suspended

    @pytest.mark.parametrize(("has", "asked"), [((), {Role.SELLER}), ((Role.SELLER,), {Role.VERIFIER})])
    def test_sellers_are_made_and_unmade_elsewhere(self, container, open_account, ada, has, asked):
        bob = open_account("bob", *has).account_id
        with pytest.raises(Invalid) as refused:
            container.change_access()(actor=ada, account_id=bob, roles=asked)
        assert "/admin/sellers/" in refused.value.facts["errors"]["roles"][0]
        container.change_access()(actor=ada, account_id=bob, roles={*has, Role.VERIFIER})

    def test_nobody_shuts_themselves_out(self, container, open_account, ada):
        open_account("eve", Role.ADMIN)
        for change in ({"roles": {Role.VERIFIER}}, {"is_suspended": True}):
            with pytest.raises(OwnAccess):
                container.change_access()(actor=ada, account_id=ada.account_id, reason="Holiday", **change)
        container.change_access()(actor=ada, account_id=ada.account_id, roles={Role.ADMIN, Role.VERIFIER})

    def test_the_last_admin_stays(self, container, open_account, ada):
        eve = open_account("eve", Role.ADMIN)
        gone = replace(eve, account_id=AccountId(10_000_001))  # an admin whose own row is not there any more
        container.suspend_account()(actor=gone, name="eve", reason="Left")
        for change in ({"roles": set()}, {"is_suspended": True}):
            with pytest.raises(LastAdmin):
                container.change_access()(actor=gone, account_id=ada.account_id, reason="Left", **change)
        container.change_access()(actor=gone, account_id=eve.account_id, roles=set())
        container.suspend_account()(actor=OPERATOR, name="ada")
        assert container.backend.identity_queries().me(ada.account_id).is_suspended


class TestCatalogue:
    def test_products(self, container, trail, ada):
        id = container.catalogue.publish_product()(
            actor=ada, tcg_type="pokemon", details=ProductDetails(name="Pikachu")
        )
        container.catalogue.revise_product()(actor=ada, product_id=id, changes={"name": "Raichu"})
        container.catalogue.revise_product()(actor=ada, product_id=id, changes={"name": "Raichu"})
        container.catalogue.archive_product()(actor=ada, product_id=id)
        container.catalogue.archive_product()(actor=ada, product_id=id)
        container.catalogue.revise_product()(actor=ada, product_id=id, changes={}, status=ProductStatus.PUBLISHED)
        published, revised, archived, revived = trail()[1:]
        assert acts([published, revised, archived, revived]) == [
            (action, "product", str(id))
            for action in ("product.published", "product.revised", "product.archived", "product.revised")
        ]
        assert published.after["name"] == "Pikachu"
        assert (revised.before, revised.after) == ({"name": "Pikachu"}, {"name": "Raichu"})
        assert archived.after == {"status": "archived"}
        assert revived.after == {"status": "published"}

    def test_categories(self, container, trail, ada):
        id = container.catalogue.add_category()(actor=ada, name="Cards")
        container.catalogue.change_category()(actor=ada, category_id=id, changes={"name": "Single cards"})
        container.catalogue.delete_category()(actor=ada, category_id=id)
        added, changed, deleted = trail()[1:]
        assert acts([added, changed, deleted]) == [
            (action, "category", str(id)) for action in ("category.added", "category.changed", "category.deleted")
        ]
        assert (changed.before, changed.after) == ({"name": "Cards"}, {"name": "Single cards"})
        assert (deleted.before["name"], deleted.after) == ("Single cards", {})

    def test_sets_and_attributes(self, container, trail, ada):
        container.catalogue.add_card_set()(
            actor=ada,
            details=SetDetails(external_id="own-1", tcg_type="pokemon", region="int", code="OWN", name="Our own"),
        )
        container.catalogue.add_language()(actor=ada, code="fi", name="Suomi")
        version = container.catalogue.add_version()(actor=ada, code="etched", name="Etched", tcg_types=["magic"])
        container.catalogue.change_version()(actor=ada, version_id=version.id, displayable=False)
        container.catalogue.add_condition()(actor=ada, code="XX", label="Torn", rank=99)
        container.catalogue.add_grade()(actor=ada, grader="ACE", value="9.5")
        entries = trail()[1:]
        assert [entry.action for entry in entries] == [
            "card_set.added",
            "language.added",
            "version.added",
            "version.changed",
            "condition.added",
            "grade.added",
        ]
        assert (entries[3].before, entries[3].after) == ({"displayable": True}, {"displayable": False})


class TestReplays:
    def test_replays_are_recorded_and_are_for_admins_only(self, container, trail, open_account, ada):
        bob = open_account("bob")
        before = len(trail())
        for replay in (container.replay_dead_letters(), container.webhooks.replay()):
            with pytest.raises(Forbidden):
                replay(actor=bob)
        container.replay_dead_letters()(actor=ada, ids=(3, 5))
        container.webhooks.replay()(actor=ada)
        events, webhooks = trail()[before:]
        assert (events.action, events.after) == ("outbox.replayed", {"ids": [3, 5]})
        assert (webhooks.action, webhooks.after) == ("webhooks.replayed", {"ids": "all"})


class TestImports:
    def test_an_import_of_the_catalogue_is_recorded_and_for_admins_only(self, container, trail, open_account, ada):
        with pytest.raises(Forbidden):
            container.catalogue.order_catalogue_import()(actor=open_account("bob"), sets=[], cards=[])
        container.catalogue.order_catalogue_import()(actor=ada, sets=[], cards=[])
        assert acts(trail()[-1:]) == [("catalogue.imported", "catalogue", "all")]

    def test_a_sellers_own_import_is_no_privilege_another_ones_is(self, container, trail, open_account, ada):
        bob = open_account("bob")
        container.vouch_for_seller()(actor=OPERATOR, account=bob.account_id)
        seller = replace(bob, roles=bob.roles | {Role.SELLER})
        data = ",".join(header("EUR")).encode()
        before = len(trail())
        for actor in (seller, ada):
            container.import_listings()(actor=actor, seller_id=bob.account_id, data=data)
        (entry,) = trail()[before:]
        assert (entry.actor_id, entry.action, entry.subject_id) == (
            ada.account_id,
            "listings.imported",
            str(bob.account_id),
        )


class TestWhatBelongsToOthers:
    @pytest.fixture
    def market(self, container):
        backend = container.backend
        return Market(
            unit_of_work=backend.unit_of_work,
            reservation_queries=backend.reservation_queries(),
            order_queries=backend.order_queries(),
            clock=container.clock(),
            ids=backend.ids(),
        )

    @pytest.fixture
    def ordered(self, container, market):
        """A buyer and what they have begun to pay for."""
        buyer = market.buyer()
        market.add(buyer, market.listing(market.seller()))
        order = container.place_order()(actor=buyer, shipping_address=market.address_of(buyer))
        container.start_payment()(actor=buyer, order_id=order)
        return buyer, order

    def test_listings(self, container, trail, market, ada):
        seller = market.seller()
        listing = market.listing(seller, price=1000)
        before = len(trail())
        for actor, price in ((seller, "11.00"), (ada, "12.00"), (ada, "12.00")):
            container.update_listing()(actor=actor, listing_id=listing, price=price)
        container.archive_listing()(actor=ada, listing_id=listing)
        changed, archived = trail()[before:]
        assert acts([changed, archived]) == [
            ("listing.changed", "listing", str(listing)),
            ("listing.archived", "listing", str(listing)),
        ]
        assert (changed.before, changed.after) == ({"price": "11.00"}, {"price": "12.00"})
        assert (archived.before, archived.after) == ({"status": "active"}, {"status": "archived"})

    def test_cancellations(self, container, trail, ordered, ada):
        _, order = ordered
        before = len(trail())
        container.cancel_order()(actor=ada, order_id=order)
        assert acts(trail()[before:]) == [("order.cancel_requested", "order", str(order))]

    def test_a_buyers_own_cancellation_is_no_privilege(self, container, trail, ordered):
        buyer, order = ordered
        before = trail()
        container.cancel_order()(actor=buyer, order_id=order)
        assert trail() == before

    def test_refunds(self, container, trail, market, ordered, ada):
        buyer, order = ordered
        container.pay_order()(actor=buyer, order_id=order, payment_method="pm_card_visa")
        while container.webhooks.deliver_simulated()() + container.webhooks.process()():
            pass  # until the payment has arrived
        before = len(trail())
        refund = container.refund_order()(
            actor=ada, order_id=order, reason="Lost in the post", cause=RefundCause.PLATFORM
        )
        (entry,) = trail()[before:]
        assert acts([entry]) == [("order.refunded", "order", str(order))]
        assert entry.reason == "Lost in the post"
        assert entry.after == {"refund_id": refund.id, "amount": "25.50", "cause": "platform", "sale_id": None}
