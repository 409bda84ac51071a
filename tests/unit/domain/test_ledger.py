"""Journals: what each fact about money books, and what is refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain import ledger
from marketplace.domain.fees import FeeSchedule, Return, Returned, price_return, quote
from marketplace.domain.ledger import AccountType, Journal, JournalKind, Line
from marketplace.domain.shared.errors import Invalid

DATA = Path(__file__).parents[2] / "data" / "fees"
GOLDEN = json.loads((DATA / "golden.json").read_text())["examples"]
SCENARIOS = json.loads((DATA / "ledger.json").read_text())["scenarios"]
AT = datetime(2026, 1, 15, tzinfo=UTC)
REFUNDED = [example for example in GOLDEN if "refunds" in example]


def numbered(account: str) -> str:
    """The files call sellers s1, s2, ...; we call them by their account ids."""
    return ":".join(part[1:] if part[:1] == "s" and part[1:].isdigit() else part for part in account.split(":"))


def expected(lines: list[list[object]]) -> list[Line]:
    return [Line(numbered(str(account)), int(str(amount))) for account, amount in lines]


def capture(example: dict, charge_id: str = "ch_1") -> Journal:
    amounts = example["expect"]
    return ledger.payment_captured(
        charge_id=charge_id,
        order_id=7,
        currency=example["currency"],
        total=amounts["buyer_total"],
        sellers=[(int(s["seller"][1:]), s["net"], s["commission"], s["seller_fees"]) for s in amounts["sellers"]],
        commission=amounts["platform_commission"],
        processing=amounts["buyer_processing_fee"],
        shipping=amounts["buyer_shipping_fee"],
        at=AT,
    )


def returned(refund: dict) -> Return:
    amounts = refund["expect"]
    return Return(
        items=refund["item_amount"],
        commission=amounts["buyer_commission_back"],
        processing=amounts["processing_back"],
        shipping=amounts["shipping_back"],
        seller_commission=amounts["seller_commission_back"],
        seller_fees=amounts["seller_fees_back"],
        seller_net=amounts["transfer_reversal_amount"],
    )


class TestJournalsOfTheWorkedExamples:
    @pytest.mark.parametrize("example", GOLDEN, ids=lambda example: example["name"])
    def test_a_capture_books_every_share(self, example):
        journal = capture(example)
        assert list(journal.lines) == expected(example["journal_capture"])
        assert (journal.kind, journal.source_key) == ("payment_captured", "charge:ch_1")

    @pytest.mark.parametrize("example", REFUNDED, ids=lambda example: example["name"])
    def test_a_refund_takes_back_what_was_booked(self, example):
        for refund in example["refunds"]:
            journal = ledger.refund_decided(
                refund_id=3,
                order_id=7,
                currency=example["currency"],
                returns=[(int(refund["seller"][1:]), returned(refund))],
                at=AT,
            )
            assert list(journal.lines) == expected(refund["journal_before_transfer"])
            assert (journal.kind, journal.source_key) == ("refund_decided", "refund:3")


def of_the_tie(*, sellers: tuple[int, ...], everything: bool) -> dict[str, Journal]:
    """Our journals of the order that every scenario is about, by kind: ``sellers`` take back all they sold."""
    (example,) = [example for example in GOLDEN if example["name"] == "two_sellers_tie"]
    schedule = FeeSchedule(
        currency="EUR",
        commission_rate=Decimal("0.05"),
        processing_rate=Decimal("0.06"),
        processing_minimum=500,
        shipping=1000,
    )
    priced = quote(schedule, [(1, 5005), (2, 5005)])
    parts = []
    for seller in sellers:
        already = Returned(order=5005 * len(parts), seller=0)
        part = price_return(priced, seller, 5005, already, with_processing=everything, with_shipping=everything)
        parts.append((seller, part))
    amount = sum(part.refund for _, part in parts)
    number = 2 if everything else 1
    facts = {"order_id": 7, "currency": "EUR", "at": AT}
    journals = (
        capture(example),
        ledger.stripe_fee(balance_transaction_id="txn_charge", fee=207, **facts),
        ledger.refund_decided(refund_id=number, returns=parts, **facts),
        ledger.refund_created(provider_refund_id=f"re_{number}", amount=amount, **facts),
        ledger.refund_failed(provider_refund_id=f"re_{number}", amount=amount, **facts),
    )
    return {journal.kind: journal for journal in journals}


class TestScenarios:
    @pytest.mark.parametrize(
        ("name", "sellers", "everything"),
        [
            ("happy_path", (1,), False),
            ("partial_refund_before_transfer", (1,), False),
            ("full_refund_stock_gone", (1, 2), True),
            ("refund_fails_at_processor", (1,), False),
        ],
    )
    def test_the_journals_of_a_purchase_and_its_refund(self, name, sellers, everything):
        (scenario,) = [scenario for scenario in SCENARIOS if scenario["name"] == name]
        ours = of_the_tie(sellers=sellers, everything=everything)
        compared = [journal for journal in scenario["journals"] if journal["kind"] in ours]
        assert len(compared) >= 2
        for journal in compared:
            assert list(ours[journal["kind"]].lines) == expected(journal["lines"])
            assert ours[journal["kind"]].source_key == journal["key"].replace("refund:r", "refund:")

    @pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
    def test_the_chart_has_every_account_that_later_journals_use(self, scenario):
        for journal in scenario["journals"]:
            for line in expected(journal["lines"]):
                assert ledger.account_type(line.account) in AccountType


class TestJournal:
    def journal(self, *lines: tuple[str, int]) -> Journal:
        return Journal(
            kind=JournalKind.STRIPE_FEE,
            source_key="fee:x",
            currency="EUR",
            lines=tuple(Line(account, amount) for account, amount in lines),
            occurred_at=AT,
        )

    def test_drops_lines_of_nothing(self):
        journal = self.journal(("assets:bank", 5), ("revenue:seller_fees", 0), ("assets:stripe_balance", -5))
        assert [line.account for line in journal.lines] == ["assets:bank", "assets:stripe_balance"]

    def test_refuses_lines_that_do_not_add_up(self):
        with pytest.raises(ledger.UnbalancedJournal, match="2 minor units too much"):
            self.journal(("assets:bank", 5), ("assets:stripe_balance", -3))

    @pytest.mark.parametrize("lines", [[], [("assets:bank", 0)]])
    def test_refuses_to_move_nothing(self, lines):
        with pytest.raises(ledger.UnbalancedJournal, match="moves nothing"):
            self.journal(*lines)

    @pytest.mark.parametrize(
        "account",
        [
            "assets:cash",
            "liabilities:seller:0:pending",
            "liabilities:seller:12:lost",
            "assets:seller_receivable:x",
            "pending",
            "",
        ],
    )
    def test_refuses_an_account_that_the_chart_does_not_have(self, account):
        with pytest.raises(ledger.UnknownLedgerAccount):
            self.journal((account, 5), ("assets:stripe_balance", -5))

    @pytest.mark.parametrize("amount", [1.0, True])
    def test_refuses_what_is_not_whole_minor_units(self, amount):
        with pytest.raises(Invalid):
            self.journal(("assets:bank", amount), ("assets:stripe_balance", -amount))

    def test_refuses_an_unknown_currency(self):
        with pytest.raises(Invalid):
            Journal(kind=JournalKind.STRIPE_FEE, source_key="x", currency="XXX", lines=(), occurred_at=AT)

    @given(st.lists(st.integers(1, 10**8), min_size=1, max_size=8))
    def test_any_split_of_a_capture_balances(self, nets):
        journal = ledger.payment_captured(
            charge_id="ch",
            order_id=1,
            currency="EUR",
            total=sum(nets),
            sellers=[(1 + i % 3, net, 0, 0) for i, net in enumerate(nets)],
            commission=0,
            processing=0,
            shipping=0,
            at=AT,
        )
        assert sum(line.amount for line in journal.lines) == 0
        assert len({line.account for line in journal.lines}) == len(journal.lines)


class TestAccounts:
    @pytest.mark.parametrize(
        ("account", "balance", "overdrawn"),
        [
            ("liabilities:shipping", -1, False),
            ("liabilities:shipping", 1, True),
            ("liabilities:seller:7:pending", 1, True),
            ("assets:seller_receivable:7", -1, True),
            ("assets:seller_receivable:7", 1, False),
            ("assets:disputed_funds", -1, True),
            ("assets:payouts_in_transit", -1, True),
            ("assets:stripe_balance", -1, False),
            ("expenses:stripe_fees", -1, False),
        ],
    )
    def test_a_balance_may_stand_on_one_side_only(self, account, balance, overdrawn):
        assert ledger.is_overdrawn(account, balance) is overdrawn
