"""Issuing documents: one for each fact, as the facts are told by the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from marketplace.application.documents import drafting
from marketplace.application.documents.drafting import SaleFees
from marketplace.application.documents.files import DocumentFiles
from marketplace.application.documents.parties import Sellers
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.documents import AlreadyIssued, Document, DraftDocument, Issuer
from marketplace.domain.orders.events import OrderPaid, SaleCompleted
from marketplace.domain.orders.order import Order
from marketplace.domain.orders.sale import Sale
from marketplace.domain.payments.refund import Refund, RefundDecided
from marketplace.domain.payouts import Payout
from marketplace.domain.shared.ids import AccountId, DocumentId, OrderId, RefundId, SaleId

Addresses = Mapping[AccountId, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueDocuments:
    """Issue what a fact asks for: the buyer's invoice, credit notes, the seller's invoice of fees.

    Whatever order the facts are told in, the documents say the same: what went back before a sale's payout fell due
    is deducted on its invoice of fees, what goes back later has a credit note. Counters are locked in one order:
    invoice, credit note, fee invoice, fee credit note.
    """

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence
    issuer: Issuer
    sellers: Sellers
    files: DocumentFiles

    def __call__(self, fact: OrderPaid | SaleCompleted | RefundDecided) -> Sequence[Document]:
        """The documents of a fact, those included that there are already.

        Raises Unavailable when their files cannot be kept: they are issued all the same, and doing it again keeps
        the files.
        """
        return self.of_order(
            OrderId(fact.order_id),
            refund_id=RefundId(fact.refund_id) if isinstance(fact, RefundDecided) else None,
            sale_id=SaleId(fact.sale_id) if isinstance(fact, SaleCompleted) else None,
        )

    def everything_of(self, order_id: OrderId) -> Sequence[Document]:
        """Whatever is missing of an order, paid before there were documents perhaps. Raises NotFound."""
        with self.unit_of_work() as uow:
            order = uow.orders.get(order_id)
            refunds = uow.refunds.of_order(order_id)
        if order.paid_at is None:
            return []
        issued = [*self.of_order(order_id)]
        for refund in refunds:
            issued += self.of_order(order_id, refund_id=refund.id)
        for sale in order.sales:
            issued += self.of_order(order_id, sale_id=sale.id)
        return sorted({document.id: document for document in issued}.values(), key=lambda each: each.id)

    def of_order(
        self, order_id: OrderId, *, refund_id: RefundId | None = None, sale_id: SaleId | None = None
    ) -> Sequence[Document]:
        """The buyer's invoice with the credit notes of a refund, or the invoice of fees of a sale that completed."""
        try:
            issued = self._issued(order_id, refund_id, sale_id)
        except AlreadyIssued:
            issued = self._issued(order_id, refund_id, sale_id)  # another worker was faster: theirs are there now
        for document in issued:
            self.files.keep(document)
        return issued

    def _issued(self, order_id: OrderId, refund_id: RefundId | None, sale_id: SaleId | None) -> list[Document]:
        addresses = self._addresses(order_id)
        with self.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            work = _Issuing(by=self, uow=uow, order=order, addresses=addresses)
            issued = [work.invoice()] if sale_id is None else work.fees_of([order.sale(sale_id)])
            if refund_id is not None:
                issued += work.credits_of(refund_id)
            uow.commit()
        return issued

    def _addresses(self, order_id: OrderId) -> Addresses:
        with self.unit_of_work() as uow:
            sellers = [sale.seller_id for sale in uow.orders.get(order_id).sales]
        return {seller: self.sellers.address(seller) for seller in sellers}


@dataclass(kw_only=True, slots=True)
class _Issuing:
    """One unit of work, with the order locked."""

    by: IssueDocuments
    uow: UnitOfWork
    order: Order
    addresses: Addresses

    def invoice(self) -> Document:
        found = self.uow.documents.find(drafting.invoice_fact(self.order))
        if found is not None:
            return found
        parties = {
            sale.seller_id: self.by.sellers.party(self.uow, sale.seller_id, self.addresses[sale.seller_id])
            for sale in self.order.sales
        }
        draft = drafting.order_invoice(
            self._id(),
            self.order,
            issuer=self.by.issuer,
            buyer=self.uow.accounts.get(self.order.buyer_id),
            sellers=parties,
        )
        return self._issue(draft)

    def credits_of(self, refund_id: RefundId) -> list[Document]:
        """The buyer's credit note, and those of the sellers who were charged fees by then."""
        refunds = sorted(self.uow.refunds.of_order(self.order.id), key=lambda each: (each.decided_at, each.id))
        position = next(i for i, refund in enumerate(refunds) if refund.id == refund_id)
        refund, earlier = refunds[position], refunds[:position]
        issued = [self._credit_note(refund, earlier)]
        charged = [
            payout
            for payout in self.uow.payouts.of_order_for_update(self.order.id)
            if payout.due_at is not None
            and payout.due_at <= refund.decided_at
            and drafting.fees_of([refund], payout.sale_id).total
        ]
        # All invoices before the first credit note: counters are locked in one order.
        found = [(payout, self._fee_invoice(self.order.sale(payout.sale_id), payout)) for payout in charged]
        invoices = [(payout, invoice) for payout, invoice in found if invoice is not None]
        for payout, invoice in invoices:
            since_due = [each for each in earlier if _comes_after(each, payout)]
            issued.append(self._fee_credit_note(refund, since_due, payout, invoice))
        return [*(invoice for _, invoice in invoices), *issued]

    def fees_of(self, sales: Sequence[Sale]) -> list[Document]:
        payouts = {payout.sale_id: payout for payout in self.uow.payouts.of_order_for_update(self.order.id)}
        issued = [self._fee_invoice(sale, payouts[sale.id]) for sale in sales if sale.id in payouts]
        return [document for document in issued if document is not None]

    def _credit_note(self, refund: Refund, earlier: Sequence[Refund]) -> Document:
        found = self.uow.documents.find(drafting.credit_fact(refund))
        if found is not None:
            return found
        return self._issue(drafting.credit_note(self._id(), self.order, refund, earlier, self.invoice()))

    def _fee_invoice(self, sale: Sale, payout: Payout) -> Document | None:
        """None when the payout is not due, or when all fees went back before it was."""
        found = self.uow.documents.find(drafting.fees_fact(sale.id))
        if found is not None or payout.due_at is None:
            return found
        refunds = self.uow.refunds.of_order(self.order.id)
        before = drafting.fees_of([each for each in refunds if not _comes_after(each, payout)], sale.id)
        if SaleFees(commission=sale.commission, seller_fees=sale.seller_fees).total == before.total:
            return None
        draft = drafting.fee_invoice(
            self._id(),
            self.order,
            sale,
            issuer=self.by.issuer,
            seller=self.by.sellers.party(self.uow, sale.seller_id, self.addresses[sale.seller_id]),
            given_back=before,
            due_at=payout.due_at,
        )
        return self._issue(draft)

    def _fee_credit_note(
        self, refund: Refund, earlier: Sequence[Refund], payout: Payout, invoice: Document
    ) -> Document:
        sale = self.order.sale(payout.sale_id)
        found = self.uow.documents.find(drafting.fees_back_fact(refund, sale.id))
        if found is not None:
            return found
        draft = drafting.fee_credit_note(
            self._id(),
            refund,
            sale,
            invoice,
            before=drafting.fees_of(earlier, sale.id),
            given_back=drafting.fees_of([refund], sale.id),
        )
        return self._issue(draft)

    def _issue(self, draft: DraftDocument) -> Document:
        return self.uow.documents.issue(draft, now=self.by.clock.now())

    def _id(self) -> DocumentId:
        return DocumentId(self.by.ids.next())


def _comes_after(refund: Refund, payout: Payout) -> bool:
    """Whether it was decided once the payout was due: before that, its fees are deducted on the invoice."""
    return payout.due_at is not None and payout.due_at <= refund.decided_at
