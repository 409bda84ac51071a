"""`marketplace`: one group a context, each loaded when it is asked for.

Exit status: 0 done, 1 refused (the error's code on the standard error), 2 wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from marketplace import __version__
from marketplace.domain.shared.errors import MarketplaceError

# name -> where the command or group is, and its line in the help (so that the help loads none of them)
COMMANDS: dict[str, tuple[str, str]] = {
    # --- running
    "serve": ("serve:serve", "Serve API and worker, with everything they need."),
    "worker": ("worker:worker", "Relay events and run what is due, until stopped."),
    "doctor": ("doctor:doctor", "Check the configuration and everything that is needed."),
    "db": ("database:db", "The database's schema."),
    "keys": ("keys:keys", "What signs access tokens and seals second factors."),
    "openapi": ("openapi:openapi", "The API document."),
    # --- contexts
    "catalogue": ("catalogue:catalogue", "The catalogue as files, in and out."),
    "users": ("identity:users", "Accounts: who they are and what they may do."),
    "sellers": ("sellers:sellers", "Who may sell."),
    "listings": ("listings:listings", "A seller's stock as a file, in and out."),
    "outbox": ("outbox:outbox", "Events on their way, and those that were given up."),
    "demo": ("demo:demo", "A market to try things with."),
    "orders": ("orders:orders", "What buyers have ordered: show, cancel, refund."),
    "payouts": ("payouts:payouts", "What sellers are owed, sent and owe."),
    "refunds": ("refunds:refunds", "Money on its way back to buyers: list, retry, settle."),
    "disputes": ("disputes:disputes", "Claims of buyers: list, show, resolve."),
    "chargebacks": ("chargebacks:chargebacks", "Claims of buyers' banks: list, show, answer."),
    "sales": ("sales:sales", "What sellers have to send: ship, cancel, confirm, complete."),
    "reservations": ("reservations:reservations", "Claims on stock: ending those that ran out."),
    "webhooks": ("webhooks:webhooks", "The payment provider's events, and those that were given up."),
    "audit": ("audit:audit", "Who did what to whom, when."),
    "documents": ("documents:documents", "Invoices and credit notes: list, show, export, issue."),
    "fees": ("fees:fees", "What the marketplace charges, version by version."),
    "ledger": ("ledger:ledger", "The books, and the proof that they are right."),
    "stress": ("stress:stress", "Promises, and hard attempts at breaking them: stock, money."),
}


class LazyGroup(click.Group):
    """Finds its commands in COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"marketplace.entrypoints.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="marketplace")
def marketplace() -> None:
    """A marketplace for trading cards with several sellers."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    try:
        status = marketplace.main(args=arguments, prog_name="marketplace", standalone_mode=False)
    except MarketplaceError as error:
        click.echo(f"{error.code}: {error}", err=True)
        sys.exit(1)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except click.Abort:
        sys.exit(130)
    # Click answers with the status of `ctx.exit()`, and with what a command returns, which is nothing.
    sys.exit(status if isinstance(status, int) else 0)
