"""Money adds up: exact rounding, splits without remainder, no mixing of currencies."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.money import (
    CurrencyMismatch,
    Money,
    UnknownCurrency,
    allocate,
    exponent,
    half_up,
    percent_of,
    step,
)

AMOUNTS = st.integers(0, 99_999_999)


class TestHalfUp:
    @pytest.mark.parametrize(
        ("numerator", "denominator", "unit", "expected"),
        [(101, 2, 1, 51), (1005, 2, 1, 503), (1, 3, 1, 0), (2, 3, 1, 1), (13825, 10, 10, 1380), (13850, 10, 10, 1390)],
    )
    def test_rounds_a_half_away_from_zero(self, numerator, denominator, unit, expected):
        assert half_up(numerator, denominator, unit) == expected

    @given(AMOUNTS, st.integers(1, 10**6))
    def test_equals_exact_decimal_arithmetic(self, numerator, denominator):
        exact = (Decimal(numerator) / Decimal(denominator)).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        assert half_up(numerator, denominator) == int(exact)

    @pytest.mark.parametrize(("numerator", "denominator"), [(-1, 2), (1, 0), (1, -2)])
    def test_refuses_what_is_no_share(self, numerator, denominator):
        with pytest.raises(Invalid, match="Cannot round"):
            half_up(numerator, denominator)

    @given(AMOUNTS, st.decimals(0, 1, places=4))
    def test_takes_a_percentage_exactly(self, base, rate):
        assert percent_of(base, rate) == int((base * rate).quantize(Decimal(1), rounding=ROUND_HALF_UP))


class TestAllocate:
    @given(st.integers(0, 10**8), st.lists(st.integers(0, 10**8), min_size=1, max_size=30), st.sampled_from([1, 10]))
    def test_parts_add_up_and_none_is_more_than_a_step_away(self, total, weights, unit):
        total -= total % unit
        weights[0] += 1
        parts = allocate(total, weights, unit)
        assert sum(parts) == total
        for part, weight in zip(parts, weights, strict=True):
            assert part % unit == 0
            assert abs(part * sum(weights) - total * weight) < unit * sum(weights)

    def test_gives_equal_remainders_to_the_earlier(self):
        assert allocate(501, [5005, 5005]) == [251, 250]
        assert allocate(100, [1, 1, 1]) == [34, 33, 33]

    def test_splits_nothing_among_nobody_in_particular(self):
        assert allocate(0, [0, 0]) == [0, 0]

    @pytest.mark.parametrize(
        ("total", "weights", "unit"), [(1, [0, 0], 1), (-1, [1], 1), (1, [-1, 2], 1), (5, [1], 10), (1, [], 1)]
    )
    def test_refuses_what_cannot_be_split(self, total, weights, unit):
        with pytest.raises(Invalid, match="Cannot split"):
            allocate(total, weights, unit)


class TestMoney:
    @pytest.mark.parametrize(
        ("text", "currency", "amount"),
        [
            ("25.99", "EUR", 2599),
            ("25", "EUR", 2500),
            ("0.1", "EUR", 10),
            ("1200", "JPY", 1200),
            ("1.250", "KWD", 1250),
        ],
    )
    def test_reads_decimals_of_the_currency(self, text, currency, amount):
        assert Money.parse(text, currency) == Money(amount, currency)

    @pytest.mark.parametrize(
        "text", ["", "abc", "1.999", "NaN", "Infinity", "-Infinity", "1e400", "1,5", "٣.١٤١", None, "9" * 30, "5.990",
                 "5.000", "05.00", "00", "-05.00", "5.", ".5", "+5", "5.99\n"]
    )  # fmt: skip
    def test_refuses_what_is_not_an_exact_amount(self, text):
        with pytest.raises(Invalid):
            Money.parse(text, "EUR")

    @given(st.integers(-(10**14), 10**14), st.sampled_from(["EUR", "JPY", "KWD"]))
    def test_reads_back_what_it_writes(self, amount, currency):
        money = Money(amount, currency)
        assert Money.parse(money.decimal, currency) == money
        assert str(money) == f"{money.decimal} {currency}"

    @pytest.mark.parametrize("amount", [1.5, "1", True, None])
    def test_holds_whole_minor_units_only(self, amount):
        with pytest.raises(Invalid, match="whole number"):
            Money(amount, "EUR")

    def test_knows_zero_and_three_decimal_currencies(self):
        assert [exponent(c) for c in ("EUR", "JPY", "KWD")] == [2, 0, 3]
        assert [step(c) for c in ("EUR", "JPY", "KWD")] == [1, 1, 10]

    def test_refuses_a_currency_it_does_not_know(self):
        with pytest.raises(UnknownCurrency, match="XXX"):
            Money(1, "XXX")

    def test_calculates_within_one_currency(self):
        two, three = Money(2, "EUR"), Money(3, "EUR")
        assert (two + three, three - two, two * 4, -two) == tuple(Money(n, "EUR") for n in (5, 1, 8, -2))
        assert two < three <= three
        assert three > two >= two
        assert two
        assert not Money.zero("EUR")

    @pytest.mark.parametrize("combine", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
    def test_never_mixes_currencies(self, combine):
        with pytest.raises(CurrencyMismatch, match="currencies differ"):
            getattr(Money(1, "EUR"), combine)(Money(1, "USD"))
