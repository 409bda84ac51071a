"""Reading documents: each by whom it is for, and by admins, which is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.access import Actor, acts_on_anothers, require_own, require_self
from marketplace.application.documents.files import DocumentFiles
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.documents import DocumentQueries
from marketplace.application.ports.orders import OrderQueries
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.documents import Document, DocumentKind, InvoiceNotReady
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, DocumentId, OrderId

BUYERS = (DocumentKind.ORDER_INVOICE, DocumentKind.CREDIT_NOTE)
SELLERS = (DocumentKind.FEE_INVOICE, DocumentKind.FEE_CREDIT_NOTE)


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentFile:
    """A document and the bytes of its pages."""

    document: Document
    content: bytes

    @property
    def name(self) -> str:
        return f"{self.document.number}.pdf"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadDocuments:
    """Everything here raises NotFound for what is somebody else's, and Unavailable when the storage is silent."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    queries: DocumentQueries
    orders: OrderQueries
    files: DocumentFiles

    def invoice(self, *, actor: Actor, order_id: OrderId) -> DocumentFile:
        """The invoice of an order, for its buyer and admins. Raises InvoiceNotReady until it is issued."""
        self._require_order(actor, order_id)
        found = self.queries.invoice_of(order_id)
        if found is None:
            raise InvoiceNotReady(
                f"The invoice of order {order_id} is not issued: that happens soon after its payment. Try again then."
            )
        return self._opened(actor, found)

    def of_order(self, request: PageRequest, *, actor: Actor, order_id: OrderId) -> Page[Document]:
        """The buyer's invoice of an order and its credit notes, the last issued first."""
        self._require_order(actor, order_id)
        return self.queries.documents(request, order_id=order_id, kinds=BUYERS)

    def one_of_order(self, *, actor: Actor, order_id: OrderId, document_id: DocumentId) -> DocumentFile:
        """One of them."""
        self._require_order(actor, order_id)
        found = self.queries.document(document_id)
        if found.order_id != order_id or found.kind not in BUYERS:
            raise NotFound(f"Order {order_id} has no document {document_id}.")
        return self._opened(actor, found)

    def one_of_seller(self, *, actor: Actor, document_id: DocumentId) -> DocumentFile:
        """An invoice of fees, or fees that go back, for its seller alone."""
        found = self.queries.document(document_id)
        require_self(actor, found.account_id, f"document {document_id}")
        if found.kind not in SELLERS:
            raise NotFound(f"There is no document {document_id}.")
        return self._opened(actor, found)

    def one(self, *, actor: Actor, document: Document) -> DocumentFile:
        """Any document, for admins; to anybody else it does not exist."""
        require_own(actor, AccountId(0), f"document {document.id}")
        return self._opened(actor, document)

    def _require_order(self, actor: Actor, order_id: OrderId) -> None:
        require_own(actor, AccountId(self.orders.order(order_id).buyer_id), f"order {order_id}")

    def _opened(self, actor: Actor, document: Document) -> DocumentFile:
        content = self.files.read(document)
        if acts_on_anothers(actor, document.account_id):
            with self.unit_of_work() as uow:
                uow.audit.add(actor.did("document.read", "document", document.number, now=self.clock.now()))
                uow.commit()
        return DocumentFile(document=document, content=content)
