"""A seller's stock as a file that an import would take."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.application.access import Actor, require_own
from marketplace.application.listings.stock_file import write_stock_file
from marketplace.application.ports.listings import ListingQueries
from marketplace.domain.shared.ids import AccountId


@dataclass(frozen=True, kw_only=True, slots=True)
class StockFile:
    """``left_out`` counts listings that were made by hand, and so are no import's to update."""

    text: str
    rows: int
    left_out: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportListings:
    """Write the listings that imports made of a seller; importing the file again changes nothing.

    Those made by hand come along on demand only: importing them would offer the same pieces a second time.
    """

    queries: ListingQueries
    currency: str

    def __call__(self, *, actor: Actor, seller_id: AccountId, by_hand_too: bool = False) -> StockFile:
        """Raises NotFound for another seller's, unless an admin asks."""
        require_own(actor, seller_id, f"seller {seller_id}")
        lines = self.queries.stock_lines(seller_id)
        chosen = [line for line in lines if line.imported or by_hand_too]
        return StockFile(
            text=write_stock_file(chosen, currency=self.currency),
            rows=len(chosen),
            left_out=len(lines) - len(chosen),
        )
