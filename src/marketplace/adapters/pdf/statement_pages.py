"""A seller's month as pages."""

from __future__ import annotations

from marketplace.adapters.pdf.sheet import (
    BODY,
    BOTTOM,
    BRAND,
    HEAD,
    LEFT,
    RIGHT,
    SMALL,
    STRONG,
    SUM,
    TITLE,
    TOP,
    Sheet,
    wrapped,
)
from marketplace.adapters.pdf.words import Words, words_of
from marketplace.domain.statements import Entry, EntryKind, Statement

_ENTRY, _REFERENCE, _AMOUNT = LEFT + 92, LEFT + 262, RIGHT - 84
_ROW = 15.0
_SUMS = (
    (EntryKind.SALE,),
    (EntryKind.COMMISSION, EntryKind.COMMISSION_BACK),
    (EntryKind.SELLER_FEES, EntryKind.SELLER_FEES_BACK),
    (EntryKind.REFUND,),
    (EntryKind.CHARGEBACK,),
    (EntryKind.PAYOUT,),
    (EntryKind.RECOVERY,),
    (EntryKind.KEPT_FROM_PAYOUT, EntryKind.DEBT_PAID),
    (EntryKind.WRITTEN_OFF,),
    (EntryKind.OTHER,),
)
"""What is added up; each is called as its first kind."""


def statement_pages(statement: Statement) -> bytes:
    """The file of a statement, in the seller's language."""
    return _Drawing(statement).drawn()


class _Drawing:
    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.words: Words = words_of(statement.language)
        self.says = self.words.labels
        self.period = self.words.month(statement.month)
        self.sheet = Sheet(
            title=f"{self.says['statement']} {statement.month}",
            author=statement.issuer_name,
            subject=statement.seller_name,
        )

    def drawn(self) -> bytes:
        self._top()
        self._short()
        self._columns()
        self.sheet.on_new_page = self._continued
        self._balance(self.says["opening"], self.statement.opening)
        balance = self.statement.opening
        for entry in self.statement.entries:
            balance += entry.amount
            self.sheet.need(_ROW)
            self._row(entry, balance)
        if not self.statement.entries:
            self.sheet.y -= _ROW
            self.sheet.text(self.says["nothing"], _ENTRY, self.sheet.y, SMALL)
        self.sheet.need(_ROW + 14)
        self._balance(self.says["closing"], self.statement.closing)
        self._standing()
        return self.sheet.finish(self._footer)

    def _money(self, amount: int) -> str:
        return self.words.money(amount, self.statement.currency)

    def _top(self) -> None:
        sheet, statement = self.sheet, self.statement
        issuer = [(statement.issuer_name, BRAND), *((line, SMALL) for line in statement.issuer_address)]
        left = sheet.block(issuer, LEFT, TOP, 250)
        sheet.text(self.says["statement"], RIGHT, TOP - 19, TITLE, right=True)
        sheet.text(self.period, RIGHT, TOP - 38, STRONG, right=True)
        sheet.y = min(left, TOP - 44) - 18
        sheet.rule(sheet.y)
        seller = [(self.says["seller"], HEAD), (statement.seller_name, STRONG)]
        sheet.y = sheet.block(
            [*seller, *((line, BODY) for line in statement.seller_address)], LEFT, sheet.y - 6, RIGHT - LEFT
        )
        if not statement.is_final:
            note = self.says["not_final"] % {"day": self.words.day(statement.as_of)}
            sheet.y = sheet.block([(note, SMALL)], LEFT, sheet.y - 6, RIGHT - LEFT)

    def _short(self) -> None:
        """What the month comes to, by kind."""
        sheet = self.sheet
        sheet.y -= 28
        sheet.text(self.says["sums"], LEFT, sheet.y, SUM)
        sheet.y -= 4
        rows = [(self.says["opening"], self.statement.opening)]
        there = {entry.kind for entry in self.statement.entries}
        rows += [(self.words.entries[kinds[0]], self.statement.total(*kinds)) for kinds in _SUMS if there & {*kinds}]
        for label, amount in rows:
            self._sum(label, amount)
        sheet.rule(sheet.y - 4, to=LEFT + 300)
        sheet.y -= 3
        sheet.y -= 14
        sheet.text(self.says["closing"], LEFT, sheet.y, STRONG)
        sheet.text(self._money(self.statement.closing), LEFT + 300, sheet.y, STRONG, right=True)
        sheet.y -= 24

    def _sum(self, label: str, amount: int) -> None:
        self.sheet.y -= 14
        self.sheet.text(label, LEFT, self.sheet.y, BODY)
        self.sheet.text(self._money(amount), LEFT + 300, self.sheet.y, BODY, right=True)

    def _columns(self) -> None:
        sheet = self.sheet
        sheet.y -= 10
        sheet.text(self.says["date"], LEFT + 4, sheet.y, HEAD)
        sheet.text(self.says["entry"], _ENTRY, sheet.y, HEAD)
        sheet.text(self.says["reference"], _REFERENCE, sheet.y, HEAD)
        sheet.text(self.says["amount"], _AMOUNT, sheet.y, HEAD, right=True)
        sheet.text(self.says["balance"], RIGHT - 4, sheet.y, HEAD, right=True)
        sheet.y -= 6
        sheet.rule(sheet.y, width=1)

    def _continued(self, sheet: Sheet) -> None:
        sheet.text(self.statement.issuer_name, LEFT, TOP - 10, STRONG)
        sheet.text(f"{self.says['statement']} · {self.period}", RIGHT, TOP - 10, STRONG, right=True)
        sheet.y = TOP - 26
        self._columns()

    def _balance(self, label: str, amount: int) -> None:
        sheet = self.sheet
        sheet.y -= _ROW + 2
        sheet.shade(sheet.y - 4.5, _ROW + 1)
        sheet.text(label, _ENTRY, sheet.y, STRONG)
        sheet.text(self._money(amount), RIGHT - 4, sheet.y, STRONG, right=True)
        sheet.y -= 3

    def _row(self, entry: Entry, balance: int) -> None:
        sheet = self.sheet
        sheet.y -= _ROW - 4
        sheet.text(self.words.day(entry.at), LEFT + 4, sheet.y, SMALL)
        sheet.text(self.words.entries[entry.kind], _ENTRY, sheet.y, BODY)
        sheet.text(entry.reference, _REFERENCE, sheet.y, SMALL)
        sheet.text(self._money(entry.amount), _AMOUNT, sheet.y, BODY, right=True)
        sheet.text(self._money(balance), RIGHT - 4, sheet.y, BODY, right=True)
        sheet.y -= 4
        sheet.rule(sheet.y)

    def _standing(self) -> None:
        """Where the money is at the end."""
        there = {name: amount for name, amount in self.statement.standing.items() if amount}
        if not there:
            return
        self.sheet.need(36 + 14 * len(there))
        self.sheet.y -= 30
        self.sheet.text(self.says["standing"], LEFT, self.sheet.y, SUM)
        self.sheet.y -= 4
        for name, amount in there.items():
            self._sum(self.words.standings[name], amount)

    def _footer(self, sheet: Sheet, page: int, pages: int) -> None:
        sheet.rule(BOTTOM - 14)
        named = f"{self.statement.issuer_name} · {self.statement.seller_name}"
        sheet.text(wrapped(named, SMALL, RIGHT - LEFT - 90)[0], LEFT, BOTTOM - 28, SMALL)
        sheet.text(self.says["page"] % {"page": page, "pages": pages}, RIGHT, BOTTOM - 28, SMALL, right=True)
