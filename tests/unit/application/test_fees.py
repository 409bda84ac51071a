"""Versions of the fees: adding them, knowing the one in force, previewing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplace.adapters.memory.fees import InMemoryFeeScheduleQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.access import OPERATOR, Actor
from marketplace.application.fees.adding import MAX_NOTE, AddFeeSchedule
from marketplace.application.fees.in_force import LIFE, RememberedFees
from marketplace.application.fees.previewing import PreviewFees
from marketplace.domain.audit import AuditEntry
from marketplace.domain.fees import NO_FACTS, AmountOutOfBounds, FeeSchedule, FeeScheduleTaken
from marketplace.domain.identity import Role
from marketplace.domain.orders.checkout import TotalChanged
from marketplace.domain.shared.errors import Forbidden, Invalid
from tests.contracts.fees import GENERAL, UNKNOWN, adding, categorised
from tests.market import SCHEDULE, Market


class CountingQueries(InMemoryFeeScheduleQueries):
    asked = 0

    def in_force_and_coming(self, currency: str, now: datetime) -> Sequence[FeeSchedule]:
        self.asked += 1
        return super().in_force_and_coming(currency, now)


@pytest.fixture
def stored() -> tuple[Market, InMemoryStore]:
    return Market.in_memory()


@pytest.fixture
def market(stored) -> Market:
    return stored[0]


@pytest.fixture
def queries(stored) -> CountingQueries:
    return CountingQueries(stored[1])


@pytest.fixture
def add(market, queries) -> AddFeeSchedule:
    return adding(market, queries)


@pytest.fixture
def preview(market, queries) -> PreviewFees:
    remembered = RememberedFees(queries=queries, standard=SCHEDULE)
    return PreviewFees(fees=remembered, queries=queries, clock=market.clock)


def dearer(percent: str = "0.08") -> list[dict[str, Any]]:
    return [{"component": "commission", "percent": percent}, *GENERAL[1:]]


class TestAdding:
    def test_holds_from_now_on_and_is_recorded(self, market, stored, add):
        admin = market.someone(roles=[Role.ADMIN])
        added = add(actor=admin, rules=dearer(), note="Rents have risen")
        assert (added.effective_from, added.note, len(added.rules)) == (market.clock.now(), "Rents have risen", 3)
        entries: list[AuditEntry] = list(stored[1].table("audit_entries").values())
        assert [(e.action, e.subject_id, e.actor_id, e.reason) for e in entries] == [
            ("fee_schedule.added", str(added.id), admin.account_id, "Rents have risen")
        ]
        assert entries[0].before == {"in_force": None}
        assert entries[0].after["in_force"] == added.id
        market.later(seconds=1)
        assert add(actor=OPERATOR, rules=GENERAL).id != added.id

    def test_holds_from_when_it_was_planned(self, market, add, queries):
        begins = market.clock.now() + timedelta(days=30)
        planned = add(actor=OPERATOR, rules=dearer(), currency="EUR", effective_from=begins)
        fees = RememberedFees(queries=queries, standard=SCHEDULE)
        assert fees.schedule(begins - timedelta(microseconds=1)) == SCHEDULE
        assert fees.schedule(begins) == planned
        with pytest.raises(FeeScheduleTaken):
            add(actor=OPERATOR, rules=GENERAL, effective_from=begins)

    @pytest.mark.parametrize("roles", [[], [Role.SELLER], [Role.VERIFIER]])
    def test_is_for_admins(self, market, add, roles):
        with pytest.raises(Forbidden):
            add(actor=market.someone(roles=roles), rules=GENERAL)

    def test_refuses_a_bad_one_whole_and_names_every_fault(self, market, stored, add):
        seller = market.seller()
        _, [category] = categorised(market, seller, 1)
        rules = [
            *GENERAL,
            {"component": "commission", "percent": "7", "seller": UNKNOWN},
            {"component": "commission", "category": UNKNOWN},
            {"component": "commission", "category": category, "account_type": "individual"},
            {"component": "shipping", "seller": seller.account_id},
        ]
        with pytest.raises(Invalid) as refused:
            add(
                actor=OPERATOR,
                rules=rules,
                currency="JPY",
                effective_from=market.clock.now() - timedelta(seconds=1),
                note="x" * (MAX_NOTE + 1),
            )
        assert set(refused.value.facts["errors"]) == {
            *("rules.3.percent", "rules.3.seller", "rules.4.category"),
            *("currency", "effective_from", "note"),
        }
        assert not stored[1].table("fee_schedules")
        assert not stored[1].table("audit_entries")

    @pytest.mark.parametrize(("days", "zone"), [(1, None), (1000, UTC)], ids=["without a zone", "too far away"])
    def test_refuses_an_instant_that_is_none(self, market, add, days, zone):
        begins = (market.clock.now() + timedelta(days=days)).replace(tzinfo=zone)
        with pytest.raises(Invalid) as refused:
            add(actor=OPERATOR, rules=GENERAL, effective_from=begins)
        assert set(refused.value.facts["errors"]) == {"effective_from"}

    def test_a_price_shown_before_is_not_charged_unseen(self, market, add):
        buyer = market.buyer()
        market.add(buyer, market.listing(market.seller(), price=10_000))
        assert market.show_cart(actor=buyer).totals.total == 12_100
        add(actor=OPERATOR, rules=dearer())
        with pytest.raises(TotalChanged) as refused:
            market.order(buyer, expected_total="121.00")
        assert refused.value.facts["buyer_total_price"] == "124.00"
        assert market.order_now(market.order(buyer, expected_total="124.00")).total.amount == 12_400


class TestRemembering:
    def test_asks_again_when_it_is_no_longer_sure(self, market, queries):
        fees, now = RememberedFees(queries=queries, standard=SCHEDULE), market.clock.now()
        for seconds in (0, 1, 9):
            assert fees.schedule(now + timedelta(seconds=seconds)) == SCHEDULE
        assert queries.asked == 1
        fees.schedule(now + LIFE)
        assert queries.asked == 2
        fees.schedule(now)
        assert queries.asked == 3

    def test_knows_at_once_what_this_process_has_added(self, market, queries):
        add = adding(market, queries)
        assert add.remembered.schedule(market.clock.now()) == SCHEDULE
        added = add(actor=OPERATOR, rules=dearer())
        assert add.remembered.schedule(market.clock.now()) == added

    def test_looks_up_only_what_is_asked(self, market, queries, add):
        fees, seller = RememberedFees(queries=queries, standard=SCHEDULE), market.seller()
        listing, [category] = categorised(market, seller, 1)
        goods = [(seller.account_id, market.listing_now(listing).product_id)]
        assert fees.facts(SCHEDULE, goods) == NO_FACTS
        asking = add(actor=OPERATOR, rules=[*GENERAL, {"component": "seller_fees", "category": category}])
        assert fees.facts(asking, []) == NO_FACTS
        assert fees.facts(asking, goods).categories == {goods[0][1]: {category: 1}}


class TestPreviewing:
    @pytest.fixture
    def seller(self, market) -> Actor:
        return market.seller()

    @pytest.fixture(autouse=True)
    def category(self, market, add, seller) -> int:
        _, [category] = categorised(market, market.seller(), 2)
        add(
            actor=OPERATOR,
            rules=[
                *GENERAL,
                {"component": "commission", "percent": "0.01", "seller": seller.account_id},
                {"component": "commission", "percent": "0.02", "account_type": "professional"},
                {"component": "commission", "percent": "0.03", "category": category},
                {"component": "seller_fees", "fixed": "0.40", "account_type": "individual"},
            ],
        )
        return category

    def test_shows_sellers_their_own(self, preview, seller):
        found = preview(actor=seller, price="100.00")
        (share,) = found.quote.sellers
        assert (found.quote.total, share.commission, share.fees, share.net) == (11_700, 100, 40, 9_860)
        assert found.schedule.id == found.quote.schedule_id
        assert preview(actor=seller, price="100.00", seller_id=seller.account_id) == found

    def test_shows_admins_anybodys(self, market, preview, seller, category):
        admin = market.someone(roles=[Role.ADMIN])

        def commission(**asked: Any) -> int:
            return preview(actor=admin, price="50.00", quantity=2, **asked).quote.commission

        assert commission() == 500
        assert commission(seller_id=seller.account_id) == 100
        assert commission(account_type="professional") == 200
        assert commission(category=category) == commission(category=f"c-{category}") == 300

    @pytest.mark.parametrize("asked", [{"seller_id": UNKNOWN}, {"account_type": "individual"}])
    def test_shows_sellers_nobody_elses(self, preview, seller, asked):
        with pytest.raises(Forbidden):
            preview(actor=seller, price="100.00", **asked)

    def test_is_for_those_who_sell(self, market, preview):
        with pytest.raises(Forbidden):
            preview(actor=market.buyer(), price="100.00")

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"price": "1,00"}, "price"),
            ({"price": "-1.00"}, "price"),
            ({"quantity": 0}, "quantity"),
            ({"quantity": 10_001}, "quantity"),
            ({"seller_id": UNKNOWN}, "seller"),
            ({"account_type": "robot"}, "account_type"),
            ({"seller_id": 1, "account_type": "individual"}, "account_type"),
            ({"category": UNKNOWN}, "category"),
            ({"category": "nowhere"}, "category"),
            ({"category": "\ud800"}, "category"),
            ({"category": 2**63}, "category"),
        ],
    )
    def test_refuses_what_there_is_not(self, preview, asked, field):
        with pytest.raises(Invalid) as refused:
            preview(actor=OPERATOR, **{"price": "1.00", **asked})
        assert set(refused.value.facts["errors"]) == {field}

    @pytest.mark.parametrize("price", ["0", "999999.99"])
    def test_refuses_what_cannot_be_paid(self, preview, price):
        with pytest.raises(AmountOutOfBounds):
            preview(actor=OPERATOR, price=price)
