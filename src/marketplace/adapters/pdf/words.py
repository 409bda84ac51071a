"""What stands on the pages besides what is on a document: English and French. Other languages read English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from marketplace.domain.documents import DocumentKind, LineKind, Mention
from marketplace.domain.shared.money import Money
from marketplace.domain.statements import EntryKind, Month

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
_BLANK = "\u00a0"
_THOUSANDS = re.compile(r"(?<=\d)(?=(?:\d{3})+$)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """One language. ``labels`` by a short name; ``%(...)s`` in a text is filled in."""

    is_french: bool
    months: tuple[str, ...]
    kinds: Mapping[DocumentKind, str]
    lines: Mapping[LineKind, str]
    mentions: Mapping[Mention, str]
    causes: Mapping[str, str]
    entries: Mapping[EntryKind, str]
    standings: Mapping[str, str]
    labels: Mapping[str, str]

    def money(self, amount: int, currency: str) -> str:
        """``€1,234.50``, ``1 234,50 €`` with blanks at which no line breaks."""
        whole, _, decimals = Money(abs(amount), currency).decimal.partition(".")
        sign = "-" if amount < 0 else ""
        symbol = _SYMBOLS.get(currency)
        if self.is_french:
            number = _THOUSANDS.sub(_BLANK, whole) + (f",{decimals}" if decimals else "")
            return f"{sign}{number}{_BLANK}{symbol or currency}"
        number = _THOUSANDS.sub(",", whole) + (f".{decimals}" if decimals else "")
        return f"{sign}{symbol}{number}" if symbol else f"{sign}{number}{_BLANK}{currency}"

    def day(self, at: datetime) -> str:
        """The date in UTC."""
        utc = at.astimezone(UTC)
        number = "1er" if self.is_french and utc.day == 1 else str(utc.day)
        return f"{number} {self.months[utc.month - 1]} {utc.year}"

    def month(self, month: Month) -> str:
        return f"{self.months[month.number - 1]} {month.year}"

    def percent(self, rate: Decimal) -> str:
        """``20%``, ``5,5 %``."""
        number = f"{(rate * 100).normalize():f}"
        return f"{number.replace('.', ',')}{_BLANK}%" if self.is_french else f"{number}%"

    def line(self, kind: LineKind, text: str, detail: str) -> tuple[str, str]:
        """Title and small print of a line."""
        if self.is_french and detail.endswith("%"):
            detail = f"{detail[:-1].replace('.', ',')}{_BLANK}%"
        return text or self.lines[kind], detail


ENGLISH = Words(
    is_french=False,
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    kinds={
        DocumentKind.ORDER_INVOICE: "Invoice",
        DocumentKind.CREDIT_NOTE: "Credit note",
        DocumentKind.FEE_INVOICE: "Fee invoice",
        DocumentKind.FEE_CREDIT_NOTE: "Fee credit note",
    },
    lines={
        LineKind.ITEM: "Item",
        LineKind.AMOUNT: "Amount given back",
        LineKind.COMMISSION: "Commission",
        LineKind.PROCESSING: "Payment processing",
        LineKind.SHIPPING: "Shipping",
        LineKind.SELLER_FEES: "Seller fees",
        LineKind.COMMISSION_BACK: "Commission given back before",
        LineKind.SELLER_FEES_BACK: "Seller fees given back before",
    },
    mentions={
        Mention.PAID: "Paid in full.",
        Mention.SOLD_BY_SELLERS: (
            "The items are sold by the sellers named above, each answerable for their own taxes; the marketplace "
            "collects the price on their behalf. Shipping is passed on to carriers."
        ),
        Mention.VAT_INCLUDED: "VAT is included in the marketplace's own fees.",
        Mention.NO_VAT: "No VAT is included.",
        Mention.KEPT_FROM_PAYOUT: "Kept from what the buyer paid; nothing remains to be paid.",
        Mention.WILL_BE_PAID_BACK: "This amount is paid back the way it was paid.",
        Mention.CREDITED_TO_PAYOUT: "This amount is set off against what was taken back for the returned items.",
    },
    causes={
        "not_shipped": "Not supplied",
        "platform": "Goodwill of the marketplace",
        "seller": "Return",
        "buyer": "Return by the buyer",
    },
    entries={
        EntryKind.SALE: "Sale",
        EntryKind.COMMISSION: "Commission",
        EntryKind.SELLER_FEES: "Seller fees",
        EntryKind.REFUND: "Refund to the buyer",
        EntryKind.COMMISSION_BACK: "Commission given back",
        EntryKind.SELLER_FEES_BACK: "Seller fees given back",
        EntryKind.CHARGEBACK: "Lost to a chargeback",
        EntryKind.PAYOUT: "Paid to your account",
        EntryKind.RECOVERY: "Taken back from your account",
        EntryKind.KEPT_FROM_PAYOUT: "Kept from a payout",
        EntryKind.DEBT_PAID: "Debt paid by it",
        EntryKind.WRITTEN_OFF: "Debt written off",
        EntryKind.OTHER: "Correction",
    },
    standings={
        "pending": "Paid by buyers, sales not complete",
        "on_hold": "Kept back",
        "payable": "To be paid to you",
        "receivable": "Owed by you",
    },
    labels={
        "vat_number": "VAT",
        "registration": "SIRET",
        "number": "Number",
        "issued": "Issued on",
        "supplied": "Date of supply",
        "order": "Order",
        "sale": "Sale",
        "refers_to": "Refers to",
        "reason": "Reason",
        "billed_to": "Billed to",
        "description": "Description",
        "quantity": "Qty",
        "unit_price": "Unit price",
        "amount": "Amount",
        "fees": "Fees of the marketplace",
        "total": "Total",
        "total_back": "Total given back",
        "vat_rate": "VAT rate",
        "net": "Fees without VAT",
        "vat": "VAT",
        "gross": "Fees with VAT",
        "page": "Page %(page)s of %(pages)s",
        "statement": "Statement",
        "seller": "Seller",
        "period": "Period",
        "not_final": "The month is not over: this is how it stands on %(day)s.",
        "date": "Date",
        "entry": "Entry",
        "reference": "Reference",
        "balance": "Balance",
        "opening": "Opening balance",
        "closing": "Closing balance",
        "standing": "Where the closing balance stands",
        "sums": "The month in short",
        "nothing": "Nothing has moved in this month.",
    },
)

FRENCH = Words(
    is_french=True,
    months=(
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
    kinds={
        DocumentKind.ORDER_INVOICE: "Facture",
        DocumentKind.CREDIT_NOTE: "Avoir",
        DocumentKind.FEE_INVOICE: "Facture de frais",
        DocumentKind.FEE_CREDIT_NOTE: "Avoir sur frais",
    },
    lines={
        LineKind.ITEM: "Article",
        LineKind.AMOUNT: "Montant remboursé",
        LineKind.COMMISSION: "Commission",
        LineKind.PROCESSING: "Traitement du paiement",
        LineKind.SHIPPING: "Livraison",
        LineKind.SELLER_FEES: "Frais de vente",
        LineKind.COMMISSION_BACK: "Commission déjà rendue",
        LineKind.SELLER_FEES_BACK: "Frais de vente déjà rendus",
    },
    mentions={
        Mention.PAID: "Facture acquittée.",
        Mention.SOLD_BY_SELLERS: (
            "Les articles sont vendus par les vendeurs nommés ci-dessus, chacun responsable de ses propres taxes ; la "
            "place de marché en encaisse le prix pour leur compte. La livraison est reversée aux transporteurs."
        ),
        Mention.VAT_INCLUDED: "La TVA est comprise dans les frais de la place de marché.",
        Mention.NO_VAT: "Aucune TVA n'est comprise.",
        Mention.KEPT_FROM_PAYOUT: "Retenu sur le paiement de l'acheteur ; il ne reste rien à payer.",
        Mention.WILL_BE_PAID_BACK: "Ce montant est remboursé par le moyen de paiement utilisé.",
        Mention.CREDITED_TO_PAYOUT: "Ce montant est déduit de la reprise liée aux articles retournés.",
    },
    causes={
        "not_shipped": "Non livré",
        "platform": "Geste de la place de marché",
        "seller": "Retour",
        "buyer": "Retour de l'acheteur",
    },
    entries={
        EntryKind.SALE: "Vente",
        EntryKind.COMMISSION: "Commission",
        EntryKind.SELLER_FEES: "Frais de vente",
        EntryKind.REFUND: "Remboursement à l'acheteur",
        EntryKind.COMMISSION_BACK: "Commission rendue",
        EntryKind.SELLER_FEES_BACK: "Frais de vente rendus",
        EntryKind.CHARGEBACK: "Perdu par un impayé bancaire",
        EntryKind.PAYOUT: "Versé sur votre compte",
        EntryKind.RECOVERY: "Repris sur votre compte",
        EntryKind.KEPT_FROM_PAYOUT: "Retenu sur un versement",
        EntryKind.DEBT_PAID: "Dette ainsi réglée",
        EntryKind.WRITTEN_OFF: "Dette abandonnée",
        EntryKind.OTHER: "Correction",
    },
    standings={
        "pending": "Payé par les acheteurs, ventes en cours",
        "on_hold": "Retenu",
        "payable": "À vous verser",
        "receivable": "Dû par vous",
    },
    labels={
        "vat_number": "TVA",
        "registration": "SIRET",
        "number": "Numéro",
        "issued": "Date d'émission",
        "supplied": "Date de l'opération",
        "order": "Commande",
        "sale": "Vente",
        "refers_to": "Se rapporte à",
        "reason": "Motif",
        "billed_to": "Facturé à",
        "description": "Désignation",
        "quantity": "Qté",
        "unit_price": "Prix unitaire",
        "amount": "Montant",
        "fees": "Frais de la place de marché",
        "total": "Total",
        "total_back": "Total rendu",
        "vat_rate": "Taux de TVA",
        "net": "Frais hors TVA",
        "vat": "TVA",
        "gross": "Frais TVA comprise",
        "page": "Page %(page)s sur %(pages)s",
        "statement": "Relevé",
        "seller": "Vendeur",
        "period": "Période",
        "not_final": "Le mois n'est pas terminé : voici où il en est le %(day)s.",
        "date": "Date",
        "entry": "Opération",
        "reference": "Référence",
        "balance": "Solde",
        "opening": "Solde initial",
        "closing": "Solde final",
        "standing": "Où se trouve le solde final",
        "sums": "Le mois en bref",
        "nothing": "Aucun mouvement ce mois-ci.",
    },
)


def words_of(language: str) -> Words:
    """English unless it is French."""
    return FRENCH if language == "fr" else ENGLISH
