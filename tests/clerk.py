"""Who issues documents and reads statements for a ``Cashier``, on any store."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from marketplace.adapters.memory.media import InMemoryMedia
from marketplace.adapters.pdf.renderer import ReportLabPages
from marketplace.application.access import Actor
from marketplace.application.documents.files import DocumentFiles
from marketplace.application.documents.issuing import IssueDocuments
from marketplace.application.documents.parties import Sellers
from marketplace.application.documents.statements import ReadStatements
from marketplace.application.ports.documents import DocumentQueries
from marketplace.application.ports.identity import IdentityQueries
from marketplace.application.ports.pages import PageRequest
from marketplace.application.ports.statements import StatementQueries
from marketplace.domain.documents import Document, DocumentKind, Issuer, Party
from marketplace.domain.shared.ids import OrderId
from marketplace.domain.statements import Month, Statement
from tests.cashier import Cashier

ISSUER = Issuer(
    party=Party(name="Card Market SAS", address=("1 rue des Cartes", "75001 Paris"), vat_number="FR40303265045"),
    vat_rate=Decimal("0.20"),
)


class NoPages(ReportLabPages):
    """Draws nothing, in no time: what a document says, without its letters."""

    def document(self, document: Document) -> bytes:
        return f"{document.number}: {document.content}".encode()


@dataclass(kw_only=True)
class Clerk:
    cashier: Cashier
    queries: DocumentQueries
    statement_queries: StatementQueries
    identity: IdentityQueries

    def __post_init__(self) -> None:
        market = self.cashier.market
        self.media = InMemoryMedia()
        self.files = DocumentFiles(storage=self.media, renderer=NoPages())
        self.sellers = Sellers(identity=self.identity)
        self.issue = IssueDocuments(
            unit_of_work=market.unit_of_work,
            clock=market.clock,
            ids=market.ids,
            issuer=ISSUER,
            sellers=self.sellers,
            files=self.files,
        )
        self.statements = ReadStatements(
            unit_of_work=market.unit_of_work,
            clock=market.clock,
            queries=self.statement_queries,
            sellers=self.sellers,
            issuer=ISSUER,
            currency="EUR",
        )

    def issued(self, kind: DocumentKind | None = None, *, order_id: OrderId | None = None) -> list[Document]:
        """In the order of issue."""
        found = self.queries.documents(PageRequest(size=100), kinds=[kind] if kind else [], order_id=order_id).items
        return list(found)[::-1]

    def months(self, seller: Actor) -> list[Month]:
        """The first one first."""
        return [s.month for s in self.statements.months(PageRequest(size=100), seller_id=seller.account_id).items][::-1]

    def statement(self, seller: Actor, month: Month) -> Statement:
        return self.statements.statement(month, seller_id=seller.account_id)
