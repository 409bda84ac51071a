"""The ledger: append-only, double entry, one balanced journal for each fact about money.

Debit is positive, credit negative, in minor units of the journal's one currency. A line is never changed; a correction
is a journal of its own. ``(kind, source_key)`` names the fact, so that it is written once. What each fact books is in
``journals``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, JournalId, OrderId
from marketplace.domain.shared.money import exponent


class UnbalancedJournal(Invalid):
    code = "unbalanced_journal"


class UnknownLedgerAccount(Invalid):
    code = "unknown_ledger_account"


class AccountType(StrEnum):
    """What an account counts, which says on which side its balance stands."""

    ASSET = "assets"
    LIABILITY = "liabilities"
    REVENUE = "revenue"
    EXPENSE = "expenses"


class JournalKind(StrEnum):
    """What a journal is about; ``journals`` says what each books."""

    PAYMENT_CAPTURED = "payment_captured"
    STRIPE_FEE = "stripe_fee"
    ORDER_COMPLETED = "order_completed"
    DISPUTE_HOLD = "dispute_hold"
    DISPUTE_RELEASE = "dispute_release"
    PAYOUT_HOLD = "payout_hold"
    PAYOUT_RELEASE = "payout_release"
    TRANSFER_CREATED = "transfer_created"
    TRANSFER_REVERSED = "transfer_reversed"
    REFUND_DECIDED = "refund_decided"
    REFUND_CREATED = "refund_created"
    REFUND_FAILED = "refund_failed"
    REFUND_SETTLED = "refund_settled"
    RECEIVABLE_NETTED = "receivable_netted"
    SELLER_WRITEOFF = "seller_writeoff"
    CHARGEBACK_WITHDRAWN = "chargeback_withdrawn"
    CHARGEBACK_WON = "chargeback_won"
    CHARGEBACK_LOST = "chargeback_lost"
    PAYOUT_CREATED = "payout_created"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    TOPUP = "topup"
    CARRIER_PAID = "carrier_paid"
    UNEXPLAINED = "unexplained"


STRIPE_BALANCE = "assets:stripe_balance"
PAYOUTS_IN_TRANSIT = "assets:payouts_in_transit"
BANK = "assets:bank"
DISPUTED_FUNDS = "assets:disputed_funds"
REFUNDS_PAYABLE = "liabilities:refunds_payable"
SHIPPING = "liabilities:shipping"
SUSPENSE = "liabilities:suspense"
COMMISSION_BUYER = "revenue:commission_buyer"
COMMISSION_SELLER = "revenue:commission_seller"
PROCESSING_FEE = "revenue:processing_fee"
SELLER_FEES = "revenue:seller_fees"
STRIPE_FEES = "expenses:stripe_fees"
DISPUTE_FEES = "expenses:dispute_fees"
CHARGEBACK_LOSSES = "expenses:chargeback_losses"
BAD_DEBT = "expenses:bad_debt"

COMMON_ACCOUNTS = frozenset(
    {
        STRIPE_BALANCE,
        PAYOUTS_IN_TRANSIT,
        BANK,
        DISPUTED_FUNDS,
        REFUNDS_PAYABLE,
        SHIPPING,
        SUSPENSE,
        COMMISSION_BUYER,
        COMMISSION_SELLER,
        PROCESSING_FEE,
        SELLER_FEES,
        STRIPE_FEES,
        DISPUTE_FEES,
        CHARGEBACK_LOSSES,
        BAD_DEBT,
    }
)
"""The chart of accounts, less those that each seller has."""

_OF_SELLER = re.compile(
    r"liabilities:seller:[1-9]\d{0,15}:(?:pending|on_hold|payable)|assets:seller_receivable:[1-9]\d{0,15}"
)
_NEVER_IN_CREDIT = ("assets:seller_receivable:", DISPUTED_FUNDS, PAYOUTS_IN_TRANSIT)


def pending(seller_id: AccountId) -> str:
    """Paid by a buyer, the sale not complete."""
    return f"liabilities:seller:{seller_id}:pending"


def on_hold(seller_id: AccountId) -> str:
    """Kept back while a dispute, a chargeback or a restriction of the seller is open."""
    return f"liabilities:seller:{seller_id}:on_hold"


def payable(seller_id: AccountId) -> str:
    """Released, not transferred yet."""
    return f"liabilities:seller:{seller_id}:payable"


def receivable(seller_id: AccountId) -> str:
    """Owed to us by a seller."""
    return f"assets:seller_receivable:{seller_id}"


def accounts_of(seller_id: AccountId) -> tuple[str, ...]:
    """Every account that this seller has."""
    return pending(seller_id), on_hold(seller_id), payable(seller_id), receivable(seller_id)


def is_account(name: str) -> bool:
    """Whether the chart of accounts has an account of this name."""
    return name in COMMON_ACCOUNTS or _OF_SELLER.fullmatch(name) is not None


def account_type(account: str) -> AccountType:
    """Raises UnknownLedgerAccount for a name that the chart of accounts does not have."""
    if not is_account(account):
        raise UnknownLedgerAccount(f"{account!r} is not in the chart of accounts.")
    return AccountType(account.partition(":")[0])


def is_overdrawn(account: str, balance: int) -> bool:
    """Whether a balance stands on the side where it can never be: a liability in debit, a receivable in credit.

    Suspense may stand on either: it holds what nobody can explain yet, be it money that came or money that went.
    """
    if account == SUSPENSE:
        return False
    if account_type(account) is AccountType.LIABILITY:
        return balance > 0
    return balance < 0 and account.startswith(_NEVER_IN_CREDIT)


@dataclass(frozen=True, slots=True)
class Line:
    """``amount`` in minor units: debit positive, credit negative."""

    account: str
    amount: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """One fact about money. Lines of nothing are dropped. ``id`` is given when it is posted.

    Raises UnbalancedJournal unless the lines add up to nothing and at least two are left, and UnknownLedgerAccount.
    """

    id: JournalId | None = None
    kind: JournalKind
    source_key: str
    currency: str
    lines: tuple[Line, ...]
    occurred_at: datetime
    order_id: OrderId | None = None

    def __post_init__(self) -> None:
        exponent(self.currency)
        object.__setattr__(self, "lines", tuple(line for line in self.lines if line.amount))
        for line in self.lines:
            if type(line.amount) is not int:
                raise Invalid(f"{line.account}: {line.amount!r} is not a whole number of minor units.")
            account_type(line.account)
        if not self.lines:
            raise UnbalancedJournal(f"The journal {self.kind} {self.source_key} moves nothing.")
        if over := sum(line.amount for line in self.lines):
            raise UnbalancedJournal(
                f"The journal {self.kind} {self.source_key} does not add up: {over} minor units too much in debit."
            )
