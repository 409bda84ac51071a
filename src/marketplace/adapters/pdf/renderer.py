"""Pages drawn by ReportLab, which is imported when the first one is."""

from __future__ import annotations

from threading import Lock

from marketplace.adapters.pdf.document_pages import document_pages
from marketplace.adapters.pdf.statement_pages import statement_pages
from marketplace.application.ports.documents import PageRenderer
from marketplace.domain.documents import LAYOUT, Document
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.statements import MAX_PRINTED, Statement, StatementTooLong


class ReportLabPages(PageRenderer):
    """One page at a time: the library keeps what it knows of its fonts in one place."""

    def __init__(self) -> None:
        self._drawing = Lock()

    def document(self, document: Document) -> bytes:
        if document.content.layout != LAYOUT:
            raise Invalid(f"{document.number} is drawn in layout {document.content.layout!r}, which is not known here.")
        with self._drawing:
            return document_pages(document)

    def statement(self, statement: Statement) -> bytes:
        if len(statement.entries) > MAX_PRINTED:
            raise StatementTooLong(
                f"{len(statement.entries)} entries are too many to print, more than {MAX_PRINTED}; take format=csv."
            )
        with self._drawing:
            return statement_pages(statement)
