"""Documents: what the use cases need of a store, and of whatever draws pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.documents import Document, DocumentKind, DraftDocument
from marketplace.domain.shared.ids import AccountId, DocumentId, OrderId
from marketplace.domain.statements import Statement


class DocumentRepository(Protocol):
    """Append-only: nothing that was issued is ever changed or taken out."""

    def find(self, fact: str) -> Document | None:
        """The document of a fact."""
        ...

    def issue(self, draft: DraftDocument, *, now: datetime) -> Document:
        """Give it the next number of its series and year, and keep it.

        The counter is locked until the unit ends, so that a unit that is undone leaves no gap; dates never go back
        within a series. Raises AlreadyIssued when there is a document of that fact, at the latest on commit.
        """
        ...


class DocumentQueries(Protocol):
    """Reads, one statement each (a page: a second one for its count)."""

    def document(self, id: DocumentId) -> Document:
        """Anybody's: the caller asks ``access``. Raises NotFound."""
        ...

    def numbered(self, number: str) -> Document:
        """By its number, whatever the case of its letters. Raises NotFound."""
        ...

    def invoice_of(self, order_id: OrderId) -> Document | None:
        """The buyer's invoice of an order; None until it is issued."""
        ...

    def documents(
        self,
        request: PageRequest,
        *,
        account_id: AccountId | None = None,
        order_id: OrderId | None = None,
        kinds: Collection[DocumentKind] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Page[Document]:
        """The last issued first; issued from ``since`` on and before ``until``."""
        ...

    def missing_numbers(self) -> Sequence[str]:
        """Numbers below the last one of their series and year that no document has; at most a hundred."""
        ...


class PageRenderer(Protocol):
    """Draws documents and statements as PDF: the same bytes for the same content, whenever and wherever."""

    def document(self, document: Document) -> bytes:
        """An invoice or a credit note, in its own language and layout. Raises Invalid for a layout it does not know."""
        ...

    def statement(self, statement: Statement) -> bytes:
        """A seller's month, in the seller's language. Raises StatementTooLong for more than is printed."""
        ...
