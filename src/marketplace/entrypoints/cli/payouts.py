"""`marketplace payouts`: what sellers are owed, sent and owe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

import click

from marketplace.application.access import OPERATOR
from marketplace.application.ports.pages import MAX_PAGE_SIZE, Page, PageRequest
from marketplace.application.ports.payouts import PayoutView, RecoveryView
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.recoveries import RecoveryStatus
from marketplace.domain.shared.ids import AccountId, PayoutId, RecoveryId
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container

T = TypeVar("T")

_COLUMNS = ("id", "sale", "seller", "status", "amount", "reversed", "netted", "currency", "next_try_at", "last_error")
_DEBT_COLUMNS = ("id", "payout", "seller", "status", "cause", "amount", "left", "currency", "decided_at", "last_error")
_LIST_COLUMNS = ("id", "sale", "seller", "status", "amount", "transferred", "currency", "hold_reason", "last_error")
_OPEN = (RecoveryStatus.DECIDED, RecoveryStatus.SENDING, RecoveryStatus.REFUSED)


@click.group()
def payouts() -> None:
    """What sellers are owed, sent and owe."""


@payouts.command()
@click.option("--seller", type=int, help="Only those of the seller with this id.")
@json_option
@with_container
def due(container: Container, seller: int | None, as_json: bool) -> None:
    """Print what waits to be sent, and what is being sent."""
    queries = container.backend.payout_queries()
    statuses = (PayoutStatus.DUE, PayoutStatus.SENDING)
    found = _all(lambda page: queries.payouts(page, seller_id=_seller(seller), statuses=statuses))
    show([_row(payout) for payout in found], as_json=as_json, columns=_COLUMNS)


@payouts.command("list")
@click.option("--status", type=click.Choice([status.value for status in PayoutStatus]), help="Only these.")
@click.option("--seller", type=int, help="Only those of the seller with this id.")
@click.option("--limit", type=click.IntRange(1, MAX_PAGE_SIZE), default=50, show_default=True, help="So many at most.")
@json_option
@with_container
def list_payouts(container: Container, status: str | None, seller: int | None, limit: int, as_json: bool) -> None:
    """List payouts in every state, the last made first."""
    statuses = () if status is None else (PayoutStatus(status),)
    queries = container.backend.payout_queries()
    page = queries.payouts(PageRequest(size=limit), seller_id=_seller(seller), statuses=statuses)
    show([_row(payout) for payout in page.items], as_json=as_json, columns=_LIST_COLUMNS)


@payouts.command()
@json_option
@with_container
def send(container: Container, as_json: bool) -> None:
    """Send what is due and take back what was decided, now: what the worker does by itself."""
    done = {
        "followed": container.payouts.follow_suspensions()(),
        "payouts": container.payouts.send()(),
        "recoveries": container.payouts.recover()(),
    }
    show(done, as_json=as_json)


@payouts.command()
@click.argument("payout", type=int)
@click.option("--reason", default="", help="What the audit trail says.")
@json_option
@with_container
def retry(container: Container, payout: int, reason: str, as_json: bool) -> None:
    """Have the worker try PAYOUT (an id) with its next turn."""
    container.payouts.retry()(actor=OPERATOR, payout_id=PayoutId(payout), reason=reason)
    _show_one(container, payout, as_json=as_json)


@payouts.command()
@click.argument("payout", type=int)
@click.option("--reason", required=True, help="What the audit trail says.")
@json_option
@with_container
def hold(container: Container, payout: int, reason: str, as_json: bool) -> None:
    """Keep PAYOUT (an id) back until it is released."""
    container.payouts.hold()(actor=OPERATOR, payout_id=PayoutId(payout), reason=reason)
    _show_one(container, payout, as_json=as_json)


@payouts.command()
@click.argument("payout", type=int)
@click.option("--reason", required=True, help="What the audit trail says.")
@json_option
@with_container
def release(container: Container, payout: int, reason: str, as_json: bool) -> None:
    """End an operator's hold of PAYOUT (an id)."""
    container.payouts.release()(actor=OPERATOR, payout_id=PayoutId(payout), reason=reason)
    _show_one(container, payout, as_json=as_json)


@payouts.command("show")
@click.argument("payout", type=int)
@json_option
@with_container
def show_payout(container: Container, payout: int, as_json: bool) -> None:
    """Print PAYOUT (an id), and what was taken back of it."""
    _show_one(container, payout, as_json=as_json)


@payouts.command()
@click.option("--seller", type=int, help="Only those of the seller with this id.")
@click.option("--all", "everything", is_flag=True, help="Also those that are over.")
@json_option
@with_container
def recoveries(container: Container, seller: int | None, everything: bool, as_json: bool) -> None:
    """Print what is being taken back from sellers, and what they owe."""
    queries = container.backend.payout_queries()
    statuses = () if everything else _OPEN
    found = _all(lambda page: queries.recoveries(page, seller_id=_seller(seller), statuses=statuses))
    show([_debt(recovery) for recovery in found], as_json=as_json, columns=_DEBT_COLUMNS)


@payouts.command("write-off")
@click.argument("recovery", type=int, required=False)
@click.option("--reason", default="", help="What the audit trail says; needed with a RECOVERY.")
@json_option
@with_container
def write_off(container: Container, recovery: int | None, reason: str, as_json: bool) -> None:
    """Print what is owed for so long that it can be written off, or write RECOVERY (an id) off."""
    if recovery is not None:
        amount = container.payouts.write_off()(actor=OPERATOR, recovery_id=RecoveryId(recovery), reason=reason)
        done = {"recovery": recovery, "written_off": amount.decimal, "currency": amount.currency}
        show(done, as_json=as_json)
        return
    before: datetime = container.clock().now() - container.settings().receivable_write_off
    queries = container.backend.payout_queries()
    found = _all(lambda page: queries.recoveries(page, statuses=[RecoveryStatus.REFUSED], before=before))
    show([_debt(each) for each in found], as_json=as_json, columns=_DEBT_COLUMNS)


def _seller(id: int | None) -> AccountId | None:
    return None if id is None else AccountId(id)


def _all(read: Callable[[PageRequest], Page[T]]) -> Iterator[T]:
    """Every item, a page at a time."""
    page = read(PageRequest(size=MAX_PAGE_SIZE))
    yield from page.items
    while page.next is not None:
        page = read(PageRequest(size=MAX_PAGE_SIZE, after=page.next))
        yield from page.items


def _show_one(container: Container, id: int, *, as_json: bool) -> None:
    queries = container.backend.payout_queries()
    payout = _row(queries.payout(PayoutId(id)))
    debts = [_debt(each) for each in _all(lambda page: queries.recoveries(page, payout_id=PayoutId(id)))]
    if as_json:
        show({**payout, "recoveries": debts}, as_json=True)
        return
    show(payout, as_json=False)
    if debts:
        click.echo()
        show(debts, as_json=False, columns=_DEBT_COLUMNS)


def _row(payout: PayoutView) -> dict[str, Any]:
    return {
        "id": payout.id,
        "sale": payout.sale_reference,
        "order": payout.order_id,
        "seller": payout.seller_id,
        "status": payout.status.value,
        "amount": payout.amount.decimal,
        "reversed": payout.reversed.decimal,
        "netted": payout.netted.decimal,
        "transferred": payout.sent.decimal,
        "currency": payout.amount.currency,
        "hold_reason": None if payout.hold_reason is None else payout.hold_reason.value,
        "due_at": payout.due_at,
        "paid_at": payout.paid_at,
        "next_try_at": payout.next_try_at,
        "last_error": payout.last_error,
        "batch": payout.batch_id,
        "transfer": payout.transfer_id,
    }


def _debt(recovery: RecoveryView) -> dict[str, Any]:
    return {
        "id": recovery.id,
        "payout": recovery.payout_id,
        "seller": recovery.seller_id,
        "status": recovery.status.value,
        "cause": recovery.cause,
        "amount": recovery.amount.decimal,
        "reversed": recovery.reversed.decimal,
        "netted": recovery.netted.decimal,
        "written_off": recovery.written_off.decimal,
        "left": recovery.left.decimal,
        "currency": recovery.amount.currency,
        "decided_at": recovery.decided_at,
        "last_error": recovery.last_error,
    }
