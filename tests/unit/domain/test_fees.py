"""Fees as worked out by hand, and what holds for every order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.fees import (
    AmountOutOfBounds,
    FeeComponent,
    FeePayer,
    FeeRule,
    FeeSchedule,
    Quote,
    Returned,
    price,
    price_return,
    quote,
)
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.money import MAX_AMOUNT, allocate, percent_of

_GOLDEN = json.loads((Path(__file__).parents[2] / "data/fees/golden.json").read_text())
_COMPONENTS = ("commission", "processing", "shipping")


def schedule(currency: str = "EUR", **changes: Any) -> FeeSchedule:
    rates = _GOLDEN["currencies"][currency]
    values = {
        "currency": currency,
        "commission_rate": Decimal(rates["commission_bp"]) / 10_000,
        "processing_rate": Decimal(rates["processing_bp"]) / 10_000,
        "processing_minimum": rates["processing_min"],
        "shipping": rates["shipping"],
    }
    return FeeSchedule.standard(**{**values, **changes})


def seller(name: str) -> int:
    return int(name.removeprefix("s"))


def with_seller_fees(standard: FeeSchedule, fees: Mapping[int, int]) -> FeeSchedule:
    """A rule a seller: so much of each sale."""
    rules = [
        FeeRule(component=FeeComponent.SELLER_FEES, payer=FeePayer.SELLER, seller_id=who, fixed=amount)
        for who, amount in fees.items()
    ]
    return replace(standard, rules=(*standard.rules, *rules))


def worked(example: dict[str, Any]) -> Quote:
    asked = {seller(name): fees for name, fees in example["seller_fees"].items()}
    return quote(
        with_seller_fees(schedule(example["currency"]), asked),
        [(seller(line["seller"]), line["unit_price"] * line["quantity"]) for line in example["lines"]],
    )


def named(example: dict[str, Any]) -> str:
    return str(example["name"])


class TestWorkedExamples:
    @pytest.mark.parametrize("example", _GOLDEN["examples"], ids=named)
    def test_quotes_come_out_as_worked(self, example):
        priced, expected = worked(example), example["expect"]
        assert {
            "base": priced.base,
            "platform_commission": priced.commission,
            "buyer_processing_fee": priced.processing,
            "buyer_shipping_fee": priced.shipping,
            "buyer_total": priced.total,
        } == {key: expected[key] for key in expected if key not in ("sellers", "platform_gross")}
        assert [
            {
                "seller": f"s{share.seller_id}",
                "base": share.base,
                "commission": share.commission,
                "seller_fees": share.fees,
                "net": share.net,
            }
            for share in priced.sellers
        ] == expected["sellers"]
        earned = 2 * priced.commission + priced.processing + priced.shipping + sum(s.fees for s in priced.sellers)
        assert earned == expected["platform_gross"]

    @pytest.mark.parametrize("example", [e for e in _GOLDEN["examples"] if e.get("refunds")], ids=named)
    def test_returns_come_out_as_worked(self, example):
        priced = worked(example)
        already: dict[int, int] = {}
        for refund in example["refunds"]:
            who = seller(refund["seller"])
            back = price_return(
                priced,
                who,
                refund["item_amount"],
                Returned(order=sum(already.values()), seller=already.get(who, 0)),
                **{f"with_{component}": component in refund["include"] for component in _COMPONENTS},
            )
            assert {
                "buyer_commission_back": back.commission,
                "processing_back": back.processing,
                "shipping_back": back.shipping,
                "refund_amount": back.refund,
                "seller_commission_back": back.seller_commission,
                "seller_fees_back": back.seller_fees,
                "transfer_reversal_amount": back.seller_net,
            } == refund["expect"]
            already[who] = already.get(who, 0) + refund["item_amount"]

    @pytest.mark.parametrize("case", _GOLDEN["allocation"])
    def test_allocations_come_out_as_worked(self, case):
        assert allocate(case["total"], case["weights"], case["step"]) == case["expect"]

    @pytest.mark.parametrize("case", _GOLDEN["percent"])
    def test_percentages_come_out_as_worked(self, case):
        assert percent_of(case["base"], Decimal(case["bp"]) / 10_000, case["step"]) == case["expect"]


LINES = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 2_000_000)), min_size=1, max_size=12)
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])


def stepped(lines: list[tuple[int, int]], currency: str) -> list[tuple[int, int]]:
    return [(who, amount * 10) for who, amount in lines] if currency == "KWD" else lines


def stepped_fees(fees: dict[int, int], currency: str) -> dict[int, int]:
    return dict(stepped(list(fees.items()), currency))


class TestEveryQuote:
    @given(LINES, CURRENCIES, st.dictionaries(st.integers(1, 5), st.integers(0, 500)))
    def test_adds_up(self, lines, currency, fees):
        priced = quote(with_seller_fees(schedule(currency), stepped_fees(fees, currency)), stepped(lines, currency))
        assert sum(share.base for share in priced.sellers) == priced.base
        assert sum(share.commission for share in priced.sellers) == priced.commission
        assert all(share.net >= 0 and share.fees >= 0 for share in priced.sellers)
        kept = 2 * priced.commission + priced.processing + priced.shipping + sum(s.fees for s in priced.sellers)
        assert priced.total == sum(share.net for share in priced.sellers) + kept

    @given(LINES, st.randoms())
    def test_does_not_depend_on_the_order_of_the_cart(self, lines, random):
        shuffled = random.sample(lines, len(lines))
        assert quote(schedule(), shuffled) == quote(schedule(), lines)

    def test_knows_its_currency(self):
        assert str(quote(schedule(), [(1, 10_000)]).money(12_100)) == "121.00 EUR"


class TestBounds:
    def test_nothing_costs_nothing_but_cannot_be_ordered(self):
        assert price(schedule(), []).total == 0
        with pytest.raises(AmountOutOfBounds, match="more than nothing"):
            quote(schedule(), [])

    def test_the_total_stays_within_what_can_be_paid(self):
        free = schedule(commission_rate=Decimal(0), processing_rate=Decimal(0), processing_minimum=0, shipping=0)
        assert quote(free, [(1, MAX_AMOUNT)]).total == MAX_AMOUNT
        with pytest.raises(AmountOutOfBounds, match=r"999999\.99 EUR"):
            quote(free, [(1, MAX_AMOUNT + 1)])
        assert price(free, [(1, MAX_AMOUNT + 1)]).total == MAX_AMOUNT + 1

    @pytest.mark.parametrize("rate", ["-0.01", "1.01", "NaN", "Infinity"])
    @pytest.mark.parametrize(("which", "place"), [("commission_rate", 0), ("processing_rate", 1)])
    def test_a_rate_is_a_fraction(self, which, place, rate):
        with pytest.raises(Invalid, match=rf"rules\.{place}\.percent"):
            schedule(**{which: Decimal(rate)})

    @pytest.mark.parametrize(
        ("which", "place"), [("processing_minimum", "rules.1.floor"), ("shipping", "rules.2.fixed")]
    )
    @pytest.mark.parametrize(("currency", "amount"), [("EUR", -1), ("KWD", 15)])
    def test_a_fixed_fee_can_be_paid_to_the_last_digit(self, which, place, currency, amount):
        with pytest.raises(Invalid, match=place):
            schedule(currency, **{which: amount})


@st.composite
def returns(draw: st.DrawFn) -> tuple[Quote, list[tuple[int, int]]]:
    """A quote, and the whole of it going back in parts, in any order."""
    lines = draw(LINES)
    fees = draw(st.dictionaries(st.integers(1, 5), st.integers(0, 500)))
    priced = quote(with_seller_fees(schedule(), fees), lines)
    parts = []
    for share in priced.sellers:
        left = share.base
        while left:
            part = draw(st.integers(1, left)) if len(parts) < 40 else left
            parts.append((share.seller_id, part))
            left -= part
    return priced, draw(st.permutations(parts))


class TestEveryReturn:
    @given(returns())
    def test_a_full_return_lands_exactly_on_what_was_paid(self, drawn):
        priced, parts = drawn
        already: dict[int, int] = {}
        backs = []
        for who, items in parts:
            done = Returned(order=sum(already.values()), seller=already.get(who, 0))
            backs.append(price_return(priced, who, items, done, with_processing=True, with_shipping=True))
            already[who] = already.get(who, 0) + items
        assert sum(back.refund for back in backs) == priced.total
        assert sum(back.seller_net for back in backs) == sum(share.net for share in priced.sellers)
        for back in backs:
            assert back.items == back.seller_net + back.seller_commission + back.seller_fees
            assert min(back.commission, back.processing, back.shipping, back.seller_net) >= 0
            assert min(back.seller_commission, back.seller_fees) >= 0

    def test_what_is_left_out_stays_with_the_platform(self):
        priced = quote(schedule(), [(1, 10_000)])
        back = price_return(priced, 1, 10_000, Returned(order=0, seller=0), with_commission=False)
        assert back.refund == 10_000

    @pytest.mark.parametrize(("items", "order", "of_seller"), [(0, 0, 0), (-1, 0, 0), (10_001, 0, 0), (1, 0, 10_000)])
    def test_no_more_goes_back_than_was_sold(self, items, order, of_seller):
        priced = quote(schedule(), [(1, 10_000), (2, 5_000)])
        with pytest.raises(Invalid, match="left to return"):
            price_return(priced, 1, items, Returned(order=order, seller=of_seller))

    def test_nothing_comes_back_from_who_sold_nothing(self):
        with pytest.raises(Invalid, match="no part in this order"):
            price_return(quote(schedule(), [(1, 10_000)]), 2, 1, Returned(order=0, seller=0))
