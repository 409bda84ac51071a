"""Journals: what is refused, and on which side an account may stand."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain import journals, ledger
from marketplace.domain.ledger import Journal, JournalKind, Line
from marketplace.domain.shared.errors import Invalid

AT = datetime(2026, 1, 15, tzinfo=UTC)


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
        journal = journals.payment_captured(
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
            ("liabilities:suspense", 1, False),
            ("liabilities:suspense", -1, False),
        ],
    )
    def test_a_balance_may_stand_on_one_side_only(self, account, balance, overdrawn):
        assert ledger.is_overdrawn(account, balance) is overdrawn
