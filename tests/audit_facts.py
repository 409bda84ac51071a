"""Facts of an audit that are right until a test changes them."""

from contextlib import contextmanager
from dataclasses import dataclass, replace

from marketplace.application.ledger import LedgerReport, VerifyLedger
from marketplace.application.ports.ledger import (
    AccountBalance,
    OrderFacts,
    PayoutFacts,
    RefundFacts,
    RefundJournal,
    SaleFacts,
    StockFacts,
)
from marketplace.application.ports.payment_gateway import OutcomeUnknown, ProviderBalance
from marketplace.domain.fees import quote
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
