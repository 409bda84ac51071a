"""Invoices and credit notes as pages."""

from __future__ import annotations

from collections.abc import Mapping

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
    Style,
    wrapped,
)
from marketplace.adapters.pdf.words import Words, words_of
from marketplace.domain.documents import Document, DocumentLine, LineGroup, Party

_QUANTITY, _PRICE = RIGHT - 165, RIGHT - 85
_TEXT_WIDTH = _QUANTITY - LEFT - 40


def document_pages(document: Document) -> bytes:
    """The file of a document, in its language."""
    return _Drawing(document).drawn()


class _Drawing:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.content = document.content
        self.words: Words = words_of(self.content.language)
        self.says = self.words.labels
        self.title = self.words.kinds[document.kind]
        self.sheet = Sheet(
            title=f"{self.title} {document.number}",
            author=self.content.issuer.name,
            subject=self.content.order_reference,
        )

    def drawn(self) -> bytes:
        self._top()
        self._columns()
        self.sheet.on_new_page = self._continued
        for group in self.content.groups:
            self._group(group)
        # What follows has no columns, and stays together.
        sheet = self.sheet
        sheet.on_new_page = self._page_head
        lines = [(self.words.mentions[mention], SMALL) for mention in self.content.mentions]
        said = sum(len(wrapped(text, style, RIGHT - LEFT)) * style.leading for text, style in lines)
        sheet.need(36 + (52 if self.content.vat.gross else 0) + said + 12)
        self._total()
        if self.content.vat.gross:
            self._vat()
        sheet.y = sheet.block(lines, LEFT, sheet.y - 10, RIGHT - LEFT)
        return self.sheet.finish(self._footer)

    # --- what stands above the lines

    def _top(self) -> None:
        sheet, content = self.sheet, self.content
        issuer = content.issuer
        from_whom = [(issuer.name, BRAND), *((line, SMALL) for line in issuer.address), *_numbers(issuer, self.says)]
        left = sheet.block(from_whom, LEFT, TOP, 250)
        sheet.text(self.title, RIGHT, TOP - 19, TITLE, right=True)
        facts = [
            (self.says["number"], self.document.number),
            (self.says["issued"], self.words.day(self.document.issued_at)),
            (self.says["supplied"], self.words.day(content.supplied_at)),
            (self.says["order"], content.order_reference),
        ]
        if content.refers_to:
            facts.append((self.says["refers_to"], content.refers_to))
        if content.reason:
            facts.append((self.says["reason"], self.words.causes.get(content.reason, content.reason)))
        y = TOP - 32
        for label, value in facts:
            y -= 13
            sheet.text(label, RIGHT - 125, y, SMALL, right=True)
            sheet.text(value, RIGHT, y, BODY, right=True)
        sheet.y = min(left, y) - 22
        sheet.rule(sheet.y)
        sheet.y -= 6
        recipient = content.recipient
        to = [(self.says["billed_to"], HEAD), (recipient.name, STRONG), *((line, BODY) for line in recipient.address)]
        sheet.y = sheet.block([*to, *_numbers(recipient, self.says)], LEFT, sheet.y, 300) - 26

    def _columns(self) -> None:
        sheet = self.sheet
        sheet.y -= 10
        sheet.text(self.says["description"], LEFT, sheet.y, HEAD)
        sheet.text(self.says["quantity"], _QUANTITY, sheet.y, HEAD, right=True)
        sheet.text(self.says["unit_price"], _PRICE, sheet.y, HEAD, right=True)
        sheet.text(self.says["amount"], RIGHT, sheet.y, HEAD, right=True)
        sheet.y -= 6
        sheet.rule(sheet.y, width=1)

    def _continued(self, sheet: Sheet) -> None:
        self._page_head(sheet)
        self._columns()

    def _page_head(self, sheet: Sheet) -> None:
        sheet.text(f"{self.title} {self.document.number}", RIGHT, TOP - 10, STRONG, right=True)
        sheet.text(self.content.issuer.name, LEFT, TOP - 10, STRONG)
        sheet.y = TOP - 26

    # --- the lines

    def _group(self, group: LineGroup) -> None:
        first = self._height(group.lines[0])
        self.sheet.need(22 + first)
        self._group_head(group)
        for line in group.lines:
            self.sheet.need(self._height(line))
            self._line(line)

    def _group_head(self, group: LineGroup) -> None:
        sheet = self.sheet
        sheet.y -= 18
        sheet.shade(sheet.y - 4.5, 16)
        title = group.title or self.says["fees"]
        room = RIGHT - LEFT - 150
        sheet.text(wrapped(title, STRONG, room)[0], LEFT + 4, sheet.y, STRONG)
        if group.reference:
            sheet.text(f"{self.says['sale']} {group.reference}", RIGHT - 4, sheet.y, SMALL, right=True)
        sheet.y -= 5

    def _told(self, line: DocumentLine) -> tuple[list[str], list[str]]:
        text, detail = self.words.line(line.kind, line.text, line.detail)
        return wrapped(text, BODY, _TEXT_WIDTH), wrapped(detail, SMALL, _TEXT_WIDTH) if detail else []

    def _height(self, line: DocumentLine) -> float:
        texts, details = self._told(line)
        return len(texts) * BODY.leading + len(details) * SMALL.leading + 7

    def _line(self, line: DocumentLine) -> None:
        sheet, currency = self.sheet, self.content.currency
        texts, details = self._told(line)
        first = sheet.y - BODY.leading
        if line.unit_price is not None:
            sheet.text(str(line.quantity), _QUANTITY, first, BODY, right=True)
            sheet.text(self.words.money(line.unit_price, currency), _PRICE, first, BODY, right=True)
        sheet.text(self.words.money(line.amount, currency), RIGHT - 4, first, BODY, right=True)
        lines = [*((text, BODY) for text in texts), *((detail, SMALL) for detail in details)]
        sheet.y = sheet.block(lines, LEFT + 4, sheet.y, _TEXT_WIDTH) - 5
        sheet.rule(sheet.y)
        sheet.y -= 2

    # --- what stands below them

    def _total(self) -> None:
        sheet = self.sheet
        sheet.y -= 26
        label = self.says["total_back" if self.document.kind.is_credit else "total"]
        sheet.text(label, _PRICE, sheet.y, SUM, right=True)
        sheet.text(
            self.words.money(self.document.total.amount, self.content.currency), RIGHT - 4, sheet.y, SUM, right=True
        )
        sheet.y -= 10

    def _vat(self) -> None:
        sheet, vat, currency = self.sheet, self.content.vat, self.content.currency
        sheet.y -= 22
        heads = (self.says["vat_rate"], self.says["net"], self.says["vat"], self.says["gross"])
        values = (
            self.words.percent(vat.rate),
            self.words.money(vat.net, currency),
            self.words.money(vat.amount, currency),
            self.words.money(vat.gross, currency),
        )
        edges = (LEFT + 190, LEFT + 300, LEFT + 385, RIGHT - 4)
        sheet.shade(sheet.y - 22, 34, x=LEFT + 120)
        for edge, head, value in zip(edges, heads, values, strict=True):
            sheet.text(head, edge, sheet.y, HEAD, right=True)
            sheet.text(value, edge, sheet.y - 14, BODY, right=True)
        sheet.y -= 30

    def _footer(self, sheet: Sheet, page: int, pages: int) -> None:
        sheet.rule(BOTTOM - 14)
        issuer = self.content.issuer
        named = " · ".join(part for part in (issuer.name, *(text for text, _ in _numbers(issuer, self.says))) if part)
        sheet.text(wrapped(named, SMALL, RIGHT - LEFT - 90)[0], LEFT, BOTTOM - 28, SMALL)
        sheet.text(self.says["page"] % {"page": page, "pages": pages}, RIGHT, BOTTOM - 28, SMALL, right=True)


def _numbers(party: Party, says: Mapping[str, str]) -> list[tuple[str, Style]]:
    known = (("vat_number", party.vat_number), ("registration", party.registration))
    return [(f"{says[label]} {number}", SMALL) for label, number in known if number]
