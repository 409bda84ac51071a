"""`marketplace users`: accounts, who they are and what they may do."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import click

from marketplace.application.access import OPERATOR
from marketplace.application.identity.registration import NewMember
from marketplace.application.ports.identity import AccountView
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import IllegalTransition, NotFound
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.cli.account_import import import_accounts
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.cli.personal_data import erase_user, export_user
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.email_addresses import well_formed_email

_COLUMNS = ("id", "username", "email", "roles", "is_email_verified", "is_suspended", "created_at")
_NAME = click.argument("name")
_ROLE = click.argument("role", type=click.Choice([role.value for role in Role if role is not Role.BUYER]))
_REASON = click.option("--reason", default="", help="Why, for the audit trail.")


@click.group()
def users() -> None:
    """Accounts: who they are and what they may do."""


users.add_command(import_accounts)
users.add_command(export_user)
users.add_command(erase_user)


@users.command("show")
@_NAME
@json_option
@with_container
def show_user(container: Container, name: str, as_json: bool) -> None:
    """Print the account NAME (a username or an e-mail address), a professional's with the company behind it."""
    with container.backend.unit_of_work() as uow:
        found = uow.accounts.by_name(name)
    if found is None:
        raise NotFound(f"There is no account called {name!r}.")
    queries = container.backend.identity_queries()
    account, company = queries.me(found.id), queries.company(found.id)
    about = {
        "account_type": account.account_type.value,
        "language": account.language,
        "pending_email": account.pending_email or None,
        "terms_version": account.terms_version or None,
        "terms_accepted_at": account.terms_accepted_at and account.terms_accepted_at.isoformat(),
        "needs_to_accept_terms": account.needs_to_accept_terms,
    }
    show({**_row(account, as_json=as_json), **about, **asdict(company)}, as_json=as_json)


@users.command("create-admin")
@click.argument("username")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input, its first line.")
@json_option
@with_container
def create_admin(container: Container, username: str, email: str, password_stdin: bool, as_json: bool) -> None:
    """Make an account with the role admin and a verified e-mail address."""
    member = NewMember(
        username=username, email=well_formed_email(email), password=_password(password_stdin), accept_terms=True
    )
    account_id = container.create_account()(actor=OPERATOR, member=member, roles=frozenset({Role.ADMIN}))
    _print(container, account_id, as_json=as_json)


@users.command("list")
@click.option("--role", type=click.Choice([role.value for role in Role]), help="Only those with this role.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@json_option
@with_container
def list_users(container: Container, role: str | None, limit: int | None, as_json: bool) -> None:
    """Print accounts, the oldest first."""
    rows: list[dict[str, Any]] = []
    asked = PageRequest(size=MAX_PAGE_SIZE)
    while limit is None or len(rows) < limit:
        page = container.backend.identity_queries().accounts(page=asked, role=None if role is None else Role(role))
        rows += (_row(account, as_json=as_json) for account in page.items)
        if page.next is None:
            break
        asked = PageRequest(size=MAX_PAGE_SIZE, after=page.next)
    show(rows[:limit], as_json=as_json, columns=_COLUMNS)


@users.command()
@_NAME
@_ROLE
@json_option
@with_container
def grant(container: Container, name: str, role: str, as_json: bool) -> None:
    """Give the account NAME (a username or an e-mail address) a ROLE; a seller can sell at once."""
    account_id = container.grant_role()(actor=OPERATOR, name=name, role=Role(role))
    if role == Role.SELLER:
        container.vouch_for_seller()(actor=OPERATOR, account=account_id)
    _print(container, account_id, as_json=as_json)


@users.command()
@_NAME
@_ROLE
@json_option
@with_container
def revoke(container: Container, name: str, role: str, as_json: bool) -> None:
    """Take a ROLE from the account NAME; what a seller offers is paused."""
    account_id = container.revoke_role()(actor=OPERATOR, name=name, role=Role(role))
    if role == Role.SELLER:
        with suppress(NotFound, IllegalTransition):  # no seller, or not one who may sell
            container.suspend_seller()(actor=OPERATOR, account=account_id, reason="The role was revoked.")
    _print(container, account_id, as_json=as_json)


@users.command()
@_NAME
@_REASON
@json_option
@with_container
def suspend(container: Container, name: str, reason: str, as_json: bool) -> None:
    """Shut the account NAME out: its sessions end at once, and what it sells is paused."""
    _print(container, container.suspend_account()(actor=OPERATOR, name=name, reason=reason), as_json=as_json)


@users.command()
@_NAME
@_REASON
@json_option
@with_container
def reinstate(container: Container, name: str, reason: str, as_json: bool) -> None:
    """Let the account NAME in again; what it sells stays paused until `sellers reinstate`."""
    _print(container, container.reinstate_account()(actor=OPERATOR, name=name, reason=reason), as_json=as_json)


@users.command("reset-second-factor")
@_NAME
@json_option
@with_container
def reset_second_factor(container: Container, name: str, as_json: bool) -> None:
    """Take the second factor of the account NAME, which lost it; its sessions end. First make sure who is asking."""
    _print(container, container.second_factors.reset()(actor=OPERATOR, name=name), as_json=as_json)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _row(account: AccountView, *, as_json: bool) -> dict[str, Any]:
    return {
        "id": account.id,
        "username": account.username,
        "email": account.email,
        "roles": list(account.roles) if as_json else ",".join(account.roles),
        "is_email_verified": account.is_email_verified,
        "is_suspended": account.is_suspended,
        "created_at": account.created_at.isoformat(),
    }


def _print(container: Container, account_id: AccountId, *, as_json: bool) -> None:
    show(_row(container.backend.identity_queries().me(account_id), as_json=as_json), as_json=as_json)
