"""`marketplace sellers`: who may sell."""

from __future__ import annotations

import click

from marketplace.application.access import OPERATOR
from marketplace.domain.sellers import SellerProfile
from marketplace.entrypoints.cli.console import json_option, show, with_container
from marketplace.entrypoints.container import Container


@click.group()
def sellers() -> None:
    """Who may sell."""


@sellers.command()
@click.argument("account")
@click.option("--shop-name", help="Name of a shop that is made here; by default the username.")
@json_option
@with_container
def approve(container: Container, account: str, shop_name: str | None, as_json: bool) -> None:
    """Let ACCOUNT (a username or an e-mail address) sell, or end its suspension."""
    _print(container.approve_seller()(actor=OPERATOR, account=account, shop_name=shop_name), as_json=as_json)


@sellers.command()
@click.argument("account")
@click.option("--reason", required=True, help="What the seller is told.")
@json_option
@with_container
def suspend(container: Container, account: str, reason: str, as_json: bool) -> None:
    """Pause everything that ACCOUNT (a username or an e-mail address) offers."""
    _print(container.suspend_seller()(actor=OPERATOR, account=account, reason=reason), as_json=as_json)


def _print(profile: SellerProfile, *, as_json: bool) -> None:
    show(
        {
            "id": profile.account_id,
            "shop_name": profile.shop_name,
            "status": str(profile.status),
            "is_selling": profile.is_selling,
            "missing": [str(step) for step in profile.missing],
        },
        as_json=as_json,
    )
