"""`marketplace stress`: promises, and hard attempts at breaking them, in a database that is thrown away."""

from __future__ import annotations

import click

from marketplace.entrypoints.cli.stress.money import money as money_command
from marketplace.entrypoints.cli.stress.stock import stock as stock_command


@click.group()
def stress() -> None:
    """Try hard to break a promise."""


stress.add_command(stock_command)
stress.add_command(money_command)
