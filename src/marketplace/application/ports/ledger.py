"""The ledger: posting journals, and reading them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.fees import AppliedFee
from marketplace.domain.ledger import Journal, JournalKind, Line
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.shared.ids import AccountId, JournalId, ListingId, OrderId, RefundId, SaleId
from marketplace.domain.shared.money import Money


class Ledger(Protocol):
    """Append-only: nothing that was posted is ever changed or taken out."""

    def post(self, journal: Journal) -> bool:
        """Write a journal, once for each (kind, source_key): False, and nothing written, when that fact is there."""
        ...

    def posted(self, kind: JournalKind, source_key: str) -> bool:
        """Whether that fact is there."""
        ...

    def balance_for_update(self, account: str, currency: str) -> int:
        """What stands on an account, in minor units. Until this unit ends, no other is told of the same account."""
        ...

    def one_at_a_time(self, subject: str) -> None:
        """Wait until no other unit works on this subject: for facts whose journals depend on those before them."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryLine:
    """Debit positive, credit negative."""

    account: str
    amount: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerEntry:
    id: JournalId
    kind: JournalKind
    source_key: str
    currency: str
    occurred_at: datetime
    order_id: OrderId | None
    lines: tuple[EntryLine, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountBalance:
    """Debit positive, credit negative."""

    account: str
    balance: Money


class LedgerQueries(Protocol):
    def entries(
        self,
        request: PageRequest,
        *,
        account: str | None = None,
        order_id: OrderId | None = None,
        kind: JournalKind | None = None,
    ) -> Page[LedgerEntry]:
        """Journals with all their lines, the latest fact first; of those that touch ``account``, where it is given."""
        ...

    def balances_page(self, request: PageRequest, *, seller_id: AccountId | None = None) -> Page[AccountBalance]:
        """``balances``, a page at a time."""
        ...

    def balances(self, *, seller_id: AccountId | None = None) -> Sequence[AccountBalance]:
        """What stands on each account that was ever used, by account and currency; zero balances included."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenJournal:
    """A journal whose lines add up to ``total`` instead of nothing, or are not as many as were posted."""

    id: JournalId
    kind: str
    source_key: str
    total: int
    lines: int
    lines_posted: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PayoutFacts:
    """Minor units: ``amount`` as agreed, ``remaining`` to be sent, ``transferred`` by the provider."""

    status: PayoutStatus
    amount: int
    remaining: int
    transferred: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargebackFacts:
    """Minor units: its movements' ``amount`` (less than 0: withdrawn) and ``fee``, and what was shared out as lost."""

    amount: int
    fee: int
    lost: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DebtFacts:
    """What is left to be taken back from a seller, of all that was decided to be."""

    seller_id: AccountId
    left: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleFacts:
    """Amounts in minor units. ``lines`` and ``lines_returned`` add up the sale's lines: all, and what went back.

    ``is_claimed``: a dispute is open on it, by the buyer or by a chargeback.
    """

    id: SaleId
    seller_id: AccountId
    base: int
    commission: int
    seller_fees: int
    returned: int
    lines: int
    lines_returned: int
    payout: PayoutFacts | None = None
    is_claimed: bool = False

    @property
    def net(self) -> int:
        """What the seller is to get."""
        return self.base - self.commission - self.seller_fees


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderFacts:
    """An order as it was agreed, and what the ledger holds under it.

    ``fees`` are the rules that it was charged by; ``captures`` are the lines of its payment journals; ``moves`` adds up
    its journals by (kind, account).
    """

    id: OrderId
    reference: str
    currency: str
    is_paid: bool
    base: int
    commission: int
    processing: int
    shipping: int
    fees: tuple[AppliedFee, ...]
    sales: tuple[SaleFacts, ...]
    captures: tuple[tuple[Line, ...], ...]
    moves: Mapping[tuple[str, str], int]
    chargebacks: tuple[ChargebackFacts, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundFacts:
    """``earlier_provider_refund_ids`` failed and were tried again. ``is_settled``: it failed, and was paid else."""

    id: RefundId
    order_id: OrderId
    amount: Money
    has_failed: bool
    provider_refund_id: str | None
    earlier_provider_refund_ids: tuple[str, ...] = ()
    is_settled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundJournal:
    """``amount`` is what the journal moves on the account of refunds that are owed, without its sign."""

    kind: JournalKind
    source_key: str
    order_id: OrderId | None
    amount: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class StockFacts:
    """``reserved`` adds up the claims that count, those of carts and of unpaid orders."""

    listing_id: ListingId
    stock: int
    claimed: int
    reserved: int


class AuditFacts(Protocol):
    """Everything that the books are checked against, as it stood at one instant. Nothing is kept in memory at once."""

    def broken_journals(self) -> Iterator[BrokenJournal]:
        """Every journal that does not add up, or is not as long as it was posted."""
        ...

    def stray_journals(self) -> Iterator[tuple[str, OrderId]]:
        """Source keys of journals that name an order which does not exist, and that order."""
        ...

    def balances(self) -> Sequence[AccountBalance]:
        """As ``LedgerQueries.balances``."""
        ...

    def orders(self) -> Iterator[OrderFacts]:
        """Every order, by id."""
        ...

    def refunds(self) -> Iterator[RefundFacts]:
        """Every refund, by id."""
        ...

    def refund_journals(self) -> Iterator[RefundJournal]:
        """Every journal of the three kinds that a refund makes, in the order of posting."""
        ...

    def debts(self) -> Iterator[DebtFacts]:
        """By seller and currency, of whoever ever owed anything."""
        ...

    def listings(self) -> Iterator[StockFacts]:
        """Every listing, by id."""
        ...


class LedgerAudit(Protocol):
    def snapshot(self) -> AbstractContextManager[AuditFacts]:
        """The facts as of now, unmoved by what is written while they are read."""
        ...
