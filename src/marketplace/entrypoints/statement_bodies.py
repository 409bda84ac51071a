"""Statements as JSON, for every door."""

from __future__ import annotations

from typing import Any

from marketplace.application.documents.statements import MonthSummary
from marketplace.domain.shared.money import Money
from marketplace.domain.statements import Statement


def statement_body(statement: Statement) -> dict[str, Any]:
    """Amounts as decimal strings; those below nothing have a minus."""

    def money(amount: int) -> str:
        return Money(amount, statement.currency).decimal

    return {
        "month": str(statement.month),
        "is_final": statement.is_final,
        "currency": statement.currency,
        "opening_balance": money(statement.opening),
        "entries": [
            {
                "date": entry.at.isoformat(),
                "kind": entry.kind.value,
                "reference": entry.reference,
                "amount": money(entry.amount),
                "source": entry.source,
            }
            for entry in statement.entries
        ],
        "closing_balance": money(statement.closing),
        "standing": {name: money(amount) for name, amount in statement.standing.items()},
    }


def month_body(summary: MonthSummary) -> dict[str, Any]:
    """A line of the list of months."""
    return {
        "month": str(summary.month),
        "is_final": summary.is_final,
        "currency": summary.currency,
        "opening_balance": Money(summary.opening, summary.currency).decimal,
        "closing_balance": Money(summary.closing, summary.currency).decimal,
    }
