"""Proving the books: every invariant that a purchase and a refund touch, checked on one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from marketplace.application.ledger.order_checks import ORDER_CHECKS
from marketplace.application.ports.ledger import (
    AuditFacts,
    LedgerAudit,
    RefundFacts,
    RefundJournal,
)
from marketplace.application.ports.payment_gateway import PaymentGateway
from marketplace.domain import ledger
from marketplace.domain.ledger import JournalKind
from marketplace.domain.shared.errors import Unavailable
from marketplace.domain.shared.money import Money

SHOWN = 100
"""Findings that are listed for one check; all are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """``subject`` is what breaks the rule, ``detail`` how."""

    subject: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """``count`` findings in all, the first of them listed. ``note`` says why a check could not be made."""

    name: str
    promise: str
    count: int = 0
    findings: tuple[Finding, ...] = ()
    note: str = ""

    @property
    def ok(self) -> bool:
        return self.count == 0


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerReport:
    checks: tuple[CheckResult, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyLedger:
    """Prove that no cent and no piece of stock is unaccounted for."""

    audit: LedgerAudit
    gateway: PaymentGateway

    def __call__(self) -> LedgerReport:
        """What breaks an invariant is in the report, and no error; so is a provider that does not answer."""
        with self.audit.snapshot() as facts:
            results = [_result(check, check.find(facts)) for check in _CHECKS]
            of_orders = {check: _Tally() for check in ORDER_CHECKS}
            for order in facts.orders():
                for check, tally in of_orders.items():
                    if detail := check.judge(order):
                        tally.add(Finding(subject=f"order {order.reference}", detail=detail))
            held = {
                balance.balance.currency: balance.balance
                for balance in facts.balances()
                if balance.account == ledger.STRIPE_BALANCE
            }
        results += [tally.result(check.name, check.promise) for check, tally in of_orders.items()]
        # Outside of the snapshot: the provider may take its time, and no transaction waits for it.
        results.append(self._provider_agrees(held))
        return LedgerReport(checks=tuple(results))

    def _provider_agrees(self, held: dict[str, Money]) -> CheckResult:
        name, promise = "provider_agrees", "the balance at the payment provider is what the ledger says"
        tally = _Tally()
        for currency, ours in sorted(held.items()):
            try:
                theirs = self.gateway.balance(currency)
            except Unavailable as error:
                return CheckResult(name=name, promise=promise, note=f"Not checked: {error}")
            total = Money(theirs.available + theirs.pending, currency)
            if total != ours:
                detail = (
                    f"it has {total}, the ledger {ours}, {total - ours} apart; payments whose events are on their way "
                    "explain that for a moment: verify again when the worker has caught up"
                )
                tally.add(Finding(subject=f"{self.gateway.name} {currency}", detail=detail))
        return tally.result(name, promise)


@dataclass(slots=True)
class _Tally:
    count: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        self.count += 1
        if self.count <= SHOWN:
            self.findings.append(finding)

    def result(self, name: str, promise: str) -> CheckResult:
        return CheckResult(name=name, promise=promise, count=self.count, findings=tuple(self.findings))


@dataclass(frozen=True, slots=True)
class _Check:
    """Something to find in the facts as a whole."""

    name: str
    promise: str
    find: Callable[[AuditFacts], Iterable[Finding]]


def _result(check: _Check, findings: Iterable[Finding]) -> CheckResult:
    remaining = iter(findings)
    shown = tuple(islice(remaining, SHOWN))
    return CheckResult(
        name=check.name, promise=check.promise, count=len(shown) + sum(1 for _ in remaining), findings=shown
    )


def _journals_balance(facts: AuditFacts) -> Iterator[Finding]:
    for journal in facts.broken_journals():
        yield Finding(
            subject=f"journal {journal.id} ({journal.kind} {journal.source_key})",
            detail=f"adds up to {journal.total} minor units with {journal.lines} of {journal.lines_posted} lines",
        )


def _ledger_balances(facts: AuditFacts) -> Iterator[Finding]:
    totals: dict[str, int] = defaultdict(int)
    for entry in facts.balances():
        totals[entry.balance.currency] += entry.balance.amount
    for currency, total in sorted(totals.items()):
        if total:
            yield Finding(subject=currency, detail=f"the accounts add up to {Money(total, currency)}")


def _accounts_keep_to_their_side(facts: AuditFacts) -> Iterator[Finding]:
    for entry in facts.balances():
        if ledger.is_overdrawn(entry.account, entry.balance.amount):
            yield Finding(subject=entry.account, detail=f"stands at {entry.balance}, on the wrong side")


def _journals_name_their_order(facts: AuditFacts) -> Iterator[Finding]:
    for source_key, order_id in facts.stray_journals():
        yield Finding(subject=f"journal {source_key}", detail=f"names order {order_id}, which does not exist")


def _refunds_are_booked(facts: AuditFacts) -> Iterator[Finding]:
    booked = {(journal.kind, journal.source_key): journal for journal in facts.refund_journals()}
    for refund in facts.refunds():
        for kind, key in _expected_journals(refund):
            journal = booked.pop((kind, key), None)
            if detail := _misbooked(refund, journal):
                yield Finding(subject=f"refund {refund.id}", detail=f"{kind} {detail}")
    for journal in booked.values():
        yield Finding(
            subject=f"journal {journal.source_key}", detail=f"books {journal.amount} for no refund that wants it"
        )


def _expected_journals(refund: RefundFacts) -> Iterator[tuple[JournalKind, str]]:
    yield JournalKind.REFUND_DECIDED, f"refund:{refund.id}"
    if refund.provider_refund_id is not None:
        yield JournalKind.REFUND_CREATED, f"refund_sent:{refund.provider_refund_id}"
        if refund.has_failed:
            yield JournalKind.REFUND_FAILED, f"refund_failed:{refund.provider_refund_id}"
    for earlier in refund.earlier_provider_refund_ids:
        yield JournalKind.REFUND_CREATED, f"refund_sent:{earlier}"
        yield JournalKind.REFUND_FAILED, f"refund_failed:{earlier}"
    if refund.is_settled:
        yield JournalKind.REFUND_SETTLED, f"refund_settled:{refund.id}"


def _misbooked(refund: RefundFacts, journal: RefundJournal | None) -> str:
    if journal is None:
        return f"of {refund.amount} is not in the ledger"
    if journal.amount != refund.amount:
        return f"is booked as {journal.amount} instead of {refund.amount}"
    if journal.order_id != refund.order_id:
        return f"is booked under order {journal.order_id} instead of {refund.order_id}"
    return ""


def _recoveries_are_booked(facts: AuditFacts) -> Iterator[Finding]:
    booked = {
        (entry.account, entry.balance.currency): entry.balance.amount
        for entry in facts.balances()
        if entry.account.startswith("assets:seller_receivable:")
    }
    for debt in facts.debts():
        account = ledger.receivable(debt.seller_id)
        if (has := booked.pop((account, debt.left.currency), 0)) != debt.left.amount:
            has_booked = Money(has, debt.left.currency)
            yield Finding(subject=account, detail=f"stands at {has_booked}, {debt.left} are still to be taken back")
    for (account, currency), amount in booked.items():
        if amount:
            yield Finding(subject=account, detail=f"stands at {Money(amount, currency)}, nothing is to be taken back")


def _stock_covers_claims(facts: AuditFacts) -> Iterator[Finding]:
    for listing in facts.listings():
        if not 0 <= listing.claimed <= listing.stock:
            yield Finding(
                subject=f"listing {listing.listing_id}", detail=f"{listing.claimed} claimed of {listing.stock} in stock"
            )


def _claims_are_reservations(facts: AuditFacts) -> Iterator[Finding]:
    for listing in facts.listings():
        if listing.claimed != listing.reserved:
            yield Finding(
                subject=f"listing {listing.listing_id}",
                detail=f"{listing.claimed} claimed, but its reservations add up to {listing.reserved}",
            )


_CHECKS = (
    _Check("journals_balance", "every journal is whole and adds up to zero", _journals_balance),
    _Check("ledger_balances", "the whole ledger adds up to zero, in each currency", _ledger_balances),
    _Check(
        "accounts_keep_to_their_side",
        "no liability is in debit, no receivable in credit",
        _accounts_keep_to_their_side,
    ),
    _Check("journals_name_their_order", "no journal names an order that does not exist", _journals_name_their_order),
    _Check("refunds_are_booked", "each refund has its journals, each refund journal its refund", _refunds_are_booked),
    _Check("stock_covers_claims", "no stock is negative, no more is claimed than there is", _stock_covers_claims),
    _Check(
        "recoveries_are_booked",
        "what each seller owes is what is left of what is taken back from them",
        _recoveries_are_booked,
    ),
    _Check(
        "claims_are_reservations", "what is claimed of a listing is what its reservations say", _claims_are_reservations
    ),
)
