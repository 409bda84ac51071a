"""`marketplace documents`: invoices and credit notes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from marketplace.application.access import OPERATOR
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.domain.documents import Document, DocumentKind
from marketplace.domain.shared.ids import MAX_ID, AccountId, OrderId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.cli.console import json_option, progress, show, with_container, writing_to
from marketplace.entrypoints.container import Container

_COLUMNS = ("number", "kind", "account", "order", "total", "vat", "currency", "issued_at", "refers_to")
_KIND = click.option("--kind", type=click.Choice([kind.value for kind in DocumentKind]), help="Only of this kind.")
_ID = click.IntRange(1, MAX_ID)
_LINE_COLUMNS = ("kind", "of", "text", "quantity", "amount")
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def documents() -> None:
    """Invoices and credit notes. What was issued is never changed; a credit note takes it back."""


@documents.command("list")
@_KIND
@click.option("--account", type=_ID, help="Only those for the account with this id.")
@click.option("--order", type=_ID, help="Only those of the order with this id.")
@click.option("--from", "since", type=_DAY, help="The first day (UTC).")
@click.option("--to", "until", type=_DAY, help="The first day that does not count (UTC).")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="So many at most.")
@json_option
@with_container
def list_documents(
    container: Container,
    kind: str | None,
    account: int | None,
    order: int | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Print what was issued, the last first."""
    found = _found(container, kind=kind, account=account, order=order, since=since, until=until)
    rows = [_row(document) for document, _ in zip(found, range(limit), strict=False)]
    show(rows, as_json=as_json, columns=_COLUMNS)


@documents.command("show")
@click.argument("number")
@json_option
@with_container
def show_document(container: Container, number: str, as_json: bool) -> None:
    """Print what stands on document NUMBER."""
    document = container.backend.document_queries().numbered(number)
    lines = _lines(document)
    if as_json:
        show({**_whole(document), "lines": lines}, as_json=True)
    else:
        show(_whole(document), as_json=False)
        show(lines, as_json=False, columns=_LINE_COLUMNS)


@documents.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@_KIND
@click.option("--from", "since", type=_DAY, help="The first day (UTC).")
@click.option("--to", "until", type=_DAY, help="The first day that does not count (UTC).")
@json_option
@with_container
def export(
    container: Container,
    folder: Path,
    kind: str | None,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Write the PDF of each document into FOLDER, for whoever keeps the accounts."""
    read, done = container.documents.read(), 0
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with progress("Documents") as note:
        for document in _found(container, kind=kind, since=since, until=until):
            file = read.one(actor=OPERATOR, document=document)
            with writing_to(folder / file.name):
                (folder / file.name).write_bytes(file.content)
            done += 1
            note(done)
    show({"documents": done, "folder": str(folder)}, as_json=as_json)


@documents.command()
@click.argument("order", type=_ID)
@json_option
@with_container
def issue(container: Container, order: int, as_json: bool) -> None:
    """Issue whatever is missing of ORDER (an id): paid before there were documents, for example."""
    issued = container.documents.issue().everything_of(OrderId(order))
    show([_row(document) for document in issued], as_json=as_json, columns=_COLUMNS)


@documents.command()
@json_option
@with_container
def verify(container: Container, as_json: bool) -> None:
    """Print the numbers that are missing, of which there are none; exit status 1 when there are."""
    missing = container.backend.document_queries().missing_numbers()
    show([{"number": number} for number in missing], as_json=as_json, columns=("number",))
    if missing:
        sys.exit(1)


def _found(
    container: Container,
    *,
    kind: str | None,
    since: datetime | None,
    until: datetime | None,
    account: int | None = None,
    order: int | None = None,
) -> Iterator[Document]:
    request = PageRequest(size=MAX_PAGE_SIZE)
    while True:
        page = container.backend.document_queries().documents(
            request,
            account_id=None if account is None else AccountId(account),
            order_id=None if order is None else OrderId(order),
            kinds=[] if kind is None else [DocumentKind(kind)],
            since=None if since is None else since.replace(tzinfo=UTC),
            until=None if until is None else until.replace(tzinfo=UTC),
        )
        yield from page.items
        if page.next is None:
            return
        request = PageRequest(size=MAX_PAGE_SIZE, after=page.next)


def _row(document: Document) -> dict[str, Any]:
    content = document.content
    return {
        "number": document.number,
        "kind": document.kind.value,
        "account": document.account_id,
        "order": document.order_id,
        "total": document.total.decimal,
        "vat": Money(content.vat.amount, content.currency).decimal,
        "currency": content.currency,
        "issued_at": document.issued_at.isoformat(),
        "refers_to": content.refers_to or None,
    }


def _whole(document: Document) -> dict[str, Any]:
    content = document.content
    return {
        **_row(document),
        "issuer": content.issuer.name,
        "recipient": "; ".join((content.recipient.name, *content.recipient.address)),
        "recipient_vat_number": content.recipient.vat_number or None,
        "reference": content.order_reference,
        "fees": Money(content.vat.gross, content.currency).decimal,
        "vat_percent": str(content.vat.rate),
    }


def _lines(document: Document) -> list[dict[str, Any]]:
    content = document.content
    return [
        {
            "kind": line.kind.value,
            "of": group.title or None,
            "text": line.text or None,
            "quantity": line.quantity,
            "amount": Money(line.amount, content.currency).decimal,
        }
        for group in content.groups
        for line in group.lines
    ]
