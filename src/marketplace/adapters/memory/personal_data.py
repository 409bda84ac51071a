"""What is held on a person, in memory: read for its owner, or taken out in the unit that erases them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.payments import refund_view
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.pages import Page, PageRequest
from marketplace.application.ports.payments import RefundView
from marketplace.application.ports.personal_data import (
    SUBJECTS,
    KeptCode,
    KeptSession,
    PersonalData,
    PersonalDataQueries,
    Traces,
)
from marketplace.domain.disputes import Dispute
from marketplace.domain.identity.erasure import ERASED, MatterKind, OpenMatter
from marketplace.domain.identity.events import AccountErased
from marketplace.domain.ledger import Journal, accounts_of
from marketplace.domain.listings import Listing, ListingStatus
from marketplace.domain.orders.order import Order, PostalAddress, Sale
from marketplace.domain.orders.status import OrderStatus, SaleStatus, Transition
from marketplace.domain.payments.chargebacks import Chargeback
from marketplace.domain.payments.payment import Payment
from marketplace.domain.payments.refund import Refund, RefundStatus
from marketplace.domain.payout_accounts import PayoutAccount
from marketplace.domain.shared.ids import AccountId, OrderId
from marketplace.domain.shared.money import Money

if TYPE_CHECKING:
    from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork

_TO_ARRIVE = (SaleStatus.AWAITING_SHIPMENT, SaleStatus.SHIPPED, SaleStatus.DELIVERED)
_REFUNDING = (RefundStatus.DECIDED, RefundStatus.SENDING, RefundStatus.PENDING)
_TOLD = ("description", "email", "first_name", "last_name", "name", "reason", "shop_name", "text", "username")
_NAMING = "username|email|pending_email|phone_number|shop_name|company_name|siret_number|vat_number"
_WRITTEN = re.compile(r'("(?:description|reason|status_reason|first_name|last_name)"\s*:\s*)"(?:[^"\\]|\\.)*"')
_SHORTEST_WORD = 3


class InMemoryPersonalData(InMemoryRepository[Any], PersonalData):
    """Enlisted as a repository is, of no table: what is to be forgotten is, once the unit is committed."""

    name = "personal_data"
    noun = "person"

    def __init__(self, uow: InMemoryUnitOfWork) -> None:
        super().__init__(uow)
        self._leaving: list[_Leaving] = []

    def shut(self, account_id: AccountId) -> None:
        """Units of work follow one another."""

    def open_matters(self, account_id: AccountId) -> Sequence[OpenMatter]:
        found: dict[MatterKind, list[str]] = {kind: [] for kind in MatterKind}
        store = self._uow.store
        payments: dict[OrderId, Payment] = {p.order_id: p for p in store.table("payments").values()}
        orders: dict[OrderId, Order] = store.table("orders")
        for order in orders.values():
            payment = payments.get(order.id)
            if order.buyer_id == account_id:
                found.update({kind: [*found[kind], order.reference] for kind in _as_buyer(order, payment)})
            for sale in order.sales:
                if sale.seller_id == account_id and (kind := _as_seller(order, sale)) is not None:
                    found[kind].append(sale.reference)
        for refund in store.table("refunds").values():
            if (kind := _of_refund(refund, orders[refund.order_id], account_id)) is not None:
                found[kind].append(orders[refund.order_id].reference)
        for chargeback in store.table("chargebacks").values():
            if chargeback.is_underway and _is_of(orders[chargeback.order_id], account_id):
                found[MatterKind.CHARGEBACK_UNDERWAY].append(orders[chargeback.order_id].reference)
        found[MatterKind.PAYOUT_OWED] = _owed(store.table("journals").values(), account_id)
        return [
            OpenMatter(kind=kind, count=len(subjects), subjects=tuple(sorted(subjects)[:SUBJECTS]))
            for kind, subjects in found.items()
            if subjects
        ]

    def forget(self, account_id: AccountId, *, traces: Traces, now: datetime) -> None:
        self._leaving.append(_Leaving(self._uow.store, account_id, traces, now))

    def apply(self) -> None:
        for leaving in self._leaving:
            leaving.leave()
        self._leaving = []


def _as_buyer(order: Order, payment: Payment | None) -> Iterable[MatterKind]:
    if order.status is OrderStatus.PENDING_PAYMENT:
        yield MatterKind.ORDER_UNPAID
    elif payment is not None and (payment.status.is_open or payment.quarantine):
        yield MatterKind.PAYMENT_UNDERWAY
    if order.paid_at is not None and any(sale.status in _TO_ARRIVE for sale in order.sales):
        yield MatterKind.ORDER_UNDERWAY


def _as_seller(order: Order, sale: Sale) -> MatterKind | None:
    if order.paid_at is not None and sale.status in _TO_ARRIVE:
        return MatterKind.SALE_UNDERWAY
    return MatterKind.SALE_UNPAID if order.status is OrderStatus.PENDING_PAYMENT else None


def _of_refund(refund: Refund, order: Order, account_id: AccountId) -> MatterKind | None:
    if refund.status in _REFUNDING and _is_of(order, account_id):
        return MatterKind.REFUND_UNDERWAY
    failed = refund.status is RefundStatus.FAILED and order.buyer_id == account_id
    return MatterKind.REFUND_FAILED if failed else None


def _is_of(order: Order, account_id: AccountId) -> bool:
    sold = order.paid_at is not None and any(sale.seller_id == account_id for sale in order.sales)
    return sold or order.buyer_id == account_id


def _owed(journals: Iterable[Journal], account_id: AccountId) -> list[str]:
    balances: Counter[tuple[str, str]] = Counter()
    for journal in journals:
        for line in journal.lines:
            if line.account in accounts_of(account_id):
                balances[line.account, journal.currency] += line.amount
    return [_owed_text(amount, currency) for (_, currency), amount in balances.items() if amount]


def _owed_text(amount: int, currency: str) -> str:
    return f"{Money(abs(amount), currency).decimal} {currency}"


class _Leaving:
    """What an erasure takes out of the tables. Rows are replaced, not changed: others hold what they were given."""

    def __init__(self, store: InMemoryStore, account_id: AccountId, traces: Traces, now: datetime) -> None:
        self._store = store
        self._id = account_id
        self._now = now
        self._names = traces.names
        self._words = _finder(traces.words)
        self._resets = traces.address_hashes

    def leave(self) -> None:
        orders: dict[OrderId, Order] = self._store.table("orders")
        bought = {id for id, order in orders.items() if order.buyer_id == self._id}
        sold = {
            id
            for id, order in orders.items()
            if order.paid_at is not None and any(sale.seller_id == self._id for sale in order.sales)
        }
        self._forget_inbox(bought)
        self._forget_orders(bought, bought | sold)
        self._forget_listings()
        tokens, sessions = self._store.table("session_tokens"), self._store.table("sessions")
        for key in [key for key, token in tokens.items() if sessions[token.session_id].account_id == self._id]:
            del tokens[key]
        for table, owner in _OWNERS.items():
            rows = self._store.table(table)
            for key in [key for key, row in rows.items() if owner(row) == self._id]:
                del rows[key]
        resets = self._store.table("password_resets")
        for key in [key for key, reset in resets.items() if reset.address_hash in self._resets]:
            del resets[key]
        self._forget_payout_account()
        self._forget_events()
        self._forget_audit(bought | sold)
        self._forget_answers()

    def _forget_orders(self, bought: Collection[OrderId], both: Collection[OrderId]) -> None:
        orders: dict[OrderId, Order] = self._store.table("orders")
        for id in both:
            order = deepcopy(orders[id])
            order.transitions = [replace(move, reason=self._told(move.reason)) for move in orders[id].transitions]
            if id in bought:
                order.shipping_address = _nobodys(order.shipping_address)
                for sale in order.sales:
                    sale.cancellation = sale.cancellation and replace(sale.cancellation, reason=ERASED)
                order.billing_address = None if order.billing_address is None else _nobodys(order.billing_address)
            orders[id] = order
        refunds: dict[Any, Refund] = self._store.table("refunds")
        for key, refund in refunds.items():
            if refund.order_id in both:
                settled_note = self._told(refund.settled_note)
                refunds[key] = replace(refund, reason=self._told(refund.reason), settled_note=settled_note)
        self._forget_claims(bought)

    def _forget_claims(self, bought: Collection[OrderId]) -> None:
        disputes: dict[Any, Dispute] = self._store.table("disputes")
        for key, dispute in disputes.items():
            if self._id in (dispute.buyer_id, dispute.seller_id):
                said = ERASED if dispute.buyer_id == self._id else dispute.description
                disputes[key] = replace(dispute, description=said, note=self._told(dispute.note))
        chargebacks: dict[Any, Chargeback] = self._store.table("chargebacks")
        for key, chargeback in chargebacks.items():
            if chargeback.order_id in bought:
                chargebacks[key] = replace(chargeback, evidence={})

    def _forget_listings(self) -> None:
        listings: dict[Any, Listing] = self._store.table("listings")
        for id, listing in listings.items():
            if listing.seller_id == self._id and (listing.description or listing.status is not ListingStatus.ARCHIVED):
                listings[id] = replace(
                    listing,
                    status=ListingStatus.ARCHIVED,
                    description="",
                    updated_at=self._now,
                    version=listing.version + 1,
                )

    def _forget_inbox(self, bought: Collection[OrderId]) -> None:
        intents = {p.intent_id for p in self._store.table("payments").values() if p.order_id in bought}
        paid_out: PayoutAccount | None = self._store.table("payout_accounts").get(self._id)
        account = None if paid_out is None else paid_out.provider_account_id
        for row in self._store.table("webhook_inbox").values():
            event = row.event
            if (
                event.order_id in bought
                or (event.intent_id is not None and event.intent_id in intents)
                or (account is not None and event.account == account)
            ):
                row.event, row.last_error = replace(event, payload={}), ""

    def _forget_payout_account(self) -> None:
        accounts = self._store.table("payout_accounts")
        kept = accounts.get(self._id)
        if kept is not None and kept.provider_account_id is None:
            del accounts[self._id]
        elif kept is not None:
            accounts[self._id] = replace(kept, request=None)

    def _forget_events(self) -> None:
        for row in self._store.outbox.values():
            payload = row.event.payload()
            if self._id in (payload.get("account_id"), payload.get("buyer_id"), payload.get("seller_id")):
                untold: dict[str, Any] = {key: "" for key in payload if key in _TOLD}
                row.event = replace(row.event, **untold)
                row.last_error = ""
                if payload.get("account_id") == self._id:
                    row.dead = False
                    if not isinstance(row.event, AccountErased):
                        row.done_at = row.done_at or self._now
            elif _finder(self._names)(row.last_error):
                row.last_error = ""

    def _forget_audit(self, orders: Collection[OrderId]) -> None:
        entries = self._store.table("audit_entries")
        listings = {listing.id for listing in self._store.table("listings").values() if listing.seller_id == self._id}
        subjects = {("account", str(self._id)), ("seller", str(self._id))}
        for kind in ("refund", "chargeback"):
            table = self._store.table(f"{kind}s").values()
            subjects |= {(kind, str(row.id)) for row in table if row.order_id in orders}
        disputes = self._store.table("disputes").values()
        subjects |= {("dispute", str(d.id)) for d in disputes if self._id in (d.buyer_id, d.seller_id)}
        subjects |= {("order", str(id)) for id in orders} | {("listing", str(id)) for id in listings}
        for key, entry in entries.items():
            acted = entry.actor_id == self._id
            if acted or (entry.subject_type, entry.subject_id) in subjects:
                entry = replace(entry, reason=self._told(entry.reason))
            if acted and entry.origin not in ("", "command line", "worker"):
                entry = replace(entry, origin=ERASED)
            entries[key] = entry

    def _forget_answers(self) -> None:
        if not self._names:
            return
        spelt = "|".join(re.escape(name.replace("\\", "\\\\").replace('"', '\\"')) for name in sorted(self._names))
        pattern = re.compile(rf'("(?:{_NAMING})"\s*:\s*)"(?:{spelt})"')
        records = self._store.table("idempotency_keys")
        for key, record in records.items():
            if record.answer is not None and pattern.search(record.answer.body):
                body = _WRITTEN.sub(rf'\1"{ERASED}"', pattern.sub(rf'\1"{ERASED}"', record.answer.body))
                records[key] = replace(record, answer=replace(record.answer, body=body))

    def _told(self, reason: str) -> str:
        return ERASED if self._words(reason) else reason


_OWNERS: Mapping[str, Callable[[Any], AccountId | None]] = {
    "reservations": lambda row: row.buyer_id,
    "sessions": lambda row: row.account_id,
    "one_time_codes": lambda row: row.account_id,
    "password_resets": lambda row: row.account_id,
    "second_factors": lambda row: row.account_id,
    "addresses": lambda row: row.account_id,
    "notifications": lambda row: row.told.account_id,
    "notification_preferences": lambda row: row.account_id,
    "idempotency_keys": lambda row: row.account_id,
}


def _finder(words: Collection[str]) -> Callable[[str], bool]:
    folded = [word.lower() for word in words if len(word) >= _SHORTEST_WORD]
    return lambda text: any(word in text.lower() for word in folded)


def _nobodys(address: PostalAddress) -> PostalAddress:
    blank = {field.name: "" for field in fields(PostalAddress)}
    return PostalAddress(**{**blank, "name": ERASED, "country": address.country})


class InMemoryPersonalDataQueries(PersonalDataQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def sessions(self, account_id: AccountId, request: PageRequest) -> Page[KeptSession]:
        with self._store.lock:
            found = [s for s in self._store.table("sessions").values() if s.account_id == account_id]
        return paged(found, key=lambda s: (s.id,), descending=False, request=request, view=_session)

    def codes(self, account_id: AccountId) -> Sequence[KeptCode]:
        with self._store.lock:
            kept = [("password_reset", reset) for reset in self._store.table("password_resets").values()]
            kept += [(code.purpose.value, code) for code in self._store.table("one_time_codes").values()]
        found = [
            KeptCode(purpose=purpose, requested_at=code.requested_at, used_at=code.used_at)
            for purpose, code in kept
            if code.account_id == account_id
        ]
        return sorted(found, key=lambda code: (code.requested_at, code.purpose))

    def refunds(self, buyer_id: AccountId, request: PageRequest) -> Page[RefundView]:
        with self._store.lock:
            orders = self._store.table("orders")
            found = [r for r in self._store.table("refunds").values() if orders[r.order_id].buyer_id == buyer_id]
        return paged(found, key=lambda r: (r.id,), descending=False, request=request, view=refund_view)

    def history(self, buyer_id: AccountId, request: PageRequest) -> Page[tuple[OrderId, Transition]]:
        with self._store.lock:
            orders = [order for order in self._store.table("orders").values() if order.buyer_id == buyer_id]
        moves = [(order.id, n, move) for order in orders for n, move in enumerate(order.transitions)]
        return paged(
            moves,
            key=lambda m: (m[2].at.isoformat(), m[0], m[1]),
            descending=False,
            request=request,
            view=lambda m: (m[0], m[2]),
        )


def _session(session: Any) -> KeptSession:
    return KeptSession(
        id=session.id,
        device=session.device,
        started_at=session.started_at,
        last_used_at=session.refreshed_at,
        expires_at=session.expires_at,
        revoked_at=session.revoked_at,
    )
