"""`marketplace keys`: what signs access tokens, and what seals second factors."""

from __future__ import annotations

import secrets

import click

from marketplace.application.access import OPERATOR
from marketplace.domain.shared.errors import Conflict
from marketplace.entrypoints.cli.console import json_option, settings_from_environment, show, with_container
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.keys import Purpose
from marketplace.entrypoints.settings import MOST_SIGNING_KEYS, key_id


class SealsBroken(Conflict):
    code = "seal_broken"


@click.group()
def keys() -> None:
    """What signs access tokens, and what seals second factors."""


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """Print the ids of the signing keys, as tokens name them (`kid`); the first signs, all verify."""
    settings = settings_from_environment()
    own = settings.key(Purpose.ACCESS_TOKENS).hex()
    rows = [
        {"id": id, "signs": number == 0, "from": "SECRET_KEY" if key == own else "JWT_SIGNING_KEYS"}
        for number, (id, key) in enumerate(settings.jwt_keys.items())
    ]
    show(rows, as_json=as_json, columns=("id", "signs", "from"))


@keys.command()
@click.option(
    "--keep",
    type=click.IntRange(1, MOST_SIGNING_KEYS),
    default=3,
    show_default=True,
    help="Keys in all, the new one included; the oldest are dropped.",
)
@json_option
def rotate(keep: int, as_json: bool) -> None:
    """Print a JWT_SIGNING_KEYS with a new key in front; nothing changes until every process is started with it."""
    new, present = secrets.token_urlsafe(48), settings_from_environment().jwt_signing_keys
    kept, dropped = present[: keep - 1], present[keep - 1 :]
    if as_json:
        show(
            {
                "jwt_signing_keys": ",".join((new, *kept)),
                "new": key_id(new),
                "kept": [key_id(key) for key in kept],
                "dropped": [key_id(key) for key in dropped],
            },
            as_json=True,
        )
    else:
        click.echo(f"JWT_SIGNING_KEYS={','.join((new, *kept))}")
    for key in dropped:
        click.echo(
            f"Dropped {key_id(key)}: tokens that it signed are refused, and refreshed by their clients.", err=True
        )


@keys.command()
@json_option
@with_container
def reseal(container: Container, as_json: bool) -> None:
    """Seal the secrets of second factors with the present SECRET_KEY, so that SECRET_KEY_FALLBACKS can be emptied."""
    done = container.second_factors.reseal()(actor=OPERATOR)
    show({"resealed": done.resealed, "broken": list(done.broken)}, as_json=as_json)
    if done.broken:
        raise SealsBroken(
            f"{len(done.broken)} cannot be opened with SECRET_KEY and SECRET_KEY_FALLBACKS: name the key that sealed "
            "them there, or take the factors away: marketplace users reset-second-factor NAME."
        )
