"""Proving the books: every invariant that a purchase and a refund touch, checked on one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from marketplace.application.ports.ledger import (
    AuditFacts,
    LedgerAudit,
    OrderFacts,
    RefundFacts,
    RefundJournal,
)
from marketplace.application.ports.payment_gateway import PaymentGateway
from marketplace.domain import ledger
from marketplace.domain.fees import FeeComponent, FeePayer
from marketplace.domain.ledger import AccountType, JournalKind
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
            of_orders = {check: _Tally() for check in _ORDER_CHECKS}
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


@dataclass(frozen=True, slots=True)
class _OrderCheck:
    """A judgement of one order: what is wrong with it, or nothing."""

    name: str
    promise: str
    judge: Callable[[OrderFacts], str]


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


def _parts_add_up(order: OrderFacts) -> str:
    """Lines to sales, sales to the order, fees to both, and what went back of them."""
    for sale in order.sales:
        if sale.lines != sale.base:
            return f"the lines of sale {sale.id} add up to {sale.lines}, the sale says {sale.base}"
        # An amount may be given back without a piece, so that more can be returned than the pieces are worth.
        if sale.lines_returned > sale.returned:
            return f"pieces worth {sale.lines_returned} went back of sale {sale.id}, it says {sale.returned}"
    bases = sum(sale.base for sale in order.sales)
    if bases != order.base:
        return f"its base is {order.base}, its sales add up to {bases}"
    return _unexplained_fee(order)


def _unexplained_fee(order: OrderFacts) -> str:
    """The rules that it was charged by come to its amounts, and to each sale's: buyer and sellers may pay unequally."""
    agreed: dict[str, int] = {
        f"{FeeComponent.COMMISSION} of the buyer": order.commission,
        f"{FeeComponent.PROCESSING} of the buyer": order.processing,
        f"{FeeComponent.SHIPPING} of the buyer": order.shipping,
    }
    for sale in order.sales:
        agreed[f"{FeeComponent.COMMISSION} of seller {sale.seller_id}"] = sale.commission
        agreed[f"{FeeComponent.SELLER_FEES} of seller {sale.seller_id}"] = sale.seller_fees
    explained: dict[str, int] = defaultdict(int)
    for fee in order.fees:
        if fee.rule.payer is not FeePayer.SELLER:
            explained[f"{fee.rule.component} of the buyer"] += fee.amount
        for part in fee.parts:
            explained[f"{fee.rule.component} of seller {part.seller_id}"] += part.share
    for what in sorted({*agreed, *explained}):
        if agreed.get(what, 0) != explained.get(what, 0):
            return f"{what} is {agreed.get(what, 0)}, its rules come to {explained.get(what, 0)}"
    return ""


def _paid_once(order: OrderFacts) -> str:
    """A paid order has one payment journal, of exactly what was agreed; an unpaid one has none."""
    if not order.is_paid:
        return f"is not paid, and has {len(order.captures)} payment journals" if order.captures else ""
    if len(order.captures) != 1:
        return f"is paid, and has {len(order.captures)} payment journals"
    agreed = {
        ledger.STRIPE_BALANCE: order.base + order.commission + order.processing + order.shipping,
        ledger.COMMISSION_SELLER: -sum(sale.commission for sale in order.sales),
        ledger.SELLER_FEES: -sum(sale.seller_fees for sale in order.sales),
        ledger.COMMISSION_BUYER: -order.commission,
        ledger.PROCESSING_FEE: -order.processing,
        ledger.SHIPPING: -order.shipping,
    }
    for sale in order.sales:
        agreed[ledger.pending(sale.seller_id)] = sale.commission + sale.seller_fees - sale.base
    booked: dict[str, int] = defaultdict(int)
    for line in order.captures[0]:
        booked[line.account] += line.amount
    for account in sorted({*agreed, *booked}):
        if agreed.get(account, 0) != booked.get(account, 0):
            return f"{account} was booked {booked.get(account, 0)} at payment, agreed was {agreed.get(account, 0)}"
    return ""


def _money_is_accounted_for(order: OrderFacts) -> str:
    """captured = held for sellers + refunded + our revenue + shipping"""
    captured = order.moves.get((JournalKind.PAYMENT_CAPTURED, ledger.STRIPE_BALANCE), 0)
    where = {
        "held": -_moved(order, "liabilities:seller:"),
        "refunded": _refunded(order),
        "revenue": -_moved(order, f"{AccountType.REVENUE}:"),
        "shipping": -_moved(order, ledger.SHIPPING),
    }
    if captured == sum(where.values()):
        return ""
    parts = ", ".join(f"{amount} {name}" for name, amount in where.items())
    return f"{captured} were captured, but there are {parts}"


def _refunds_within_payment(order: OrderFacts) -> str:
    captured = order.moves.get((JournalKind.PAYMENT_CAPTURED, ledger.STRIPE_BALANCE), 0)
    refunded = _refunded(order)
    return f"{refunded} are refunded of {captured} captured" if refunded > captured else ""


def _refunded(order: OrderFacts) -> int:
    """What was decided to go back, sent or not."""
    return -order.moves.get((JournalKind.REFUND_DECIDED, ledger.REFUNDS_PAYABLE), 0)


def _moved(order: OrderFacts, prefix: str) -> int:
    return sum(amount for (_, account), amount in order.moves.items() if account.startswith(prefix))


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
        "claims_are_reservations", "what is claimed of a listing is what its reservations say", _claims_are_reservations
    ),
)
_ORDER_CHECKS = (
    _OrderCheck("parts_add_up", "lines add up to sales and sales to orders", _parts_add_up),
    _OrderCheck("paid_once", "paid orders have one payment journal of what was agreed, others none", _paid_once),
    _OrderCheck(
        "money_is_accounted_for",
        "what an order brought in is held, refunded, our revenue or for shipping",
        _money_is_accounted_for,
    ),
    _OrderCheck("refunds_within_payment", "no order is refunded more than was paid for it", _refunds_within_payment),
)
