"""Proving the books: each rule finds what breaks it, and nothing else."""

from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from marketplace.application.ledger import SHOWN, LedgerReport, VerifyLedger
from marketplace.application.ports.ledger import (
    AccountBalance,
    BrokenJournal,
    ChargebackFacts,
    DebtFacts,
    OrderFacts,
    PayoutFacts,
    RefundFacts,
    RefundJournal,
    SaleFacts,
    StockFacts,
)
from marketplace.application.ports.payment_gateway import OutcomeUnknown, ProviderBalance
from marketplace.domain.fees import FeePayer, quote
from marketplace.domain.ledger import JournalKind, Line
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.shared.money import Money
from tests.market import SCHEDULE

CAPTURE = (
    Line("assets:stripe_balance", 12112),
    Line("liabilities:seller:1:pending", -4754),
    Line("liabilities:seller:2:pending", -4755),
    Line("revenue:commission_seller", -501),
    Line("revenue:commission_buyer", -501),
    Line("revenue:processing_fee", -601),
    Line("liabilities:shipping", -1000),
)


def a_sale(id: int, seller: int, commission: int, **fields) -> SaleFacts:
    net = 5005 - commission
    payout = PayoutFacts(status=PayoutStatus.PENDING, amount=net, remaining=net, transferred=0)
    facts = {"base": 5005, "seller_fees": 0, "returned": 0, "lines": 5005, "lines_returned": 0, "payout": payout}
    return SaleFacts(id=id, seller_id=seller, commission=commission, **{**facts, **fields})


SALES = (a_sale(11, 1, 251), a_sale(12, 2, 250))
PAID = OrderFacts(
    id=7,
    reference="K7QM-2XPD",
    currency="EUR",
    is_paid=True,
    base=10010,
    commission=501,
    processing=601,
    shipping=1000,
    fees=quote(SCHEDULE, [(1, 5005), (2, 5005)]).applied,
    sales=SALES,
    captures=(CAPTURE,),
    moves={("payment_captured", line.account): line.amount for line in CAPTURE},
)
UNPAID = replace(PAID, id=8, reference="UNPAID", is_paid=False, captures=(), moves={})
REFUND = RefundFacts(id=3, order_id=7, amount=Money(5256, "EUR"), has_failed=False, provider_refund_id="re_1")
REFUND_JOURNALS = (
    RefundJournal(kind=JournalKind.REFUND_DECIDED, source_key="refund:3", order_id=7, amount=Money(5256, "EUR")),
    RefundJournal(
        kind=JournalKind.REFUND_CREATED, source_key="refund_sent:re_1", order_id=7, amount=Money(5256, "EUR")
    ),
)


AGREEING = ProviderBalance(currency="EUR", available=12000, pending=112)


@dataclass
class Books:
    """Facts that are right until a test changes them."""

    broken: tuple = ()
    stray: tuple = ()
    accounts: tuple = tuple(AccountBalance(account=line.account, balance=Money(line.amount, "EUR")) for line in CAPTURE)
    all_orders: tuple = (PAID, UNPAID)
    all_refunds: tuple = (REFUND,)
    booked_refunds: tuple = REFUND_JOURNALS
    owed: tuple = ()
    stocks: tuple = (StockFacts(listing_id=5, stock=3, claimed=2, reserved=2),)
    provider: ProviderBalance | None = AGREEING
    name: str = "simulated"

    @contextmanager
    def snapshot(self):
        yield self

    def broken_journals(self):
        return iter(self.broken)

    def stray_journals(self):
        return iter(self.stray)

    def balances(self):
        return self.accounts

    def orders(self):
        return iter(self.all_orders)

    def refunds(self):
        return iter(self.all_refunds)

    def refund_journals(self):
        return iter(self.booked_refunds)

    def debts(self):
        return iter(self.owed)

    def listings(self):
        return iter(self.stocks)

    def balance(self, currency):
        if self.provider is None:
            raise OutcomeUnknown("The provider did not answer.")
        return self.provider


def verify(**changes) -> LedgerReport:
    books = Books(**changes)
    return VerifyLedger(audit=books, gateway=books)()


def findings(**changes) -> dict[str, list[tuple[str, str]]]:
    """What each failed check found."""
    report = verify(**changes)
    assert report.ok == all(check.ok for check in report.checks)
    return {
        check.name: [(finding.subject, finding.detail) for finding in check.findings]
        for check in report.checks
        if not check.ok
    }


def broken_orders(order: OrderFacts) -> dict[str, list[tuple[str, str]]]:
    return findings(all_orders=(order,))


class TestVerifyLedger:
    def test_finds_nothing_in_books_that_are_right(self):
        report = verify()
        assert report.ok
        assert [check.name for check in report.checks] == [
            "journals_balance",
            "ledger_balances",
            "accounts_keep_to_their_side",
            "journals_name_their_order",
            "refunds_are_booked",
            "stock_covers_claims",
            "recoveries_are_booked",
            "claims_are_reservations",
            "parts_add_up",
            "paid_once",
            "money_is_accounted_for",
            "refunds_within_payment",
            "payouts_are_booked",
            "sellers_get_their_net",
            "claimed_sales_are_kept",
            "chargebacks_are_booked",
            "provider_agrees",
        ]

    def test_finds_a_journal_that_does_not_add_up(self):
        broken = BrokenJournal(id=4, kind="stripe_fee", source_key="fee:x", total=3, lines=1, lines_posted=2)
        assert findings(broken=(broken,)) == {
            "journals_balance": [("journal 4 (stripe_fee fee:x)", "adds up to 3 minor units with 1 of 2 lines")]
        }

    def test_finds_a_ledger_that_does_not_add_up(self):
        accounts = (*Books.accounts, AccountBalance(account="expenses:bad_debt", balance=Money(5, "EUR")))
        assert findings(accounts=accounts) == {"ledger_balances": [("EUR", "the accounts add up to 0.05 EUR")]}

    def test_finds_an_account_on_the_wrong_side(self):
        accounts = (
            *Books.accounts,
            AccountBalance(account="liabilities:seller:3:pending", balance=Money(5, "EUR")),
            AccountBalance(account="assets:seller_receivable:3", balance=Money(-5, "EUR")),
        )
        assert [subject for subject, _ in findings(accounts=accounts)["accounts_keep_to_their_side"]] == [
            "liabilities:seller:3:pending",
            "assets:seller_receivable:3",
        ]

    def test_finds_a_journal_of_no_order(self):
        found = findings(stray=(("charge:x", 99),))
        assert found == {"journals_name_their_order": [("journal charge:x", "names order 99, which does not exist")]}

    def test_finds_more_claimed_than_there_is(self):
        stocks = (StockFacts(listing_id=5, stock=1, claimed=2, reserved=2),)
        assert findings(stocks=stocks) == {"stock_covers_claims": [("listing 5", "2 claimed of 1 in stock")]}

    @pytest.mark.parametrize(("stock", "claimed"), [(-1, 0), (1, -1)])
    def test_finds_negative_stock_and_negative_claims(self, stock, claimed):
        stocks = (StockFacts(listing_id=5, stock=stock, claimed=claimed, reserved=claimed),)
        assert list(findings(stocks=stocks)) == ["stock_covers_claims"]

    def test_finds_claims_that_no_reservation_explains(self):
        stocks = (StockFacts(listing_id=5, stock=3, claimed=2, reserved=1),)
        assert list(findings(stocks=stocks)) == ["claims_are_reservations"]

    def test_lists_the_first_findings_and_counts_them_all(self):
        stocks = tuple(StockFacts(listing_id=i, stock=3, claimed=2, reserved=1) for i in range(SHOWN + 5))
        (check,) = [check for check in verify(stocks=stocks).checks if not check.ok]
        assert (check.count, len(check.findings)) == (SHOWN + 5, SHOWN)
        broken = replace(UNPAID, captures=(CAPTURE,))
        (check,) = [check for check in verify(all_orders=(broken,) * (SHOWN + 5)).checks if not check.ok]
        assert (check.count, len(check.findings)) == (SHOWN + 5, SHOWN)


class TestRefundsAgainstTheirJournals:
    def test_finds_a_refund_that_is_not_booked(self):
        assert findings(booked_refunds=REFUND_JOURNALS[:1]) == {
            "refunds_are_booked": [("refund 3", "refund_created of 52.56 EUR is not in the ledger")]
        }

    def test_finds_a_refund_booked_with_another_amount(self):
        wrong = replace(REFUND_JOURNALS[0], amount=Money(1, "EUR"))
        found = findings(booked_refunds=(wrong, REFUND_JOURNALS[1]))["refunds_are_booked"]
        assert found == [("refund 3", "refund_decided is booked as 0.01 EUR instead of 52.56 EUR")]

    def test_finds_a_refund_booked_under_another_order(self):
        wrong = replace(REFUND_JOURNALS[0], order_id=99)
        assert list(findings(booked_refunds=(wrong, REFUND_JOURNALS[1]))) == ["refunds_are_booked"]

    def test_finds_a_journal_of_no_refund(self):
        found = findings(all_refunds=())["refunds_are_booked"]
        assert [subject for subject, _ in found] == ["journal refund:3", "journal refund_sent:re_1"]

    def test_wants_no_journal_of_sending_before_the_provider_has_it(self):
        unsent = replace(REFUND, provider_refund_id=None)
        assert findings(all_refunds=(unsent,), booked_refunds=REFUND_JOURNALS[:1]) == {}

    def test_wants_a_journal_of_the_failure_of_one_that_had_left(self):
        failed = replace(REFUND, has_failed=True)
        assert list(findings(all_refunds=(failed,))) == ["refunds_are_booked"]
        failure = replace(REFUND_JOURNALS[1], kind=JournalKind.REFUND_FAILED, source_key="refund_failed:re_1")
        assert findings(all_refunds=(failed,), booked_refunds=(*REFUND_JOURNALS, failure)) == {}


class TestOrders:
    def test_finds_lines_that_are_not_their_sale(self):
        order = replace(PAID, sales=(replace(SALES[0], lines=1), SALES[1]))
        assert broken_orders(order) == {
            "parts_add_up": [("order K7QM-2XPD", "the lines of sale 11 add up to 1, the sale says 5005")]
        }

    def test_finds_pieces_that_went_back_unnoticed(self):
        order = replace(PAID, sales=(replace(SALES[0], lines_returned=5005), SALES[1]))
        assert list(broken_orders(order)) == ["parts_add_up"]

    @pytest.mark.parametrize("name", ["base", "commission", "processing", "shipping"])
    def test_finds_sales_that_are_not_their_order(self, name):
        assert "parts_add_up" in broken_orders(replace(PAID, **{name: 1}))

    @pytest.mark.parametrize(
        ("amounts", "detail"),
        [
            ({"commission": 250}, "commission of seller 1 is 250, its rules come to 251"),
            ({"seller_fees": 30}, "seller_fees of seller 1 is 30, its rules come to 0"),
        ],
    )
    def test_finds_amounts_that_no_rule_explains(self, amounts, detail):
        order = replace(PAID, sales=(replace(SALES[0], **amounts), SALES[1]))
        assert broken_orders(order)["parts_add_up"] == [("order K7QM-2XPD", detail)]

    def test_accepts_a_commission_that_only_the_seller_pays(self):
        rules = (replace(SCHEDULE.rules[0], payer=FeePayer.SELLER), *SCHEDULE.rules[1:])
        fees = quote(replace(SCHEDULE, rules=rules), [(1, 5005), (2, 5005)]).applied
        assert broken_orders(replace(UNPAID, commission=0, fees=fees)) == {}

    def test_finds_an_unpaid_order_with_money(self):
        order = replace(UNPAID, captures=(CAPTURE,))
        assert broken_orders(order) == {"paid_once": [("order UNPAID", "is not paid, and has 1 payment journals")]}

    @pytest.mark.parametrize("times", [0, 2])
    def test_finds_a_paid_order_not_paid_exactly_once(self, times):
        assert list(broken_orders(replace(PAID, captures=(CAPTURE,) * times))) == ["paid_once"]

    def test_finds_a_payment_of_something_else_than_was_agreed(self):
        wrong = (Line("assets:stripe_balance", 12000), *CAPTURE[1:])
        ((_, detail),) = broken_orders(replace(PAID, captures=(wrong,)))["paid_once"]
        assert detail == "assets:stripe_balance was booked 12000 at payment, agreed was 12112"

    def test_finds_money_that_went_elsewhere(self):
        moves = {**PAID.moves, ("refund_decided", "revenue:commission_buyer"): 500}
        ((_, detail),) = broken_orders(replace(PAID, moves=moves))["money_is_accounted_for"]
        assert detail == "12112 were captured, but there are 9509 held, 1103 revenue, 1000 shipping"

    def test_accepts_a_refund_that_took_from_where_the_money_was(self):
        moves = {
            **PAID.moves,
            ("refund_decided", "liabilities:seller:1:pending"): 4754,
            ("refund_decided", "revenue:commission_seller"): 251,
            ("refund_decided", "revenue:commission_buyer"): 251,
            ("refund_decided", "liabilities:refunds_payable"): -5256,
            ("refund_created", "liabilities:refunds_payable"): 5256,
            ("refund_created", "assets:stripe_balance"): -5256,
            ("stripe_fee", "expenses:stripe_fees"): 207,
            ("stripe_fee", "assets:stripe_balance"): -207,
        }
        taken = a_sale(11, 1, 251, payout=PayoutFacts(status="reversed", amount=4754, remaining=0, transferred=0))
        assert broken_orders(replace(PAID, moves=moves, sales=(taken, SALES[1]))) == {}

    def test_finds_more_refunded_than_paid(self):
        moves = {**PAID.moves, ("refund_decided", "liabilities:refunds_payable"): -12113}
        assert "refunds_within_payment" in broken_orders(replace(PAID, moves=moves))


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


class TestTheProvidersBalance:
    def test_finds_a_difference(self):
        found = findings(provider=ProviderBalance(currency="EUR", available=12000, pending=0))
        ((subject, detail),) = found["provider_agrees"]
        assert subject == "simulated EUR"
        assert detail.startswith("it has 120.00 EUR, the ledger 121.12 EUR, -1.12 EUR apart")

    def test_is_skipped_with_a_note_when_the_provider_is_silent(self):
        report = verify(provider=None)
        assert report.ok
        assert report.checks[-1].note == "Not checked: The provider did not answer."
