"""SIRET and VAT numbers: true ones, mistyped ones, and whatever else people type."""

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.adapters.stdnum_business_numbers import StdnumBusinessNumbers
from marketplace.domain.shared.errors import Invalid

numbers = StdnumBusinessNumbers()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("73282932000074", "73282932000074"),
        (" 732 829 320 00074 ", "73282932000074"),
        ("732.829.320.00074", "73282932000074"),
        # La Poste: the head office by the checksum of all, every other establishment by the sum of its digits.
        ("35600000000048", "35600000000048"),
        ("35600000049837", "35600000049837"),
    ],
)
def test_takes_a_siret_and_gives_its_digits(typed, kept):
    assert numbers.siret(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "73282932000075",
        "35600000049838",
        "7328293200007",
        "732829320000740",
        "00000000000000",
        "\u0667" + "3282932000074",
        "73282932OOOO74",
        "",
        "7" * 10_000,
    ],
)
def test_refuses_any_other_siret(typed):
    with pytest.raises(Invalid) as caught:
        numbers.siret(typed)
    assert list(caught.value.facts["errors"]) == ["siret_number"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("FR83404833048", "FR83404833048"),
        ("fr 83 404 833 048", "FR83404833048"),
        ("DE136695976", "DE136695976"),
        ("BE 0697.449.992", "BE0697449992"),
        ("ATU13585627", "ATU13585627"),
        ("NL4495445B01", "NL004495445B01"),
        ("EL094259216", "EL094259216"),
        ("GR094259216", "EL094259216"),
        ("XI980780684", "XI980780684"),
        ("GB980780684", "GB980780684"),
        ("CHE-107.787.577 MWST", "CHE107787577MWST"),
        ("NO995525828MVA", "NO995525828MVA"),
    ],
)
def test_takes_a_vat_number_as_its_country_writes_it(typed, kept):
    assert numbers.vat(typed) == kept
    assert numbers.vat(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "FR83404833049",
        "404833048",
        "FR",
        "",
        "DE13669597",
        "EU372022452",
        "ZZ123456",
        "GB980780685",
        "FRR" * 9999,
        "ÅU1",
    ],
)
def test_refuses_any_other_vat_number(typed):
    with pytest.raises(Invalid) as caught:
        numbers.vat(typed)
    assert list(caught.value.facts["errors"]) == ["vat_number"]


@given(
    st.sampled_from([a + b for a in string.ascii_uppercase for b in string.ascii_uppercase]),
    st.text(string.ascii_uppercase + string.digits, max_size=16) | st.text(string.digits, max_size=16) | st.text(),
)
def test_whatever_is_typed_is_taken_or_refused(country, rest):
    for check, text in ((numbers.vat, country + rest), (numbers.siret, rest)):
        with suppress(Invalid):
            assert check(text)
