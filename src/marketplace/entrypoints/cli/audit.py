"""`marketplace audit`: who did what to whom, when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from marketplace.application.ports.audit import AuditFilter
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.domain.audit import AuditEntry
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container


class Moment(click.ParamType[datetime]):
    """An instant with its time zone: RFC 3339."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant; write it like 2026-01-31T12:00:00+00:00.", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} has no time zone; add Z or +01:00 at its end.", param, ctx)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            self.fail(f"{value!r} is no instant within the calendar.", param, ctx)


class _Code(click.ParamType[str]):
    """A word of the trail: a byte that is no character is in none, and no statement can carry it."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.isprintable():
            self.fail(f"{value!r} is nothing that the trail holds; write plain text.", param, ctx)
        return str(value)


@click.group()
def audit() -> None:
    """Who did what to whom, when."""


@audit.command("list")
@click.option("--actor", type=click.IntRange(min=1), help="Only what the account with this id did.")
@click.option("--subject-type", type=_Code(), help="Only what was done to things of this type, like seller.")
@click.option("--subject-id", type=_Code(), help="Only what was done to the one with this id; needs --subject-type.")
@click.option("--action", type=_Code(), help="Only this act, like seller.approved.")
@click.option("--from", "since", type=Moment(), help="The first instant that counts, like 2026-01-31T00:00:00Z.")
@click.option("--to", "until", type=Moment(), help="The first instant that does not.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@json_option
@with_container
def list_entries(
    container: Container,
    limit: int,
    as_json: bool,
    actor: int | None,
    subject_type: str | None,
    subject_id: str | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
) -> None:
    """Print what was done with a privilege, the newest first."""
    wanted = AuditFilter(
        actor_id=None if actor is None else AccountId(actor),
        subject_type=subject_type,
        subject_id=subject_id,
        action=action,
        since=since,
        until=until,
    )
    queries = container.backend.audit_queries()
    rows: list[dict[str, Any]] = []
    asked = PageRequest(size=min(limit, MAX_PAGE_SIZE))
    while True:
        page = queries.entries(asked, wanted=wanted)
        rows += (_row(entry, as_json=as_json) for entry in page.items)
        if page.next is None or len(rows) >= limit:
            break
        asked = PageRequest(size=MAX_PAGE_SIZE, after=page.next)
    columns = ("id", "occurred_at", "actor", "origin", "action", "subject", "changes", "reason")
    show(rows[:limit], as_json=as_json, columns=columns)


def _row(entry: AuditEntry, *, as_json: bool) -> dict[str, Any]:
    shared = {"id": entry.id, "occurred_at": entry.occurred_at.isoformat(), "actor": entry.actor_id}
    told = {**shared, "origin": entry.origin, "action": entry.action, "reason": entry.reason}
    if as_json:
        subject = {"type": entry.subject_type, "id": entry.subject_id}
        before, after = dict(entry.before), dict(entry.after)
        return {**told, "roles": list(entry.roles), "subject": subject, "before": before, "after": after}
    names = {**entry.before, **entry.after}
    changes = ", ".join(f"{name}: {entry.before.get(name, '-')} > {entry.after.get(name, '-')}" for name in names)
    return {**told, "subject": f"{entry.subject_type} {entry.subject_id}", "changes": changes}
