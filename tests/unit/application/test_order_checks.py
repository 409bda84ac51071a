"""Payouts, debts, disputes and chargebacks against their journals: what is accepted, and what is found."""

from dataclasses import replace

import pytest

from marketplace.application.ports.ledger import (
    AccountBalance,
    ChargebackFacts,
    DebtFacts,
    OrderFacts,
    PayoutFacts,
    SaleFacts,
)
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.shared.money import Money
from tests.audit_facts import (
    PAID,
    SALES,
    Books,
    a_sale,
    broken_orders,
    findings,
)


def paid(*sales: SaleFacts, chargebacks=(), **moves: int) -> OrderFacts:
    """The paid order after further moves, called like ``transfer_created__payable_1``."""
    names = {
        **{f"{name}_{seller}": f"liabilities:seller:{seller}:{name}" for name in STANDS for seller in (1, 2)},
        **{f"receivable_{seller}": f"assets:seller_receivable:{seller}" for seller in (1, 2)},
        "stripe": "assets:stripe_balance",
        "disputed": "assets:disputed_funds",
        "losses": "expenses:chargeback_losses",
        "fees": "expenses:dispute_fees",
        "suspense": "liabilities:suspense",
        "owed": "liabilities:refunds_payable",
        "commission": "revenue:commission_buyer",
    }
    more = {(kind, names[account]): amount for name, amount in moves.items() for kind, account in [name.split("__")]}
    return replace(PAID, sales=(*sales, *SALES[len(sales) :]), chargebacks=chargebacks, moves={**PAID.moves, **more})


STANDS = ("pending", "on_hold", "payable")
GONE = {"chargeback_withdrawn__disputed": 4754, "chargeback_withdrawn__fees": 20, "chargeback_withdrawn__stripe": -4774}
TAKEN = ChargebackFacts(amount=-4754, fee=20, lost=0)


def at(status: PayoutStatus, *, remaining: int = 4754, transferred: int = 0, **fields) -> SaleFacts:
    """The first sale, its payout in this state."""
    payout = PayoutFacts(status=status, amount=4754, remaining=remaining, transferred=transferred)
    return a_sale(11, 1, 251, payout=payout, **fields)


COMPLETED = {"order_completed__pending_1": 4754, "order_completed__payable_1": -4754}
SENT = {**COMPLETED, "transfer_created__payable_1": 4754, "transfer_created__stripe": -4754}
HELD = {"dispute_hold__pending_1": 4754, "dispute_hold__on_hold_1": -4754}


class TestPayoutsAgainstTheirJournals:
    @pytest.mark.parametrize(
        "order",
        [
            paid(at(PayoutStatus.DUE), **COMPLETED),
            paid(at(PayoutStatus.SENDING, is_claimed=True), **COMPLETED),
            paid(at(PayoutStatus.ON_HOLD, is_claimed=True), **HELD),
            paid(at(PayoutStatus.PAID, remaining=0, transferred=4754, is_claimed=True), **SENT),
            paid(
                at(PayoutStatus.REVERSED, remaining=0, transferred=4754),
                **SENT,
                refund_decided__receivable_1=4754,
                refund_decided__commission=5,
                refund_decided__owed=-4759,
                transfer_reversed__stripe=4754,
                transfer_reversed__receivable_1=-4754,
            ),
            paid(
                at(PayoutStatus.PAID, remaining=0, transferred=4700),
                **COMPLETED,
                receivable_netted__payable_1=54,
                receivable_netted__receivable_1=-54,
                transfer_created__payable_1=4700,
                transfer_created__stripe=-4700,
            ),
            paid(at(PayoutStatus.ON_HOLD), chargebacks=(TAKEN,), **HELD, **GONE),
            paid(
                at(PayoutStatus.REVERSED, remaining=0),
                chargebacks=(replace(TAKEN, lost=4754),),
                **HELD,
                **GONE,
                chargeback_lost__on_hold_1=4754,
                chargeback_lost__disputed=-4754,
            ),
            paid(
                at(PayoutStatus.REVERSED, remaining=0),
                chargebacks=(ChargebackFacts(amount=0, fee=20, lost=4754),),
                **HELD,
                **GONE,
                chargeback_lost__on_hold_1=4754,
                chargeback_lost__disputed=-4754,
                chargeback_won__stripe=4754,
                chargeback_won__suspense=-4754,
            ),
            paid(
                refund_decided__commission=30,
                refund_decided__owed=-30,
                refund_settled__owed=30,
                refund_settled__losses=-30,
                chargeback_withdrawn__disputed=30,
                chargeback_withdrawn__stripe=-30,
                chargeback_lost__losses=30,
                chargeback_lost__disputed=-30,
                chargebacks=(ChargebackFacts(amount=-30, fee=0, lost=30),),
            ),
        ],
        ids=[
            "due",
            "sending",
            "kept",
            "sent",
            "taken back",
            "netted",
            "charged back",
            "lost",
            "appealed",
            "settled",
        ],
    )
    def test_accepts_whatever_comes_about(self, order):
        assert broken_orders(order) == {}

    def test_finds_a_paid_sale_without_a_payout(self):
        order = paid(a_sale(11, 1, 251, payout=None))
        assert broken_orders(order) == {
            "payouts_are_booked": [("order K7QM-2XPD", "is paid, and sale 11 has no payout")]
        }

    def test_finds_a_payout_of_another_amount_than_was_agreed(self):
        payout = PayoutFacts(status=PayoutStatus.PENDING, amount=4755, remaining=4754, transferred=0)
        ((_, detail),) = broken_orders(paid(a_sale(11, 1, 251, payout=payout)))["payouts_are_booked"]
        assert detail == "sale 11 leaves 4754, its payout is of 4755"

    @pytest.mark.parametrize(
        ("sale", "moves", "account"),
        [
            (at(PayoutStatus.DUE), {}, "liabilities:seller:1:payable"),
            (at(PayoutStatus.PENDING), HELD, "liabilities:seller:1:on_hold"),
            (at(PayoutStatus.PENDING, remaining=4000), {}, "liabilities:seller:1:pending"),
            (at(PayoutStatus.PAID, remaining=0, transferred=4000), SENT, "sent to seller 1"),
        ],
    )
    def test_finds_money_that_stands_elsewhere_than_its_payout_says(self, sale, moves, account):
        ((_, detail),) = broken_orders(paid(sale, **moves))["payouts_are_booked"]
        assert detail.startswith(f"{account}: ")

    def test_finds_a_seller_who_got_too_much_or_gave_back_too_much(self):
        twice = {**COMPLETED, "transfer_created__payable_1": 9508, "transfer_created__stripe": -9508}
        found = broken_orders(paid(at(PayoutStatus.PAID, remaining=0, transferred=9508), **twice))
        assert found["sellers_get_their_net"] == [
            ("order K7QM-2XPD", "seller 1 got 9508 of 4754, and 0 were taken back")
        ]
        back = {"transfer_reversed__stripe": 5000, "transfer_reversed__receivable_1": -5000}
        found = broken_orders(paid(at(PayoutStatus.PAID, remaining=0, transferred=4754), **SENT, **back))
        assert list(found) == ["sellers_get_their_net"]

    def test_finds_money_that_is_payable_of_a_sale_that_is_claimed(self):
        ((_, detail),) = broken_orders(paid(at(PayoutStatus.DUE, is_claimed=True), **COMPLETED))[
            "claimed_sales_are_kept"
        ]
        assert detail == "4754 are payable to seller 1, while a dispute is open on sale 11"

    def test_finds_a_chargeback_that_is_not_booked_or_not_shared_out(self):
        found = broken_orders(paid(chargebacks=(TAKEN,)))
        assert found == {"chargebacks_are_booked": [("order K7QM-2XPD", "its chargebacks moved -4774, booked are 0")]}
        found = broken_orders(paid(chargebacks=(replace(TAKEN, lost=4754),), **GONE))
        assert found == {
            "chargebacks_are_booked": [
                ("order K7QM-2XPD", "0 are undecided of its chargebacks, booked as disputed are 4754")
            ]
        }


class TestDebtsAgainstTheirJournals:
    OWED = AccountBalance(account="assets:seller_receivable:1", balance=Money(50, "EUR"))
    SHARE = AccountBalance(account="revenue:seller_fees", balance=Money(-50, "EUR"))

    def test_accepts_what_is_owed(self):
        accounts = (*Books.accounts, self.OWED, self.SHARE)
        assert findings(accounts=accounts, owed=(DebtFacts(seller_id=1, left=Money(50, "EUR")),)) == {}
        assert findings(owed=(DebtFacts(seller_id=1, left=Money(0, "EUR")),)) == {}
        assert findings(accounts=(*Books.accounts, replace(self.OWED, balance=Money(0, "EUR")))) == {}

    def test_finds_a_debt_of_another_amount(self):
        ((subject, detail),) = findings(owed=(DebtFacts(seller_id=1, left=Money(50, "EUR")),))["recoveries_are_booked"]
        assert subject == "assets:seller_receivable:1"
        assert detail == "stands at 0.00 EUR, 0.50 EUR are still to be taken back"

    def test_finds_a_debt_that_nobody_decided(self):
        ((_, detail),) = findings(accounts=(*Books.accounts, self.OWED, self.SHARE))["recoveries_are_booked"]
        assert detail == "stands at 0.50 EUR, nothing is to be taken back"
