"""What holds of every fee schedule, whatever its rules and whatever goes back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.fees import (
    FeeComponent,
    FeeLine,
    FeePayer,
    FeeRule,
    FeeSchedule,
    Returned,
    price,
    price_return,
    quote,
    read_rules,
    written,
)
from marketplace.domain.fees.rules import PAYERS
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.money import MAX_AMOUNT
from tests.unit.domain.test_fee_schedules import CARDS, GENERAL, POKEMON, schedule

SCOPES = st.tuples(
    st.sampled_from([None, 1, 2, 3]), st.sampled_from([None, POKEMON, CARDS]), st.sampled_from([None, "professional"])
).filter(lambda scope: scope[0] is None or scope[2] is None)


@st.composite
def rules(draw: st.DrawFn) -> FeeRule:
    component = draw(st.sampled_from(FeeComponent))
    seller, category, account_type = draw(SCOPES)
    floor = draw(st.integers(0, 300))
    return FeeRule(
        component=component,
        payer=draw(st.sampled_from(PAYERS[component])),
        percent=Decimal(draw(st.integers(0, 10_000))) / 10_000,
        fixed=draw(st.integers(0, 500)),
        floor=floor,
        cap=draw(st.none() | st.integers(floor, 5_000)),
        seller_id=seller,
        category_id=category,
        account_type=account_type,
    )


@st.composite
def schedules(draw: st.DrawFn) -> FeeSchedule:
    chosen = {(rule.component, rule.scope): rule for rule in (*schedule().rules, *draw(st.lists(rules(), max_size=8)))}
    return FeeSchedule(currency="EUR", rules=tuple(chosen.values()))


LINES = st.lists(
    st.builds(
        FeeLine,
        st.integers(1, 4),
        st.integers(1, 200_000),
        st.sampled_from([None, "individual", "professional"]),
        st.sampled_from([{}, {POKEMON: 1}, {POKEMON: 1, CARDS: 2}]),
    ),
    min_size=1,
    max_size=8,
)


class TestEverySchedule:
    @given(rules())
    def test_is_read_as_it_was_written(self, rule):
        read, _ = read_rules([*GENERAL, written(rule, "EUR")], "EUR")
        assert read[3] == rule

    @given(schedules(), LINES)
    def test_adds_up(self, fees, lines):
        priced = price(fees, lines)
        assert sum(share.base for share in priced.sellers) == priced.base
        assert all(min(share.net, share.commission, share.fees) >= 0 for share in priced.sellers)
        by_component = {
            component: sum(f.amount for f in priced.applied if f.rule.component is component and charges(f.rule.payer))
            for component, charges in (
                (FeeComponent.COMMISSION, lambda payer: payer is not FeePayer.SELLER),
                (FeeComponent.PROCESSING, lambda payer: True),
                (FeeComponent.SHIPPING, lambda payer: True),
            )
        }
        assert list(by_component.values()) == [priced.commission, priced.processing, priced.shipping]
        for share in priced.sellers:
            borne = [
                (fee.rule.component, part.share)
                for fee in priced.applied
                for part in fee.parts
                if part.seller_id == share.seller_id
            ]
            assert sum(s for c, s in borne if c is FeeComponent.COMMISSION) == share.commission
            assert sum(s for c, s in borne if c is FeeComponent.SELLER_FEES) == share.fees
        for component in FeeComponent:
            bases = [fee.base for fee in priced.applied if fee.rule.component is component]
            assert sum(bases) == priced.base or (component is FeeComponent.SELLER_FEES and sum(bases) <= priced.base)

    @given(schedules(), LINES, st.data())
    def test_goes_back_to_the_last_cent(self, fees, lines, data):
        """In any parts, in any order: nothing is negative, and all of it together is what was charged."""
        priced = price(fees, lines)
        left = {share.seller_id: share.base for share in priced.sellers}
        backs: dict[int, list[Any]] = {who: [] for who in left}
        while any(left.values()):
            who = data.draw(st.sampled_from([seller for seller, rest in left.items() if rest]))
            rest = left[who]
            items = data.draw(st.integers(1, rest)) if len(backs[who]) < 5 else rest
            already = Returned(
                order=priced.base - sum(left.values()),
                seller=next(s.base for s in priced.sellers if s.seller_id == who) - rest,
            )
            backs[who].append(price_return(priced, who, items, already, with_processing=True, with_shipping=True))
            left[who] -= items
        every = [back for parts in backs.values() for back in parts]
        assert sum(back.refund for back in every) == priced.total
        assert sum(back.commission for back in every) == priced.commission
        for back in every:
            assert back.items == back.seller_net + back.seller_commission + back.seller_fees
            assert min(back.commission, back.processing, back.shipping) >= 0
            assert min(back.seller_net, back.seller_commission, back.seller_fees) >= 0
        for share in priced.sellers:
            parts = backs[share.seller_id]
            assert sum(part.seller_net for part in parts) == share.net
            assert sum(part.seller_commission for part in parts) == share.commission
            assert sum(part.seller_fees for part in parts) == share.fees

    @given(schedules())
    def test_charges_nothing_on_nothing(self, fees):
        assert price(fees, []).total == 0
        assert price(fees, []).schedule_id is None

    def test_has_a_most_that_can_be_paid(self):
        with pytest.raises(Invalid, match="in several parts"):
            quote(schedule(), [(7, MAX_AMOUNT)])
