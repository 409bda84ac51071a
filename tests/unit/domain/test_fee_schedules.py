"""Which rule counts, what it comes to, and which schedules are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from marketplace.domain.fees import (
    MAX_RULES,
    NO_FACTS,
    Bound,
    FeeComponent,
    FeeFacts,
    FeeLine,
    FeePayer,
    FeeRule,
    FeeSchedule,
    price,
    quote,
    read_rules,
    refuse,
)
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.money import UnknownCurrency

GENERAL: list[dict[str, Any]] = [
    {"component": "commission", "percent": "0.05"},
    {"component": "processing", "percent": "0.06", "floor": "5.00"},
    {"component": "shipping", "fixed": "10.00"},
]
POKEMON, CARDS, GRADED, SEALED = 1, 2, 3, 4


def schedule(*rules: dict[str, Any], general: list[dict[str, Any]] | None = None, currency: str = "EUR") -> FeeSchedule:
    read, faults = read_rules([*(GENERAL if general is None else general), *rules], currency)
    refuse(faults)
    return FeeSchedule(currency=currency, rules=read, id=9)


def commission(percent: str, **scope: Any) -> dict[str, Any]:
    return {"component": "commission", "percent": percent, **scope}


def charged(*rules: dict[str, Any], line: FeeLine) -> str:
    """The percentage of the commission on a line."""
    (fee,) = [f for f in price(schedule(*rules), [line]).applied if f.rule.component is FeeComponent.COMMISSION]
    return str(fee.rule.percent)


class TestTheMostSpecificRuleCounts:
    # From the least to the most specific: each of them beats all before it.
    ORDER = (
        commission("0.11", account_type="professional"),
        commission("0.12", category=POKEMON),
        commission("0.13", category=POKEMON, account_type="professional"),
        commission("0.14", category=CARDS),
        commission("0.15", category=GRADED),
        commission("0.16", seller=7),
        commission("0.17", seller=7, category=POKEMON),
        commission("0.18", seller=7, category=GRADED),
    )
    LINE = FeeLine(7, 10_000, "professional", {POKEMON: 1, CARDS: 2, GRADED: 3})

    @pytest.mark.parametrize("count", range(1, len(ORDER) + 1))
    def test_whatever_the_order_in_which_they_are_written(self, count):
        rules = self.ORDER[:count]
        assert charged(*rules, line=self.LINE) == rules[-1]["percent"]
        assert charged(*reversed(rules), line=self.LINE) == rules[-1]["percent"]

    @pytest.mark.parametrize(
        "line",
        [FeeLine(8, 10_000), FeeLine(8, 10_000, "individual", {SEALED: 1})],
    )
    def test_what_does_not_fit_does_not_count(self, line):
        assert charged(*self.ORDER, line=line) == "0.05"

    def test_of_two_categories_equally_deep_the_first_written_counts(self):
        line = FeeLine(7, 10_000, None, {CARDS: 2, SEALED: 2})
        first, second = commission("0.02", category=SEALED), commission("0.03", category=CARDS)
        assert charged(first, second, line=line) == "0.02"
        assert charged(second, first, line=line) == "0.03"

    def test_each_component_has_its_own(self):
        priced = quote(schedule({"component": "shipping", "fixed": "4.00", "seller": 7}), [FeeLine(7, 10_000)])
        assert (priced.commission, priced.processing, priced.shipping) == (500, 600, 400)


class TestWhoPays:
    @pytest.mark.parametrize(("payer", "buyer", "seller"), [("both", 500, 500), ("buyer", 500, 0), ("seller", 0, 500)])
    def test_a_commission(self, payer, buyer, seller):
        general = [commission("0.05", payer=payer), *GENERAL[1:]]
        priced = quote(schedule(general=general), [(7, 10_000)])
        assert (priced.commission, priced.sellers[0].commission) == (buyer, seller)
        assert priced.total == 10_000 + buyer + 600 + 1000
        assert priced.sellers[0].net == 10_000 - seller

    def test_seller_fees_are_of_each_sale(self):
        rule = {"component": "seller_fees", "percent": "0.01", "fixed": "0.30"}
        priced = quote(schedule(rule), [(8, 1_000), (7, 1_000), (7, 1_050)])
        assert [(s.seller_id, s.fees) for s in priced.sellers] == [(7, 51), (8, 40)]
        assert priced.total == quote(schedule(), [(8, 1_000), (7, 2_050)]).total


class TestSeveralRules:
    def test_each_is_reckoned_once_on_all_that_falls_under_it(self):
        """5 % of 50.05 and 50.05 is 5.005: once 5.01, twice 2.50."""
        rules = schedule(commission("0.10", seller=9))
        priced = quote(rules, [(7, 5005), (8, 5005), (9, 1000)])
        ordinary, special = (f for f in priced.applied if f.rule.component is FeeComponent.COMMISSION)
        assert (ordinary.amount, [part.share for part in ordinary.parts]) == (501, [251, 250])
        assert (special.amount, [part.seller_id for part in special.parts]) == (100, [9])
        assert priced.commission == 601
        assert [share.commission for share in priced.sellers] == [251, 250, 100]

    def test_a_sellers_items_may_fall_under_several(self):
        rules = schedule(commission("0.10", category=SEALED))
        (share,) = quote(rules, [FeeLine(7, 1000), FeeLine(7, 1000, None, {SEALED: 1})]).sellers
        assert share.commission == 150

    def test_each_rule_of_the_buyers_adds_its_own(self):
        rules = schedule({"component": "shipping", "fixed": "4.00", "seller": 8})
        assert quote(rules, [(7, 1000), (8, 1000)]).shipping == 1400

    def test_the_facts_of_the_goods_find_them(self):
        facts = FeeFacts(account_types={7: "professional"}, categories={70: {SEALED: 1}})
        assert facts.line(7, 70, 500) == FeeLine(7, 500, "professional", {SEALED: 1})
        assert NO_FACTS.line(7, 70, 500) == (7, 500, None, {})
        assert schedule(commission("0.1", category=SEALED)).needs_facts
        assert schedule(commission("0.1", account_type="professional")).needs_facts
        assert not schedule(commission("0.1", seller=7)).needs_facts


class TestAnAppliedFee:
    def fee(self, rule: dict[str, Any], base: int) -> Any:
        general = [each for each in GENERAL if each["component"] != rule["component"]]
        priced = price(schedule(rule, general=general), [(7, base)])
        (fee,) = [each for each in priced.applied if each.rule.component == rule["component"]]
        assert priced.schedule_id == 9
        return fee

    def test_tells_rule_rate_exact_value_and_rounding(self):
        fee = self.fee(commission("0.05"), 10_010)
        assert (fee.base, fee.exact, fee.rounded, fee.amount, fee.bound) == (10_010, Decimal("500.50"), 501, 501, None)
        assert str(fee) == "commission, paid by both: 5% of 100.10 EUR is 5.005 EUR, rounded half up to 5.01 EUR"
        assert str(fee.money) == "5.01 EUR"

    @pytest.mark.parametrize(
        ("scope", "whose"),
        [
            ({}, ""),
            ({"seller_id": 7}, " for seller 7"),
            ({"account_type": "professional"}, " for professional sellers"),
            ({"category_id": 12}, " in category 12"),
            ({"seller_id": 7, "category_id": 12}, " for seller 7 in category 12"),
        ],
    )
    def test_tells_whose_rule_it_is(self, scope, whose):
        assert FeeRule(component=FeeComponent.SHIPPING, payer=FeePayer.BUYER, **scope).whose == whose

    @pytest.mark.parametrize(
        ("rule", "base", "amount", "bound", "told"),
        [
            (
                {"component": "processing", "percent": "0.06", "floor": "5.00"},
                5_000,
                500,
                Bound.FLOOR,
                "processing, paid by buyer: 6% of 50.00 EUR is 3.00 EUR, raised to the least, 5.00 EUR",
            ),
            (
                commission("0.065", fixed="0.30", cap="20.00", payer="seller"),
                100_000,
                2_000,
                Bound.CAP,
                "commission, paid by seller: 6.5% of 1000.00 EUR and 0.30 EUR is 65.30 EUR, "
                "lowered to the most, 20.00 EUR",
            ),
            (
                commission("0", floor="3.00"),
                200,
                200,
                Bound.LIMIT,
                "commission, paid by both: 0% of 2.00 EUR is 0.00 EUR, lowered to what it can be taken from, 2.00 EUR",
            ),
            (
                {"component": "shipping", "fixed": "10.00"},
                200,
                1000,
                None,
                "shipping, paid by buyer: always 10.00 EUR",
            ),
        ],
    )
    def test_tells_its_bounds(self, rule, base, amount, bound, told):
        fee = self.fee(rule, base)
        assert (fee.amount, fee.bound, str(fee)) == (amount, bound, told)

    def test_takes_no_more_from_a_seller_than_they_get(self):
        rules = schedule(
            {"component": "seller_fees", "fixed": "0.90"},
            {"component": "seller_fees", "fixed": "0.90", "category": SEALED},
        )
        priced = price(rules, [FeeLine(7, 60), FeeLine(7, 50, None, {SEALED: 1})])
        (share,) = priced.sellers
        assert (share.base, share.commission, share.fees, share.net) == (110, 6, 104, 0)
        assert [fee.bound for fee in priced.applied][-2:] == [None, Bound.LIMIT]


def faults(*rules: Any, currency: str = "EUR") -> dict[str, list[str]]:
    return read_rules([*GENERAL, *rules], currency)[1]


class TestBadSchedules:
    @pytest.mark.parametrize(
        ("rule", "place"),
        [
            (commission("1.01", seller=1), "rules.3.percent"),
            (commission("-0.01", seller=1), "rules.3.percent"),
            (commission("5 %", seller=1), "rules.3.percent"),
            (commission("0.0000001", seller=1), "rules.3.percent"),
            ({**commission("0", seller=1), "percent": 0.05}, "rules.3.percent"),
            (commission("0", seller=1, fixed="0.001"), "rules.3.fixed"),
            (commission("0", seller=1, fixed="-1.00"), "rules.3.fixed"),
            (commission("0", seller=1, fixed=1), "rules.3.fixed"),
            (commission("0", seller=1, floor="1000000.00"), "rules.3.floor"),
            (commission("0", seller=1, floor="2.00", cap="1.00"), "rules.3.cap"),
            (commission("0", seller=1, payer="bank"), "rules.3.payer"),
            ({"component": "processing", "seller": 1, "payer": "seller"}, "rules.3.payer"),
            ({"component": "seller_fees", "payer": "buyer"}, "rules.3.payer"),
            ({"component": "tip"}, "rules.3.component"),
            ({"component": 1}, "rules.3.component"),
            ({"percent": "0.1"}, "rules.3.component"),
            (commission("0", account_type="robot"), "rules.3.account_type"),
            (commission("0", account_type="professional", seller=1), "rules.3.account_type"),
            (commission("0", seller="1"), "rules.3.seller"),
            (commission("0", seller=0), "rules.3.seller"),
            (commission("0", seller=True), "rules.3.seller"),
            (commission("0", category=2**53), "rules.3.category"),
            (commission("0", seller=1, colour="red"), "rules.3.colour"),
            ({**commission("0", seller=1), "\ud800": 1}, "rules.3.'\\ud800'"),
            (commission("0.04"), "rules.3"),
            ("commission", "rules.3"),
        ],
    )
    def test_name_what_is_wrong(self, rule, place):
        found = faults(rule)
        assert list(found) == [place]
        assert all(found[place])

    def test_name_everything_that_is_wrong_at_once(self):
        found = faults(commission("2", seller=1, payer="bank"), commission("0.1", seller=1, cap="x"))
        assert set(found) == {"rules.3.percent", "rules.3.payer", "rules.4.cap"}
        with pytest.raises(Invalid, match=r"rules\.3\.percent: .*; rules\.4\.cap: ") as refused:
            refuse(found)
        assert refused.value.facts["errors"] == found

    def test_need_a_general_rule_for_what_everybody_pays(self):
        found = read_rules([commission("0.1", seller=1), {"component": "shipping"}], "EUR")[1]
        assert [told.split(":")[0] for told in found["rules"]] == [
            "There is no general rule for commission",
            "There is no general rule for processing",
        ]

    @pytest.mark.parametrize("rules", [None, [], {}, "rules", 5])
    def test_are_lists_of_rules(self, rules):
        assert read_rules(rules, "EUR") == ((), {"rules": ["A schedule is a list of rules."]})

    def test_are_bounded(self):
        many = [commission("0.1", seller=number) for number in range(1, MAX_RULES + 1)]
        assert "at most" in faults(*many)["rules"][0]
        read = [FeeRule(component=FeeComponent.COMMISSION, payer=FeePayer.BOTH, seller_id=n) for n in range(MAX_RULES)]
        with pytest.raises(Invalid, match="500 rules at most, not 503"):
            FeeSchedule(currency="EUR", rules=(*schedule().rules, *read))

    def test_are_in_a_currency_that_there_is(self):
        with pytest.raises(UnknownCurrency):
            read_rules(GENERAL, "XXX")
        with pytest.raises(Invalid, match="currency: 'XXX'"):
            FeeSchedule(currency="XXX", rules=())

    def test_charge_what_can_be_paid(self):
        assert "multiple of 10" in faults(commission("0", seller=1, fixed="0.005"), currency="KWD")["rules.3.fixed"][0]

    @pytest.mark.parametrize("percent", [Decimal("NaN"), Decimal("Infinity")])
    def test_charge_a_fraction(self, percent):
        rule = FeeRule(component=FeeComponent.COMMISSION, payer=FeePayer.BOTH, percent=percent)
        assert set(rule.faults(1)) == {"percent"}
