"""Proving the books: each rule finds what breaks it, and nothing else."""

from dataclasses import replace

import pytest

from marketplace.application.ledger import SHOWN
from marketplace.application.ports.ledger import (
    AccountBalance,
    BrokenJournal,
    PayoutFacts,
    RefundJournal,
    StockFacts,
)
from marketplace.application.ports.payment_gateway import ProviderBalance
from marketplace.domain.fees import FeePayer, quote
from marketplace.domain.ledger import JournalKind, Line
from marketplace.domain.shared.money import Money
from tests.audit_facts import (
    CAPTURE,
    PAID,
    REFUND,
    REFUND_JOURNALS,
    SALES,
    UNPAID,
    Books,
    a_sale,
    broken_orders,
    findings,
    verify,
)
from tests.market import SCHEDULE


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


class TestRefundsThatWereTriedAgain:
    def journal(self, kind: JournalKind, key: str) -> RefundJournal:
        return RefundJournal(kind=kind, source_key=key, order_id=7, amount=Money(5256, "EUR"))

    def test_wants_both_journals_of_each_earlier_attempt(self):
        again = replace(REFUND, earlier_provider_refund_ids=("re_0",))
        ((_, missing), (_, failed)) = findings(all_refunds=(again,))["refunds_are_booked"]
        assert (missing[:14], failed[:13]) == ("refund_created", "refund_failed")
        earlier = (
            self.journal(JournalKind.REFUND_CREATED, "refund_sent:re_0"),
            self.journal(JournalKind.REFUND_FAILED, "refund_failed:re_0"),
        )
        assert findings(all_refunds=(again,), booked_refunds=(*REFUND_JOURNALS, *earlier)) == {}

    def test_wants_a_journal_of_what_was_paid_in_another_way(self):
        settled = replace(REFUND, has_failed=True, is_settled=True)
        booked = (*REFUND_JOURNALS, self.journal(JournalKind.REFUND_FAILED, "refund_failed:re_1"))
        ((_, detail),) = findings(all_refunds=(settled,), booked_refunds=booked)["refunds_are_booked"]
        assert detail == "refund_settled of 52.56 EUR is not in the ledger"
        paid = self.journal(JournalKind.REFUND_SETTLED, "refund_settled:3")
        assert findings(all_refunds=(settled,), booked_refunds=(*booked, paid)) == {}


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
