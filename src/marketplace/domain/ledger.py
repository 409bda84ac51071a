"""The ledger: append-only, double entry, one balanced journal for each fact about money.

Debit is positive, credit negative, in minor units of the journal's one currency. A line is never changed; a correction
is a journal of its own. ``(kind, source_key)`` names the fact, so that it is written once.

    payment captured   stripe_balance               | seller:<s>:pending each, commission_seller, seller_fees,
                                                    | commission_buyer, processing_fee, shipping
    provider's fee     stripe_fees                  | stripe_balance
    refund decided     seller:<s>:pending, what we
                       give back of ours            | refunds_payable
    refund sent        refunds_payable              | stripe_balance
    refund failed      stripe_balance               | refunds_payable
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from marketplace.domain.fees import Return
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, JournalId, OrderId, RefundId
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
    PAYMENT_CAPTURED = "payment_captured"
    STRIPE_FEE = "stripe_fee"
    REFUND_DECIDED = "refund_decided"
    REFUND_CREATED = "refund_created"
    REFUND_FAILED = "refund_failed"


STRIPE_BALANCE = "assets:stripe_balance"
REFUNDS_PAYABLE = "liabilities:refunds_payable"
SHIPPING = "liabilities:shipping"
COMMISSION_BUYER = "revenue:commission_buyer"
COMMISSION_SELLER = "revenue:commission_seller"
PROCESSING_FEE = "revenue:processing_fee"
SELLER_FEES = "revenue:seller_fees"
STRIPE_FEES = "expenses:stripe_fees"

COMMON_ACCOUNTS = frozenset(
    {
        STRIPE_BALANCE,
        "assets:payouts_in_transit",
        "assets:bank",
        "assets:disputed_funds",
        REFUNDS_PAYABLE,
        SHIPPING,
        "liabilities:suspense",
        COMMISSION_BUYER,
        COMMISSION_SELLER,
        PROCESSING_FEE,
        SELLER_FEES,
        STRIPE_FEES,
        "expenses:dispute_fees",
        "expenses:chargeback_losses",
        "expenses:bad_debt",
    }
)
"""The chart of accounts, less those that each seller has."""

_OF_SELLER = re.compile(
    r"liabilities:seller:[1-9]\d{0,15}:(?:pending|on_hold|payable)|assets:seller_receivable:[1-9]\d{0,15}"
)
_NEVER_IN_CREDIT = ("assets:seller_receivable:", "assets:disputed_funds", "assets:payouts_in_transit")


def pending(seller_id: AccountId) -> str:
    """Paid by a buyer, the sale not complete."""
    return f"liabilities:seller:{seller_id}:pending"


def on_hold(seller_id: AccountId) -> str:
    """Kept back while a dispute is open."""
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


def account_type(account: str) -> AccountType:
    """Raises UnknownLedgerAccount for a name that the chart of accounts does not have."""
    if account not in COMMON_ACCOUNTS and not _OF_SELLER.fullmatch(account):
        raise UnknownLedgerAccount(f"{account!r} is not in the chart of accounts.")
    return AccountType(account.partition(":")[0])


def is_overdrawn(account: str, balance: int) -> bool:
    """Whether a balance stands on the side where it can never be: a liability in debit, a receivable in credit."""
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


def payment_captured(
    *,
    charge_id: str,
    order_id: OrderId,
    currency: str,
    total: int,
    sellers: Sequence[tuple[AccountId, int, int, int]],
    commission: int,
    processing: int,
    shipping: int,
    at: datetime,
) -> Journal:
    """A buyer's money arrived. ``sellers`` holds (seller, net, commission, fees), ``commission`` is the buyer's."""
    return Journal(
        kind=JournalKind.PAYMENT_CAPTURED,
        source_key=f"charge:{charge_id}",
        currency=currency,
        order_id=order_id,
        occurred_at=at,
        lines=(
            Line(STRIPE_BALANCE, total),
            *_by_account((pending(seller), -net) for seller, net, _, _ in sellers),
            Line(COMMISSION_SELLER, -sum(withheld for _, _, withheld, _ in sellers)),
            Line(SELLER_FEES, -sum(fees for _, _, _, fees in sellers)),
            Line(COMMISSION_BUYER, -commission),
            Line(PROCESSING_FEE, -processing),
            Line(SHIPPING, -shipping),
        ),
    )


def stripe_fee(*, balance_transaction_id: str, order_id: OrderId, currency: str, fee: int, at: datetime) -> Journal:
    """What the provider kept of a charge. Raises UnbalancedJournal when that is nothing: there is no fact then."""
    return Journal(
        kind=JournalKind.STRIPE_FEE,
        source_key=f"fee:{balance_transaction_id}",
        currency=currency,
        order_id=order_id,
        occurred_at=at,
        lines=(Line(STRIPE_FEES, fee), Line(STRIPE_BALANCE, -fee)),
    )


def refund_decided(
    *,
    refund_id: RefundId,
    order_id: OrderId,
    currency: str,
    returns: Sequence[tuple[AccountId, Return]],
    at: datetime,
) -> Journal:
    """A buyer is owed money back, of sales whose sellers have not been paid yet."""
    parts = [part for _, part in returns]
    return Journal(
        kind=JournalKind.REFUND_DECIDED,
        source_key=f"refund:{refund_id}",
        currency=currency,
        order_id=order_id,
        occurred_at=at,
        lines=(
            *_by_account((pending(seller), part.seller_net) for seller, part in returns),
            Line(COMMISSION_SELLER, sum(part.seller_commission for part in parts)),
            Line(SELLER_FEES, sum(part.seller_fees for part in parts)),
            Line(COMMISSION_BUYER, sum(part.commission for part in parts)),
            Line(PROCESSING_FEE, sum(part.processing for part in parts)),
            Line(SHIPPING, sum(part.shipping for part in parts)),
            Line(REFUNDS_PAYABLE, -sum(part.refund for part in parts)),
        ),
    )


def refund_created(*, provider_refund_id: str, order_id: OrderId, currency: str, amount: int, at: datetime) -> Journal:
    """The provider accepted a refund: the money has left."""
    return Journal(
        kind=JournalKind.REFUND_CREATED,
        source_key=f"refund_sent:{provider_refund_id}",
        currency=currency,
        order_id=order_id,
        occurred_at=at,
        lines=(Line(REFUNDS_PAYABLE, amount), Line(STRIPE_BALANCE, -amount)),
    )


def refund_failed(*, provider_refund_id: str, order_id: OrderId, currency: str, amount: int, at: datetime) -> Journal:
    """A refund that had been accepted came back: it is owed again."""
    return Journal(
        kind=JournalKind.REFUND_FAILED,
        source_key=f"refund_failed:{provider_refund_id}",
        currency=currency,
        order_id=order_id,
        occurred_at=at,
        lines=(Line(STRIPE_BALANCE, amount), Line(REFUNDS_PAYABLE, -amount)),
    )


def _by_account(amounts: Iterable[tuple[str, int]]) -> list[Line]:
    """One line an account, in the order of their first mention."""
    totals: dict[str, int] = {}
    for account, amount in amounts:
        totals[account] = totals.get(account, 0) + amount
    return [Line(account, amount) for account, amount in totals.items()]
