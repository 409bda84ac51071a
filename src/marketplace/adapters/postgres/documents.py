"""Documents in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from marketplace.adapters.postgres.document_rows import content_json, content_of
from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.tables.documents import documents
from marketplace.application.ports.documents import DocumentQueries, DocumentRepository
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.documents import AlreadyIssued, Document, DocumentKind, DraftDocument, number_of
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, DocumentId, OrderId

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

_document = documents.c
# One statement that counts and keeps the counter locked; nothing is counted when the unit is undone.
_NEXT = sa.text(
    """
    insert into document_counters as c (kind, year, last, last_at) values (:kind, :year, 1, :now)
    on conflict (kind, year) do update set last = c.last + 1, last_at = greatest(c.last_at, excluded.last_at)
    returning last, last_at
    """
)
_MISSING = sa.text(
    """
    select c.kind, c.year, wanted.sequence
    from document_counters c, generate_series(1, c.last) as wanted (sequence)
    where not exists (
        select from documents d where d.kind = c.kind and d.year = c.year and d.sequence = wanted.sequence
    )
    order by c.kind, c.year, wanted.sequence
    limit 100
    """
)


class PostgresDocuments(DocumentRepository):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow
        uow.constraints["one_document_a_fact"] = (AlreadyIssued, "There is a document of this already.")

    def find(self, fact: str) -> Document | None:
        row = self._uow.execute(sa.select(documents).where(_document.fact == fact)).first()
        return None if row is None else _view(row)

    def issue(self, draft: DraftDocument, *, now: datetime) -> Document:
        counted = self._uow.execute(_NEXT, {"kind": draft.kind.value, "year": now.year, "now": now}).one()
        document = draft.issue(counted.last, at=counted.last_at)
        self._uow.execute(
            sa.insert(documents),
            {
                "id": document.id,
                "kind": document.kind.value,
                "year": now.year,
                "sequence": counted.last,
                "number": document.number,
                "fact": document.fact,
                "account_id": document.account_id,
                "order_id": document.order_id,
                "invoice_id": document.invoice_id,
                "issued_at": document.issued_at,
                "content": content_json(document.content),
            },
        )
        return document


class PostgresDocumentQueries(DocumentQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def document(self, id: DocumentId) -> Document:
        found = self._first(_document.id == id)
        if found is None:
            raise NotFound(f"There is no document {id}.")
        return found

    def numbered(self, number: str) -> Document:
        found = self._first(_document.number == number.upper())
        if found is None:
            raise NotFound(f"There is no document {number[:40]}.")
        return found

    def invoice_of(self, order_id: OrderId) -> Document | None:
        return self._first(_document.order_id == order_id, _document.kind == DocumentKind.ORDER_INVOICE.value)

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
        wanted = sa.select(documents)
        if account_id is not None:
            wanted = wanted.where(_document.account_id == account_id)
        if order_id is not None:
            wanted = wanted.where(_document.order_id == order_id)
        if kinds:
            wanted = wanted.where(_document.kind.in_([kind.value for kind in kinds]))
        if since is not None:
            wanted = wanted.where(_document.issued_at >= since)
        if until is not None:
            wanted = wanted.where(_document.issued_at < until)
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection,
                wanted,
                keys=[_document.issued_at, _document.id],
                descending=True,
                request=request,
                view=_view,
            )

    def missing_numbers(self) -> Sequence[str]:
        with translated({}), self._engine.connect() as connection:
            return [number_of(DocumentKind(row.kind), row.year, row.sequence) for row in connection.execute(_MISSING)]

    def _first(self, *wanted: sa.ColumnElement[bool]) -> Document | None:
        with translated({}), self._engine.connect() as connection:
            row = connection.execute(sa.select(documents).where(*wanted)).first()
        return None if row is None else _view(row)


def _view(row: Any) -> Document:
    return Document(
        id=DocumentId(row.id),
        kind=DocumentKind(row.kind),
        number=row.number,
        fact=row.fact,
        account_id=AccountId(row.account_id),
        order_id=OrderId(row.order_id),
        invoice_id=None if row.invoice_id is None else DocumentId(row.invoice_id),
        issued_at=row.issued_at,
        content=content_of(row.content),
    )
