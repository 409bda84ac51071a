"""Documents: invoices and credit notes, frozen when they are issued, numbered without a gap.

    order invoice     what a buyer paid for one order            INV-2026-000001
    credit note       what goes back to a buyer by one refund    CRN-2026-000001
    fee invoice       what the marketplace charged a seller      FEE-2026-000001
    fee credit note   fees that a seller gets back               FCR-2026-000001

VAT is that in the marketplace's own fees, which include it: ``vat = half_up(gross x r / (1 + r))``. The cards are sold
by their sellers, whose taxes are theirs; shipping is passed on to carriers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import AccountId, DocumentId, OrderId
from marketplace.domain.shared.money import Money, half_up

LAYOUT = "1"
"""How the pages of what is issued now are drawn; a renderer goes on drawing the earlier ones as they were."""


class DocumentKind(StrEnum):
    ORDER_INVOICE = "order_invoice"
    CREDIT_NOTE = "credit_note"
    FEE_INVOICE = "fee_invoice"
    FEE_CREDIT_NOTE = "fee_credit_note"

    @property
    def series(self) -> str:
        """What its numbers begin with; each series is numbered by itself."""
        return _SERIES[self]

    @property
    def is_credit(self) -> bool:
        """Whether it takes back what an invoice asked."""
        return self in (DocumentKind.CREDIT_NOTE, DocumentKind.FEE_CREDIT_NOTE)


_SERIES = {
    DocumentKind.ORDER_INVOICE: "INV",
    DocumentKind.CREDIT_NOTE: "CRN",
    DocumentKind.FEE_INVOICE: "FEE",
    DocumentKind.FEE_CREDIT_NOTE: "FCR",
}


class LineKind(StrEnum):
    """What a line is about; everything but an item and its return has words of its own in each language."""

    ITEM = "item"
    AMOUNT = "amount"
    COMMISSION = "commission"
    PROCESSING = "processing"
    SHIPPING = "shipping"
    SELLER_FEES = "seller_fees"
    COMMISSION_BACK = "commission_back"
    SELLER_FEES_BACK = "seller_fees_back"


class Mention(StrEnum):
    """What has to be said on a document beside its amounts."""

    SOLD_BY_SELLERS = "sold_by_sellers"
    PAID = "paid"
    VAT_INCLUDED = "vat_included"
    NO_VAT = "no_vat"
    KEPT_FROM_PAYOUT = "kept_from_payout"
    WILL_BE_PAID_BACK = "will_be_paid_back"
    CREDITED_TO_PAYOUT = "credited_to_payout"


class AlreadyIssued(Conflict):
    """There is a document of this fact: somebody else was faster."""

    code = "document_already_issued"


class InvoiceNotReady(Conflict):
    """It is issued soon after the payment has come."""

    code = "invoice_not_ready"


@dataclass(frozen=True, kw_only=True, slots=True)
class Party:
    """Who issues a document, or whom it is for. ``address`` is as it stands on letters, a line each."""

    name: str
    address: tuple[str, ...] = ()
    vat_number: str = ""
    registration: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Issuer:
    """The marketplace as it stands on its documents. ``vat_rate`` is a fraction, 0 for none."""

    party: Party
    vat_rate: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentLine:
    """``text`` is a title as it was sold, empty where the kind says it all. Minor units, negative for what is less."""

    kind: LineKind
    amount: int
    text: str = ""
    detail: str = ""
    quantity: int = 1
    unit_price: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LineGroup:
    """What one seller sold, or an empty ``title`` for what the marketplace charges."""

    title: str
    lines: tuple[DocumentLine, ...]
    reference: str = ""

    @property
    def total(self) -> int:
        """In minor units."""
        return sum(line.amount for line in self.lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Vat:
    """The VAT in the fees of a document, in minor units: ``gross`` includes it. ``rate`` is a fraction."""

    rate: Decimal
    gross: int
    amount: int

    @property
    def net(self) -> int:
        """The fees without it."""
        return self.gross - self.amount


def vat_within(gross: int, rate: Decimal) -> int:
    """The VAT that ``gross`` minor units include: half up, once. Raises Invalid for less than nothing."""
    if rate < 0:
        raise Invalid(f"{rate} is no rate of VAT; it is a fraction from 0 to 1.")
    part, whole = rate.as_integer_ratio()
    return half_up(gross * part, whole + part)


def vat_of(gross: int, rate: Decimal) -> Vat:
    """The VAT in the fees of an invoice."""
    return Vat(rate=rate, gross=gross, amount=vat_within(gross, rate))


def vat_given_back(before: int, gross: int, rate: Decimal) -> Vat:
    """The VAT in fees that go back, after ``before`` minor units of them did.

    The difference of what all of them include and what those before included, so that a return of everything, in
    however many parts, gives back exactly the VAT of the invoice.
    """
    return Vat(rate=rate, gross=gross, amount=vat_within(before + gross, rate) - vat_within(before, rate))


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentContent:
    """All that stands on it. Nothing here is ever looked up again: what it says is what it said when it was issued.

    ``refers_to`` is the number of the invoice that a credit note is about. ``supplied_at`` is when what it is for
    happened: the payment, the end of the sale, the return. ``reason`` is the cause of a return, a word of
    ``RefundCause``. ``layout`` says how its pages are drawn, for ever.
    """

    issuer: Party
    recipient: Party
    language: str
    currency: str
    order_reference: str
    supplied_at: datetime
    groups: tuple[LineGroup, ...]
    vat: Vat
    mentions: tuple[Mention, ...]
    refers_to: str = ""
    reason: str = ""
    layout: str = LAYOUT

    @property
    def total(self) -> Money:
        """What it comes to."""
        return Money(sum(group.total for group in self.groups), self.currency)


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftDocument:
    """A document before it has a number. ``fact`` names what it is about: there is one document for each fact.

    ``account_id`` is its recipient. ``invoice_id`` is the invoice that a credit note refers to.
    """

    id: DocumentId
    kind: DocumentKind
    fact: str
    account_id: AccountId
    order_id: OrderId
    content: DocumentContent
    invoice_id: DocumentId | None = None

    def __post_init__(self) -> None:
        if self.kind.is_credit != (self.invoice_id is not None):
            raise Invalid(f"{self.kind} of {self.fact}: a credit note refers to an invoice, and nothing else does.")
        if self.content.total.amount <= 0:
            raise Invalid(
                f"{self.kind} of {self.fact}: it comes to {self.content.total}; there is nothing to document."
            )

    def issue(self, sequence: int, *, at: datetime) -> Document:
        """With the next number of its series and year."""
        return Document(
            id=self.id,
            kind=self.kind,
            number=number_of(self.kind, at.year, sequence),
            fact=self.fact,
            account_id=self.account_id,
            order_id=self.order_id,
            invoice_id=self.invoice_id,
            issued_at=at,
            content=self.content,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """Issued: never changed and never deleted."""

    id: DocumentId
    kind: DocumentKind
    number: str
    fact: str
    account_id: AccountId
    order_id: OrderId
    issued_at: datetime
    content: DocumentContent
    invoice_id: DocumentId | None = None

    @property
    def total(self) -> Money:
        """What it comes to."""
        return self.content.total

    @property
    def media_key(self) -> str:
        """Where its file is kept."""
        return f"documents/{self.issued_at.year}/{self.number}.pdf"


def number_of(kind: DocumentKind, year: int, sequence: int) -> str:
    """``INV-2026-000001``; ``sequence`` counts from 1 in each series and year."""
    return f"{kind.series}-{year}-{sequence:06d}"


def without_empty(groups: Sequence[LineGroup]) -> tuple[LineGroup, ...]:
    """The groups that have lines."""
    return tuple(group for group in groups if group.lines)
