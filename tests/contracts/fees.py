"""What stores of fee schedules promise, whatever keeps them. Subclasses provide ``market`` and ``queries``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from marketplace.application.access import OPERATOR, Actor
from marketplace.application.fees.adding import AddFeeSchedule
from marketplace.application.fees.in_force import RememberedFees
from marketplace.application.ports.fees import FeeScheduleQueries
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.catalogue.categories import Category
from marketplace.domain.fees import NO_FACTS, FeeSchedule, FeeScheduleTaken
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import CategoryId, FeeScheduleId, ListingId
from tests.market import SCHEDULE, Market

UNKNOWN = 987654321
GENERAL: list[dict[str, Any]] = [
    {"component": "commission", "percent": "0.05"},
    {"component": "processing", "percent": "0.06", "floor": "5.00"},
    {"component": "shipping", "fixed": "10.00"},
]


def adding(market: Market, queries: FeeScheduleQueries) -> AddFeeSchedule:
    return AddFeeSchedule(
        unit_of_work=market.unit_of_work,
        ids=market.ids,
        clock=market.clock,
        currency="EUR",
        remembered=RememberedFees(queries=queries, standard=SCHEDULE),
    )


def add(market: Market, *, at: datetime | None = None, currency: str = "EUR") -> FeeSchedule:
    """Store a version as it is, whatever is there."""
    schedule = FeeSchedule(
        id=FeeScheduleId(market.ids.next()),
        currency=currency,
        rules=SCHEDULE.rules,
        effective_from=at or market.clock.now(),
        note="Because.",
    )
    with market.unit_of_work() as uow:
        uow.fee_schedules.add(schedule)
        uow.commit()
    return schedule


def categorised(market: Market, seller: Actor, *depths: int, price: int = 10_000) -> tuple[ListingId, list[CategoryId]]:
    """A listing of a product in several categories, each at the bottom of a branch so deep; gives those categories."""
    listing = market.listing(seller, price=price)
    now, leaves = market.clock.now(), []
    with market.unit_of_work() as uow:
        for depth in depths:
            parent = None
            for _ in range(depth):
                category = Category(id=CategoryId(market.ids.next()), slug="", name="C", created_at=now, updated_at=now)
                category.slug = f"c-{category.id}"
                category.place(parent, parents=uow.categories.parents_for_update(), now=now)
                uow.categories.add(category)
                parent = category.id
            leaves.append(category.id)
        product = uow.products.get(uow.listings.get(listing).product_id)
        product.details = replace(product.details, category_ids=tuple(leaves))
        uow.products.save(product)
        uow.commit()
    return listing, leaves


class FeeScheduleContract:
    def test_the_last_that_has_begun_is_in_force(self, market: Market, queries: FeeScheduleQueries) -> None:
        now = market.clock.now()

        def in_force(after: int) -> FeeSchedule | None:
            with market.unit_of_work() as uow:
                return uow.fee_schedules.in_force("EUR", now + timedelta(hours=after))

        assert in_force(0) is None
        later, sooner = add(market, at=now + timedelta(hours=5)), add(market, at=now + timedelta(hours=1))
        add(market, at=now + timedelta(hours=2), currency="JPY")
        assert [in_force(hours) for hours in (0, 1, 4, 5, 500)] == [None, sooner, sooner, later, later]
        assert queries.in_force_and_coming("EUR", now) == [sooner, later]
        assert queries.in_force_and_coming("EUR", now + timedelta(hours=3)) == [sooner, later]
        assert queries.in_force_and_coming("EUR", now + timedelta(hours=9)) == [later]

    def test_no_two_begin_at_the_same_instant(self, market: Market) -> None:
        add(market)
        with pytest.raises(FeeScheduleTaken):
            add(market)
        assert add(market, currency="JPY").currency == "JPY"

    def test_all_are_listed_the_last_to_begin_first(self, market: Market, queries: FeeScheduleQueries) -> None:
        now = market.clock.now()
        versions = [add(market, at=now + timedelta(days=day)) for day in (1, 3, 2)]
        first = queries.schedules(PageRequest(size=2))
        second = queries.schedules(PageRequest(size=2, after=first.next))
        assert [*first.items, *second.items] == [versions[1], versions[2], versions[0]]
        assert (first.count, second.next) == (3, None)
        assert queries.schedule(FeeScheduleId(versions[0].id or 0)) == versions[0]
        with pytest.raises(NotFound):
            queries.schedule(FeeScheduleId(UNKNOWN))

    def test_what_rules_ask_of_sellers_and_products(self, market: Market, queries: FeeScheduleQueries) -> None:
        seller = market.seller()
        listing, (deep, root) = categorised(market, seller, 3, 1)
        plain = market.listing_now(market.listing(seller)).product_id
        product = market.listing_now(listing).product_id
        with market.unit_of_work() as uow:
            facts = uow.fee_schedules.facts(sellers=[seller.account_id, UNKNOWN], products=[product, plain, UNKNOWN])
            parents = uow.categories.parents_for_update()
        assert facts.account_types == {seller.account_id: "individual"}
        middle = parents[deep]
        assert middle is not None
        assert facts.categories == {product: {deep: 3, middle: 2, parents[middle]: 1, root: 1}}
        assert queries.facts(sellers=[seller.account_id], products=[product]) == facts
        assert queries.facts(sellers=[], products=[]) == NO_FACTS
        path = [parents[middle], middle, deep]
        assert queries.category(deep) == queries.category(f"c-{deep}") == path
        assert queries.category(UNKNOWN) == queries.category("nowhere") == []

    def test_what_is_not_there(self, market: Market) -> None:
        seller = market.seller()
        buyer = market.buyer().account_id
        _, [category] = categorised(market, seller, 1)
        with market.unit_of_work() as uow:
            sellers, categories = uow.fee_schedules.missing(
                sellers={seller.account_id, buyer}, categories={category, CategoryId(UNKNOWN)}
            )
            assert (set(sellers), set(categories)) == ({buyer}, {UNKNOWN})

    def test_an_order_keeps_the_rules_that_it_was_charged_by(self, market: Market, queries: FeeScheduleQueries) -> None:
        """The same in cart, quote and order, by seller, category and account type; a later version changes nothing."""
        special, ordinary, buyer = market.seller(), market.seller(), market.buyer()
        sealed, [category] = categorised(market, ordinary, 2)
        version = adding(market, queries)(
            actor=OPERATOR,
            rules=[
                *GENERAL,
                {"component": "commission", "percent": "0.10", "payer": "seller", "category": category},
                {"component": "commission", "percent": "0.02", "seller": special.account_id},
                {"component": "seller_fees", "fixed": "0.35", "account_type": "individual"},
            ],
        )
        for listing in (sealed, market.listing(special, price=5_050), market.listing(ordinary, price=1_000)):
            market.add(buyer, listing)
        shown, quoted = market.show_cart(actor=buyer).totals, market.quote_order(actor=buyer).totals
        order = market.order_now(market.order(buyer, expected_total="181.64"))
        assert shown == quoted == order.frozen_quote()
        assert order.fee_schedule_id == version.id
        assert (order.base, order.commission, order.processing, order.shipping) == (16_050, 151, 963, 1_000)
        assert {sale.seller_id: (sale.commission, sale.seller_fees) for sale in order.sales} == {
            special.account_id: (101, 35),
            ordinary.account_id: (1_050, 35),
        }
        market.later(minutes=1)
        add(market)
        assert market.order_now(order.id).fees == order.fees
        assert [str(fee) for fee in order.fees][:3] == [
            "commission, paid by both: 5% of 10.00 EUR is 0.50 EUR",
            f"commission in category {category}, paid by seller: 10% of 100.00 EUR is 10.00 EUR",
            f"commission for seller {special.account_id}, paid by both: 2% of 50.50 EUR is 1.01 EUR",
        ]
