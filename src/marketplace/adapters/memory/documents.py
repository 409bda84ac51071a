"""Documents in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.documents import DocumentQueries, DocumentRepository
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.documents import AlreadyIssued, Document, DocumentKind, DraftDocument, number_of
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, DocumentId, OrderId

MOST_MISSING = 100


class InMemoryDocuments(InMemoryRepository[Document], DocumentRepository):
    name = "documents"
    noun = "document"

    def find(self, fact: str) -> Document | None:
        return self._first(lambda document: document.fact == fact)

    def issue(self, draft: DraftDocument, *, now: datetime) -> Document:
        if self.find(draft.fact) is not None:
            raise AlreadyIssued(f"There is a document of {draft.fact} already.")
        dates = [each.issued_at for each in self._scan() if each.kind is draft.kind and each.issued_at.year == now.year]
        document = draft.issue(len(dates) + 1, at=max([now, *dates]))
        self.add(document)
        return document


class InMemoryDocumentQueries(DocumentQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def document(self, id: DocumentId) -> Document:
        with self._store.lock:
            found: Document | None = self._store.table("documents").get(id)
        if found is None:
            raise NotFound(f"There is no document {id}.")
        return found

    def numbered(self, number: str) -> Document:
        found = [each for each in self._all() if each.number == number.upper()]
        if not found:
            raise NotFound(f"There is no document {number[:40]}.")
        return found[0]

    def invoice_of(self, order_id: OrderId) -> Document | None:
        wanted = (each for each in self._all() if each.order_id == order_id)
        return next((each for each in wanted if each.kind is DocumentKind.ORDER_INVOICE), None)

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
        return paged(
            [
                each
                for each in self._all()
                if account_id in (None, each.account_id)
                and order_id in (None, each.order_id)
                and (not kinds or each.kind in kinds)
                and (since is None or each.issued_at >= since)
                and (until is None or each.issued_at < until)
            ],
            key=lambda each: (each.issued_at.isoformat(), each.id),
            descending=True,
            request=request,
            view=lambda each: each,
        )

    def missing_numbers(self) -> Sequence[str]:
        """Numbers are counted here, so that none can be missing but those that a test takes out."""
        numbers = {each.number for each in self._all()}
        last: dict[tuple[Any, int], int] = {}
        for each in self._all():
            series = each.kind, each.issued_at.year
            last[series] = max(last.get(series, 0), int(each.number.rpartition("-")[2]))
        known = sorted(
            number_of(kind, year, sequence) for (kind, year), end in last.items() for sequence in range(1, end + 1)
        )
        return [number for number in known if number not in numbers][:MOST_MISSING]

    def _all(self) -> list[Document]:
        with self._store.lock:
            return list(self._store.table("documents").values())
