"""`marketplace sellers`: who may sell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from marketplace.application.access import OPERATOR
from marketplace.application.documents.statements import statement_csv
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.application.ports.sellers import SellerRecord
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.sellers import SellerProfile, SellerStatus
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.statements import Month
from marketplace.entrypoints.cli.console import json_option, show, with_container, writing_to
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.statement_bodies import statement_body

_ACCOUNT = click.argument("account")
_REASON = click.option("--reason", required=True, help="What the seller is told.")
_NOTE = click.option("--reason", default="", help="For the audit trail.")
_COLUMNS = ("id", "username", "shop_name", "missing", "created_at")


@click.group()
def sellers() -> None:
    """Who may sell. ACCOUNT is a username or an e-mail address."""


@sellers.command()
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="So many at most.")
@json_option
@with_container
def pending(container: Container, limit: int, as_json: bool) -> None:
    """List who has applied to sell and waits for an answer, the first to apply first."""
    rows: list[dict[str, Any]] = []
    asked = PageRequest(size=MAX_PAGE_SIZE)
    while len(rows) < limit:
        page = container.backend.seller_queries().sellers(
            asked, status=SellerStatus.PENDING, now=container.clock().now()
        )
        rows += (_row(record, as_json=as_json) for record in page.items)
        if page.next is None:
            break
        asked = PageRequest(size=MAX_PAGE_SIZE, after=page.next)
    show(rows[:limit], as_json=as_json, columns=_COLUMNS)


@sellers.command()
@_ACCOUNT
@_NOTE
@json_option
@with_container
def approve(container: Container, account: str, reason: str, as_json: bool) -> None:
    """Let in who has applied to sell; identity and onboarding remain to be done."""
    _print(container, container.approve_seller()(actor=OPERATOR, account=account, reason=reason), as_json=as_json)


@sellers.command()
@_ACCOUNT
@_REASON
@json_option
@with_container
def reject(container: Container, account: str, reason: str, as_json: bool) -> None:
    """Turn down who has applied to sell, and tell them why."""
    _print(container, container.reject_seller()(actor=OPERATOR, account=account, reason=reason), as_json=as_json)


@sellers.command()
@_ACCOUNT
@_REASON
@json_option
@with_container
def suspend(container: Container, account: str, reason: str, as_json: bool) -> None:
    """Pause everything that a seller offers, and tell them why."""
    _print(container, container.suspend_seller()(actor=OPERATOR, account=account, reason=reason), as_json=as_json)


@sellers.command()
@_ACCOUNT
@_NOTE
@json_option
@with_container
def reinstate(container: Container, account: str, reason: str, as_json: bool) -> None:
    """End a suspension."""
    _print(container, container.reinstate_seller()(actor=OPERATOR, account=account, reason=reason), as_json=as_json)


@sellers.command("verify-kyc")
@_ACCOUNT
@_NOTE
@click.option("--withdraw", is_flag=True, help="The identity no longer counts as checked; needs a reason.")
@json_option
@with_container
def verify_kyc(container: Container, account: str, reason: str, withdraw: bool, as_json: bool) -> None:
    """Note that a seller's identity was checked."""
    verify = container.verify_seller_identity()
    _print(container, verify(actor=OPERATOR, account=account, reason=reason, verified=not withdraw), as_json=as_json)


@sellers.command()
@_ACCOUNT
@click.option("--shop-name", help="Name of a shop that is made here; by default the username.")
@json_option
@with_container
def vouch(container: Container, account: str, shop_name: str | None, as_json: bool) -> None:
    """Let an account sell on your word: approved, identity and onboarding counted as done, whatever was before."""
    _print(
        container,
        container.vouch_for_seller()(actor=OPERATOR, account=account, shop_name=shop_name),
        as_json=as_json,
    )


@sellers.command()
@_ACCOUNT
@click.argument("month")
@click.option(
    "--format",
    "as_format",
    type=click.Choice(["json", "csv", "pdf"]),
    default="csv",
    show_default=True,
    help="As what.",
)
@click.option("--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="A file to write it to.")
@with_container
def statement(container: Container, account: str, month: str, as_format: str, output: Path | None) -> None:
    """Print what moved on a seller's account in MONTH, such as 2026-11."""
    asked = Month.parse(month)
    unit: UnitOfWork = container.backend.unit_of_work()
    with unit as uow:
        seller = uow.accounts.by_name(account)
    if seller is None:
        raise NotFound(f"There is no account called {account!r}.")
    found = container.documents.statements().statement(asked, seller_id=seller.id)
    if as_format == "json":
        content = orjson.dumps(statement_body(found), option=orjson.OPT_INDENT_2) + b"\n"
    elif as_format == "csv":
        content = statement_csv(found).encode()
    else:
        content = container.documents.pages().statement(found)
    if output is not None:
        with writing_to(output):
            output.write_bytes(content)
    else:
        click.echo(content, nl=False)


def _row(record: SellerRecord, *, as_json: bool) -> dict[str, Any]:
    missing = [str(step) for step in record.missing]
    return {
        "id": record.id,
        "username": record.username,
        "email": record.email,
        "shop_name": record.shop_name,
        "missing": missing if as_json else ", ".join(missing),
        "created_at": record.created_at.isoformat(),
    }


def _print(container: Container, profile: SellerProfile, *, as_json: bool) -> None:
    show(
        {
            "id": profile.account_id,
            "shop_name": profile.shop_name,
            "status": str(profile.status),
            "is_selling": profile.is_selling(container.clock().now()),
            "missing": [str(step) for step in profile.missing],
        },
        as_json=as_json,
    )
