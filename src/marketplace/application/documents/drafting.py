"""What stands on a document: put together from an order, its refunds and who is named, never looked up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.application.documents.parties import SellerParty, buyer_party
from marketplace.domain.documents import (
    Document,
    DocumentContent,
    DocumentKind,
    DocumentLine,
    DraftDocument,
    Issuer,
    LineGroup,
    LineKind,
    Mention,
    vat_given_back,
    vat_of,
    without_empty,
)
from marketplace.domain.fees import AppliedFee, FeeComponent, FeePayer
from marketplace.domain.identity.accounts import Account
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.sale import Sale, SaleLine
from marketplace.domain.payments.refund import Refund, RefundPart
from marketplace.domain.shared.ids import AccountId, DocumentId, SaleId


def invoice_fact(order: Order) -> str:
    """Names the buyer's invoice."""
    return f"order:{order.id}"


def credit_fact(refund: Refund) -> str:
    """Names the buyer's credit note."""
    return f"refund:{refund.id}"


def fees_fact(sale_id: SaleId) -> str:
    """Names the seller's invoice."""
    return f"fees:{sale_id}"


def fees_back_fact(refund: Refund, sale_id: SaleId) -> str:
    """Names the seller's credit note."""
    return f"fees_back:{refund.id}:{sale_id}"


def order_invoice(
    id: DocumentId, order: Order, *, issuer: Issuer, buyer: Account, sellers: Mapping[AccountId, SellerParty]
) -> DraftDocument:
    """What the buyer paid: items by seller, then what the marketplace charges. ``order`` is paid."""
    fees = [
        DocumentLine(kind=kind, amount=amount, detail=_rate(order.fees, component))
        for kind, component, amount in (
            (LineKind.COMMISSION, FeeComponent.COMMISSION, order.commission),
            (LineKind.PROCESSING, FeeComponent.PROCESSING, order.processing),
            (LineKind.SHIPPING, FeeComponent.SHIPPING, order.shipping),
        )
        if amount
    ]
    items = [
        LineGroup(
            title=sellers[sale.seller_id].shop_name,
            reference=sale.reference,
            lines=tuple(_item(line, line.quantity) for line in sale.lines),
        )
        for sale in order.sales
    ]
    vat = vat_of(order.commission + order.processing, issuer.vat_rate)
    content = DocumentContent(
        issuer=issuer.party,
        recipient=buyer_party(buyer, order.billing_address or order.shipping_address),
        language=buyer.language,
        currency=order.currency,
        order_reference=order.reference,
        supplied_at=order.paid_at or order.created_at,
        groups=without_empty([*items, LineGroup(title="", lines=tuple(fees))]),
        vat=vat,
        mentions=(Mention.PAID, Mention.SOLD_BY_SELLERS, _vat_mention(vat.amount)),
    )
    return DraftDocument(
        id=id,
        kind=DocumentKind.ORDER_INVOICE,
        fact=invoice_fact(order),
        account_id=order.buyer_id,
        order_id=order.id,
        content=content,
    )


def credit_note(
    id: DocumentId, order: Order, refund: Refund, earlier: Sequence[Refund], invoice: Document
) -> DraftDocument:
    """What goes back to the buyer, with the words and the rate of the invoice. ``earlier``: refunds before this one."""
    named = {group.reference: group.title for group in invoice.content.groups}
    fees = [
        DocumentLine(kind=kind, amount=amount)
        for kind, amount in (
            (LineKind.COMMISSION, sum(part.components.commission for part in refund.parts)),
            (LineKind.PROCESSING, sum(part.components.processing for part in refund.parts)),
            (LineKind.SHIPPING, sum(part.components.shipping for part in refund.parts)),
        )
        if amount
    ]
    groups = [_returned_items(order.sale(part.sale_id), part, named) for part in refund.parts]
    vat = vat_given_back(sum(_own_fees(each) for each in earlier), _own_fees(refund), invoice.content.vat.rate)
    return DraftDocument(
        id=id,
        kind=DocumentKind.CREDIT_NOTE,
        fact=credit_fact(refund),
        account_id=order.buyer_id,
        order_id=order.id,
        invoice_id=invoice.id,
        content=_crediting(
            invoice,
            refund,
            groups=without_empty([*groups, LineGroup(title="", lines=tuple(fees))]),
            vat=vat,
            mentions=(Mention.WILL_BE_PAID_BACK, _vat_mention(vat.amount)),
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleFees:
    """What the marketplace takes of a sale, in minor units."""

    commission: int
    seller_fees: int

    @property
    def total(self) -> int:
        return self.commission + self.seller_fees


def fee_invoice(
    id: DocumentId,
    order: Order,
    sale: Sale,
    *,
    issuer: Issuer,
    seller: SellerParty,
    given_back: SaleFees,
    due_at: datetime,
) -> DraftDocument:
    """What a seller is charged for a sale whose payout fell due; ``given_back`` went back before that."""
    lines = [
        DocumentLine(kind=kind, amount=amount, detail=detail)
        for kind, amount, detail in (
            (LineKind.COMMISSION, sale.commission, _rate(order.fees, FeeComponent.COMMISSION, sale.seller_id)),
            (LineKind.SELLER_FEES, sale.seller_fees, ""),
            (LineKind.COMMISSION_BACK, -given_back.commission, ""),
            (LineKind.SELLER_FEES_BACK, -given_back.seller_fees, ""),
        )
        if amount
    ]
    gross = sale.commission + sale.seller_fees - given_back.total
    vat = vat_of(gross, issuer.vat_rate)
    content = DocumentContent(
        issuer=issuer.party,
        recipient=seller.party,
        language=seller.language,
        currency=order.currency,
        order_reference=sale.reference,
        supplied_at=due_at,
        groups=(LineGroup(title="", lines=tuple(lines), reference=sale.reference),),
        vat=vat,
        mentions=(Mention.KEPT_FROM_PAYOUT, _vat_mention(vat.amount)),
    )
    return DraftDocument(
        id=id,
        kind=DocumentKind.FEE_INVOICE,
        fact=fees_fact(sale.id),
        account_id=sale.seller_id,
        order_id=order.id,
        content=content,
    )


def fee_credit_note(
    id: DocumentId, refund: Refund, sale: Sale, invoice: Document, *, before: SaleFees, given_back: SaleFees
) -> DraftDocument:
    """Fees that a seller gets back by a refund, after ``before`` went back of the same invoice."""
    lines = [
        DocumentLine(kind=kind, amount=amount)
        for kind, amount in (
            (LineKind.COMMISSION, given_back.commission),
            (LineKind.SELLER_FEES, given_back.seller_fees),
        )
        if amount
    ]
    vat = vat_given_back(before.total, given_back.total, invoice.content.vat.rate)
    return DraftDocument(
        id=id,
        kind=DocumentKind.FEE_CREDIT_NOTE,
        fact=fees_back_fact(refund, sale.id),
        account_id=sale.seller_id,
        order_id=invoice.order_id,
        invoice_id=invoice.id,
        content=_crediting(
            invoice,
            refund,
            groups=(LineGroup(title="", lines=tuple(lines), reference=sale.reference),),
            vat=vat,
            mentions=(Mention.CREDITED_TO_PAYOUT, _vat_mention(vat.amount)),
        ),
    )


def fees_of(refunds: Sequence[Refund], sale_id: SaleId) -> SaleFees:
    """What the refunds took back of a sale's fees."""
    parts = [part.components for refund in refunds for part in refund.parts if part.sale_id == sale_id]
    return SaleFees(
        commission=sum(part.seller_commission for part in parts), seller_fees=sum(part.seller_fees for part in parts)
    )


def kind_of_copy(variant: Mapping[str, Any]) -> str:
    """What kind of copy it is: language, print, condition or grade."""
    grade = variant.get("grade")
    words = [
        variant.get("language", {}).get("name"),
        variant.get("version", {}).get("name"),
        f"{grade['grader']} {grade['value']}" if grade else variant.get("condition", {}).get("label"),
    ]
    return ", ".join(word for word in words if word)


def _crediting(invoice: Document, refund: Refund, **differing: Any) -> DocumentContent:
    """Issuer, recipient and language are the invoice's, whoever has moved or left since."""
    of = invoice.content
    return DocumentContent(
        issuer=of.issuer,
        recipient=of.recipient,
        language=of.language,
        currency=of.currency,
        order_reference=of.order_reference,
        supplied_at=refund.decided_at,
        refers_to=invoice.number,
        reason=refund.cause.value,
        **differing,
    )


def _returned_items(sale: Sale, part: RefundPart, named: Mapping[str, str]) -> LineGroup:
    """The pieces that went back; what went back without any piece, or is left of their price, is an amount."""
    lines = [_item(line, part.pieces[line.id]) for line in sale.lines if part.pieces.get(line.id)]
    rest = part.components.items - sum(line.amount for line in lines)
    if rest:
        lines.append(DocumentLine(kind=LineKind.AMOUNT, amount=rest))
    return LineGroup(title=named.get(sale.reference, ""), reference=sale.reference, lines=tuple(lines))


def _item(line: SaleLine, quantity: int) -> DocumentLine:
    return DocumentLine(
        kind=LineKind.ITEM,
        text=line.title,
        detail=kind_of_copy(line.variant),
        quantity=quantity,
        unit_price=line.unit_price.amount,
        amount=(line.unit_price * quantity).amount,
    )


def _own_fees(refund: Refund) -> int:
    """What a refund gives back of the marketplace's fees, in minor units; shipping is none."""
    return sum(part.components.commission + part.components.processing for part in refund.parts)


def _rate(fees: Sequence[AppliedFee], component: FeeComponent, seller_id: AccountId | None = None) -> str:
    """``5%`` where one rule of nothing but a percentage made the fee; empty when it takes more words."""
    payer = FeePayer.SELLER if seller_id is None else FeePayer.BUYER
    applied = [
        fee
        for fee in fees
        if fee.rule.component is component
        and fee.rule.payer is not payer
        and (seller_id is None or any(part.seller_id == seller_id for part in fee.parts))
    ]
    if len(applied) != 1 or applied[0].rule.fixed or applied[0].bound is not None:
        return ""
    return f"{(applied[0].rule.percent * 100).normalize():f}%"


def _vat_mention(vat: int) -> Mention:
    return Mention.VAT_INCLUDED if vat else Mention.NO_VAT
