"""What a store promises about what it holds on people: to give it whole, and to forget it on demand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from marketplace.application.access import OPERATOR, Actor
from marketplace.application.ports.idempotency import Answer
from marketplace.application.ports.pages import PageRequest
from marketplace.application.ports.payments import InboxStatus
from marketplace.application.ports.personal_data import KeptCode, Traces
from marketplace.domain.disputes import DisputeOutcome, DisputeReason
from marketplace.domain.identity.codes import CodePurpose
from marketplace.domain.identity.devices import Device
from marketplace.domain.identity.erasure import ERASED
from marketplace.domain.identity.events import AccountErased, AccountSuspended, VendorRegistered
from marketplace.domain.identity.password_resets import PasswordReset
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.order import PostalAddress
from marketplace.domain.sellers import SellerSuspended
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import CodeId
from tests.contracts.identity import a_code, a_session, an_address
from tests.contracts.open_matters import OpenMattersContract, Purchase
from tests.contracts.payments import an_event
from tests.till import Till

NOBODYS = PostalAddress(
    name=ERASED, street_number="", street="", city="", state="", postal_code="", country="FR", phone_number=""
)


def forget(
    till: Till, who: Actor, *, names: tuple[str, ...] = (), words: tuple[str, ...] = (), resets: tuple[str, ...] = ()
) -> None:
    traces = Traces(names=frozenset(names), words=frozenset({*names, *words}), address_hashes=frozenset(resets))
    with till.market.unit_of_work() as uow:
        uow.personal_data.shut(who.account_id)
        uow.personal_data.forget(who.account_id, traces=traces, now=till.market.clock.now())
        uow.commit()


def keep(till: Till, *events: Any) -> None:
    with till.market.unit_of_work() as uow:
        for event in events:
            uow.record(event)
        uow.commit()


class PersonalDataContract(OpenMattersContract):
    """Subclasses provide ``till``, ``keys`` (idempotency) and ``queries``, on the same empty store."""

    # --- what is forgotten

    def test_forgets_addresses_in_orders_and_keeps_their_country(self, till):
        bought = Purchase(till)
        before = till.order(bought.order_id)
        forget(till, bought.buyer)
        after = till.order(bought.order_id)
        assert (after.shipping_address, after.billing_address) == (NOBODYS, None)
        assert (after.status, after.total, after.buyer_id) == (before.status, before.total, before.buyer_id)
        assert till.findings() == []

    def test_forgets_what_they_claimed_and_what_was_told_their_bank(self, till):
        bought = Purchase(till)
        till.market.later(days=8)
        id = till.open_dispute(
            actor=bought.buyer,
            sale_id=till.order(bought.order_id).sales[0].id,
            reason=DisputeReason.NOT_RECEIVED,
            description="I live at number 12",
        )
        till.provider.open_chargeback(till.payment(bought.order_id).intent_id)
        till.work()
        (chargeback,) = till.chargebacks(bought.order_id)
        till.submit_evidence(actor=OPERATOR, chargeback_id=chargeback.id, evidence={"customer_name": "Ada"})
        till.resolve_dispute(actor=OPERATOR, dispute_id=id, outcome=DisputeOutcome.DISMISSED, note="It came")
        forget(till, bought.buyer)
        assert (till.dispute(id).description, till.dispute(id).note) == (ERASED, "It came")
        assert till.chargebacks(bought.order_id)[0].evidence == {}

    def test_the_seller_who_leaves_does_not_take_the_buyers_address_along(self, till):
        bought = Purchase(till)
        before = till.order(bought.order_id)
        forget(till, bought.seller)
        assert till.order(bought.order_id).shipping_address == before.shipping_address

    def test_archives_listings_and_lets_go_of_the_cart(self, till):
        bought = Purchase(till)
        other = till.market.listing(till.market.seller(), stock=2)
        till.market.add(bought.seller, other)
        assert till.stock(other) == (2, 1, ListingStatus.ACTIVE)
        till.market.revise(bought.listing, lambda listing: listing.describe("Call me", now=till.market.clock.now()))
        forget(till, bought.seller)
        assert till.stock(other) == (2, 0, ListingStatus.ACTIVE)
        listing = till.market.listing_now(bought.listing)
        assert (listing.status, listing.description, listing.stock) == (ListingStatus.ARCHIVED, "", 4)

    def test_forgets_what_signs_in_and_where_they_live(self, till):
        leaver, other = till.market.buyer(), till.market.buyer()
        now = till.market.clock.now()
        with till.market.unit_of_work() as uow:
            for number, who in enumerate((leaver, other), start=10_000_100):
                uow.sessions.add(a_session(number, who.account_id, token_hash=f"t{number}"))
                uow.codes.add(a_code(number, who.account_id))
                for id, address in ((number, f"a{number}"), (number + 50, f"b{number}")):
                    reset = PasswordReset.ask(id=CodeId(id), address_hash=address, sealed_address="sealed", now=now)
                    if address.startswith("a"):
                        reset.address_to(who.account_id)
                    uow.password_resets.add(reset)
            uow.commit()
        forget(till, leaver, resets=("b10000100",))
        with till.market.unit_of_work() as uow:
            assert uow.sessions.by_token("t10000100") is None
            assert uow.sessions.by_token("t10000101") is not None
            assert uow.codes.of(leaver.account_id, CodePurpose.VERIFY_EMAIL) is None
            assert uow.codes.of(other.account_id, CodePurpose.VERIFY_EMAIL) is not None
            assert uow.password_resets.by_address("a10000100") is None
            assert uow.password_resets.by_address("b10000100") is None
            assert uow.password_resets.by_address("a10000101") is not None
            assert uow.password_resets.by_address("b10000101") is not None
            assert uow.addresses.count(leaver.account_id) == 0
            assert uow.addresses.count(other.account_id) == 1
            with pytest.raises(NotFound):
                uow.addresses.get(till.market.address_of(leaver))

    def test_takes_words_out_of_events_and_tells_nobody_any_more(self, till, relayed):
        leaver, other = till.market.seller(), till.market.seller()
        now = till.market.clock.now()
        keep(
            till,
            VendorRegistered(occurred_at=now, account_id=leaver.account_id, shop_name="Ada's"),
            SellerSuspended(occurred_at=now, account_id=leaver.account_id, reason="Ada lied"),
            AccountErased(occurred_at=now, account_id=leaver.account_id),
            SellerSuspended(occurred_at=now, account_id=other.account_id, reason="Bob lied"),
            AccountSuspended(occurred_at=now, account_id=other.account_id),
        )
        forget(till, leaver)
        kept = [event for event in till.events() if event.payload().get("account_id") == leaver.account_id]
        assert {(type(e), e.payload().get("shop_name"), e.payload().get("reason")) for e in kept} >= {
            (VendorRegistered, "", None),
            (SellerSuspended, None, ""),
            (AccountErased, None, None),
        }
        assert not any(e.payload().get("shop_name") or e.payload().get("reason") for e in kept)
        waiting = relayed(now)
        assert [e for e in waiting if e.payload().get("account_id") == leaver.account_id] == [
            AccountErased(occurred_at=now, account_id=leaver.account_id)
        ]
        assert SellerSuspended(occurred_at=now, account_id=other.account_id, reason="Bob lied") in waiting

    def test_takes_the_person_out_of_what_the_provider_told(self, till):
        bought, other = Purchase(till), Purchase(till)
        now = till.market.clock.now()
        told = {"data": {"object": {"billing_details": {"name": "Ada"}}}}
        for name, order_id in (("evt_1", bought.order_id), ("evt_2", other.order_id)):
            till.inbox.store(
                an_event(name, order_id=order_id, intent_id=till.payment(order_id).intent_id, payload=told),
                status=InboxStatus.WAITING,
                now=now,
            )
        forget(till, bought.buyer)
        leased = till.inbox.lease(now=now, lease_for=timedelta(minutes=1), limit=10)
        assert {item.event.id: item.event.payload for item in leased} == {"evt_1": {}, "evt_2": told}

    def test_redacts_what_others_were_answered_and_nothing_else(self, till, keys):
        leaver, admin = till.market.buyer(), till.market.buyer()
        body = {
            "username": "ada",
            "note": "ada",
            "ada": 1,
            "shop": {"shop_name": 'Ada "A" \\ Co'},
            "reason": 'Ada " lied',
        }
        others = {"username": "adam", "reason": "none"}
        now = till.market.clock.now()
        for who, key, answered in ((leaver, "own", body), (admin, "one", body), (admin, "two", others)):
            attempt = keys.begin(account_id=who.account_id, key=key, fingerprint="f", now=now)
            keys.complete(attempt, Answer(status=200, body=json.dumps(answered)))
        forget(till, leaver, names=("ada", 'Ada "A" \\ Co'))

        def kept(key: str) -> Any:
            return json.loads(keys.begin(account_id=admin.account_id, key=key, fingerprint="f", now=now).body)

        assert kept("one") == {
            "username": ERASED,
            "note": "ada",
            "ada": 1,
            "shop": {"shop_name": ERASED},
            "reason": ERASED,
        }
        assert kept("two") == others
        # Their own are gone: the key begins anew.
        assert not isinstance(keys.begin(account_id=leaver.account_id, key="own", fingerprint="f", now=now), Answer)

    def test_the_audit_trail_forgets_where_from_and_who_and_keeps_the_act(self, till, audited):
        leaver, admin = till.market.buyer(), till.market.buyer()
        now = till.market.clock.now()
        acts = [
            replace(leaver, origin="192.0.2.7").did("seller.approved", "seller", 5, now=now, reason="fine"),
            replace(admin, origin="192.0.2.8").did(
                "account.suspended", "account", leaver.account_id, now=now, reason="LOVELACE wrote so"
            ),
            replace(admin, origin="192.0.2.8").did(
                "account.suspended", "account", 6, now=now, reason="of Lovelace too"
            ),
        ]
        with till.market.unit_of_work() as uow:
            for act in acts:
                uow.audit.add(act)
            uow.commit()
        forget(till, leaver, words=("Lovelace", "Al"))
        assert [(entry.origin, entry.reason) for entry in audited()] == [
            (ERASED, "fine"),
            ("192.0.2.8", ERASED),
            ("192.0.2.8", "of Lovelace too"),
        ]

    def test_forgets_words_in_the_reasons_of_refunds(self, till):
        bought = Purchase(till)
        till.refund(bought.order_id)  # for the reason "a test"
        forget(till, bought.buyer, words=("TEST",))
        assert [refund.reason for refund in till.refunds(bought.order_id)] == [ERASED]
        till.work()
        assert till.findings() == []

    def test_forgetting_twice_is_forgetting_once(self, till):
        bought = Purchase(till)
        forget(till, bought.seller)
        listing = till.market.listing_now(bought.listing)
        forget(till, bought.seller)
        assert till.market.listing_now(bought.listing) == listing

    def test_without_a_commit_nothing_is_forgotten(self, till):
        leaver = till.market.buyer()
        with till.market.unit_of_work() as uow:
            uow.personal_data.forget(leaver.account_id, traces=Traces(), now=till.market.clock.now())
        with till.market.unit_of_work() as uow:
            assert uow.addresses.count(leaver.account_id) == 1

    def test_nothing_has_to_be_there(self, till):
        forget(till, till.market.buyer(), names=("nobody",))

    # --- what is given

    def test_gives_every_session_page_by_page(self, till, queries):
        who, other = till.market.buyer(), till.market.buyer()
        now = till.market.clock.now()
        with till.market.unit_of_work() as uow:
            for number in range(10_000_200, 10_000_205):
                device = Device(name="curl/8.5.0", address="192.0.2.1")
                uow.sessions.add(a_session(number, who.account_id, token_hash=f"t{number}", device=device))
            uow.sessions.add(a_session(10_000_205, other.account_id, token_hash="other"))
            uow.sessions.revoke_oldest(who.account_id, keep=1, now=now)
            uow.commit()
        first = queries.sessions(who.account_id, PageRequest(size=3))
        rest = queries.sessions(who.account_id, PageRequest(size=3, after=first.next))
        found = [*first.items, *rest.items]
        assert [session.id for session in found] == list(range(10_000_200, 10_000_205))
        assert sum(session.revoked_at is None for session in found) == 1
        assert found[0].device == Device(name="curl/8.5.0", address="192.0.2.1")
        assert rest.next is None

    def test_gives_that_codes_were_asked_for(self, till, queries):
        who = till.market.buyer()
        now: datetime = till.market.clock.now()
        with till.market.unit_of_work() as uow:
            uow.codes.add(a_code(10_000_300, who.account_id, requested_at=now, used_at=now))
            later = now + timedelta(minutes=1)
            reset = PasswordReset.ask(id=CodeId(10_000_301), address_hash="a", sealed_address="sealed", now=later)
            reset.address_to(who.account_id)
            uow.password_resets.add(reset)
            uow.commit()
        assert queries.codes(who.account_id) == [
            KeptCode(purpose="verify_email", requested_at=now, used_at=now),
            KeptCode(purpose="password_reset", requested_at=later, used_at=None),
        ]

    def test_gives_the_refunds_and_the_history_of_what_was_bought(self, till, queries):
        bought = Purchase(till)
        till.refund(bought.order_id)
        Purchase(till)
        (refund,) = till.refunds(bought.order_id)
        page = queries.refunds(bought.buyer.account_id, PageRequest(size=10))
        assert [(r.id, r.order_id, r.status, r.amount) for r in page.items] == [
            (refund.id, bought.order_id, refund.status, refund.amount)
        ]
        moves = queries.history(bought.buyer.account_id, PageRequest(size=10)).items
        assert [(order_id, move.to_status) for order_id, move in moves if move.sale_id is None] == [
            (bought.order_id, "paid"),
            (bought.order_id, "refunded"),
        ]
        assert queries.refunds(bought.seller.account_id, PageRequest(size=10)).items == []
        first = queries.history(bought.buyer.account_id, PageRequest(size=1))
        rest = queries.history(bought.buyer.account_id, PageRequest(size=10, after=first.next))
        assert [*first.items, *rest.items] == list(moves)


class GuardedByTheDatabase:
    """What only a store that others write to at the same time has to promise. Needs ``till``."""

    def test_whatever_comes_after_an_erasure_is_refused(self, till):
        leaver = till.market.buyer()
        with till.market.unit_of_work() as uow:
            account = uow.accounts.get_for_update(leaver.account_id)
            account.erase(now=till.market.clock.now())
            uow.accounts.save(account)
            uow.commit()
        with till.market.unit_of_work() as uow, pytest.raises(Conflict, match="nothing_begins_for_the_erased"):
            uow.addresses.add(an_address(10_000_400, leaver.account_id))
