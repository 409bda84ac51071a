"""The books: proving them, comparing them with the provider's, and saying how an amount came about."""

from marketplace.application.ledger.verifying import SHOWN, CheckResult, Finding, LedgerReport, VerifyLedger

__all__ = ["SHOWN", "CheckResult", "Finding", "LedgerReport", "VerifyLedger"]
