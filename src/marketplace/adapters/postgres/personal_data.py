"""What is held on a person, in PostgreSQL: read for its owner, or taken out in the transaction that erases them.

Nothing here is asked row by row: each statement goes through one table, by an index where it is large. The outbox, the
inbox and the kept answers, which have no index by person, are kept for days at most.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import text

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.order_queries import transition
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.payments import refund_view
from marketplace.adapters.postgres.tables.identity import sessions
from marketplace.adapters.postgres.tables.orders import order_transitions, orders
from marketplace.adapters.postgres.tables.payments import refunds
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
from marketplace.domain.identity.devices import Device
from marketplace.domain.identity.erasure import ERASED, MatterKind, OpenMatter
from marketplace.domain.ledger import accounts_of
from marketplace.domain.orders.status import Transition
from marketplace.domain.shared.ids import AccountId, OrderId
from marketplace.domain.shared.money import Money

if TYPE_CHECKING:
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

SHORTEST_WORD = 3
"""Shorter ones are in every text; a house number, say, tells of nobody by itself."""

_SHUT = text("select 1 from accounts where id = :id for update")
_OF_BUYER = "(select o.id from orders o where o.buyer_id = :id)"
_OF_BOTH = f"""({_OF_BUYER[1:-1]} union select s.order_id from sales s
    where s.seller_id = :id and s.paid_at is not null)"""

# Of each kind: how many, and the references of the first.
_MATTERS: Mapping[MatterKind, str] = {
    MatterKind.ORDER_UNPAID: "select reference from orders where buyer_id = :id and status = 'pending_payment'",
    MatterKind.ORDER_UNDERWAY: """
        select o.reference from orders o where o.buyer_id = :id and o.paid_at is not null and exists (
            select from sales s where s.order_id = o.id and s.status in ('awaiting_shipment', 'shipped', 'delivered'))
        """,
    MatterKind.PAYMENT_UNDERWAY: """
        select o.reference from orders o join payments p on p.order_id = o.id
        where o.buyer_id = :id and o.status <> 'pending_payment'
            and (p.status not in ('succeeded', 'canceled') or p.quarantine <> '')
        """,
    # By the claims of unpaid orders, which are few: the sales of a seller have an index once they are paid.
    MatterKind.SALE_UNPAID: """
        select distinct s.reference from reservations r
            join listings l on l.id = r.listing_id join sales s on s.order_id = r.order_id and s.seller_id = l.seller_id
        where r.order_id is not null and l.seller_id = :id
        """,
    MatterKind.SALE_UNDERWAY: """
        select reference from sales where seller_id = :id and paid_at is not null
            and status in ('awaiting_shipment', 'shipped', 'delivered')
        """,
    MatterKind.REFUND_UNDERWAY: f"""
        select o.reference from refunds f join orders o on o.id = f.order_id
        where f.order_id in {_OF_BOTH} and f.status in ('decided', 'sending', 'pending')
        """,
    MatterKind.REFUND_FAILED: """
        select o.reference from refunds f join orders o on o.id = f.order_id
        where o.buyer_id = :id and f.status = 'failed'
        """,
    MatterKind.CHARGEBACK_UNDERWAY: f"""
        select o.reference from chargebacks c join orders o on o.id = c.order_id
        where c.order_id in {_OF_BOTH} and c.lost is null
            and coalesce(c.stage not in ('won', 'inquiry_closed', 'prevented'), true)
        """,
    MatterKind.PAYOUT_OWED: """
        select abs(sum(n.amount))::text || ' ' || j.currency from journal_lines n join journals j on j.id = n.journal_id
        where n.account = any(:ledger) group by n.account, j.currency having sum(n.amount) <> 0
        """,
}
_OPEN = text(
    " union all ".join(
        f"(select '{kind}' as kind, count(*) as count,"
        f" (array_agg(found.reference order by found.reference))[1:{SUBJECTS}] as subjects"
        f" from ({statement}) as found (reference) having count(*) > 0)"
        for kind, statement in _MATTERS.items()
    )
)

_ORDERS = text(
    "update orders set shipping_address = shipping_address || cast(:blank as jsonb),"
    " billing_address = billing_address || cast(:blank as jsonb) where buyer_id = :id"
)
_WISHES = text(
    f"""
    update sales set cancellation_reason = :mark
    where order_id in {_OF_BUYER} and cancellation_reason is not null and cancellation_reason <> :mark
    """
)
# What somebody claimed, and what was told their bank of them: decided by then, and with the bank what it is for.
_CLAIMS = [
    text("update disputes set description = :mark where buyer_id = :id and description <> :mark"),
    text(f"update chargebacks set evidence = '{{}}' where order_id in {_OF_BUYER}"),
]
_LOCK_LISTINGS = text(
    """
    select 1 from listings l
    where l.seller_id = :id or l.id in (select r.listing_id from reservations r where r.buyer_id = :id)
    order by l.id for no key update of l
    """
)
_LISTINGS = text(
    """
    update listings set status = 'archived', description = '', updated_at = :now, version = version + 1
    where seller_id = :id and (status <> 'archived' or description <> '')
    """
)
_GONE = [
    text(statement)
    for statement in (
        "delete from reservations where buyer_id = :id",
        "delete from sessions where account_id = :id",  # and the tokens with them
        "delete from one_time_codes where account_id = :id",
        "delete from password_resets where account_id = :id or address_hash = any(:resets)",
        "delete from second_factors where account_id = :id",
        "delete from addresses where account_id = :id",
        "delete from notifications where account_id = :id",
        "delete from notification_preferences where account_id = :id",
        "delete from idempotency_keys where account_id = :id",
    )
]
# What the provider calls the seller stays, for whoever settles with it; what was to be said of them does not.
_PAYOUT_ACCOUNT = [
    text("delete from payout_accounts where account_id = :id and provider_account_id is null"),
    text("update payout_accounts set request = null where account_id = :id"),
]
# An event's payload is a hint, and read by nobody once it is stored: what it is about stands beside it.
_INBOX = text(
    f"""
    update webhook_inbox set payload = '{{}}', last_error = ''
    where order_id in {_OF_BUYER} or intent_id in (select p.intent_id from payments p where p.order_id in {_OF_BUYER})
        or account in (select p.provider_account_id from payout_accounts p where p.account_id = :id)
    """
)
# Of what is about this account alone nobody needs to hear any more.
_OUTBOX = [
    text(
        """
        update outbox set
            payload = payload || coalesce((
                select jsonb_object_agg(told.key, cast('' as text)) from jsonb_each(payload) told
                where told.key = any(:told)
            ), '{}'),
            last_error = '',
            done_at = case when name <> 'AccountErased' and cast(payload ->> 'account_id' as bigint) = :id
                then coalesce(done_at, :now) else done_at end,
            dead_at = case when cast(payload ->> 'account_id' as bigint) = :id then null else dead_at end
        where :whom = payload ->> 'account_id' or :whom = payload ->> 'buyer_id' or :whom = payload ->> 'seller_id'
        """
    ),
    text("update outbox set last_error = '' where last_error ilike any(:names)"),
]
_TOLD = ["description", "email", "first_name", "last_name", "name", "reason", "shop_name", "text", "username"]
"""Fields of events that hold what somebody wrote."""

_REASONS = [
    text(f"update refunds set reason = :mark where order_id in {_OF_BOTH} and reason ilike any(:words)"),
    text(f"update refunds set settled_note = :mark where order_id in {_OF_BOTH} and settled_note ilike any(:words)"),
    text("update disputes set note = :mark where :id in (buyer_id, seller_id) and note ilike any(:words)"),
    text(f"update order_transitions set reason = :mark where order_id in {_OF_BOTH} and reason ilike any(:words)"),
    text(
        f"""
        update audit_entries set reason = :mark
        where reason ilike any(:words) and (
            actor_id = :id
            or (subject_type in ('account', 'seller') and subject_id = :whom)
            or (subject_type = 'order' and subject_id in (select x.id::text from {_OF_BOTH} as x (id)))
            or (subject_type = 'refund' and subject_id in (
                select f.id::text from refunds f where f.order_id in {_OF_BOTH}))
            or (subject_type = 'dispute' and subject_id in (
                select d.id::text from disputes d where d.buyer_id = :id or d.seller_id = :id))
            or (subject_type = 'chargeback' and subject_id in (
                select c.id::text from chargebacks c where c.order_id in {_OF_BOTH}))
            or (subject_type = 'listing' and subject_id in (select l.id::text from listings l where l.seller_id = :id))
        )
        """
    ),
]
_WHEREABOUTS = text(
    "update audit_entries set origin = :mark where actor_id = :id"
    " and origin not in ('', 'command line', 'worker', :mark)"
)
# What somebody else was answered, an admin who decided on the account, say: only where a name stands as one, since it
# may be a word like any other. What was written goes with it.
_ANSWERS = text(
    """
    update idempotency_keys
    set body = regexp_replace(regexp_replace(body, :names, :mark, 'g'), :written, :mark, 'g')
    where body like any(:likely) and body ~ :names
    """
)
_NAMING = "username|email|pending_email|phone_number|shop_name|company_name|siret_number|vat_number"
_WRITTEN = r'("(?:description|reason|status_reason|first_name|last_name)"\s*:\s*)"(?:[^"\\]|\\.)*"'


class PostgresPersonalData(PersonalData):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    def shut(self, account_id: AccountId) -> None:
        self._uow.execute(_SHUT, {"id": account_id})

    def open_matters(self, account_id: AccountId) -> Sequence[OpenMatter]:
        rows = self._uow.execute(_OPEN, {"id": account_id, "ledger": list(accounts_of(account_id))})
        return [_matter(row) for row in rows]

    def forget(self, account_id: AccountId, *, traces: Traces, now: datetime) -> None:
        about = {"id": account_id, "whom": str(account_id), "now": now, "mark": ERASED, "told": _TOLD}
        about["blank"], about["resets"] = _BLANK, list(traces.address_hashes)
        about["names"], about["words"] = _anywhere(traces.names), _anywhere(traces.words)
        # Orders, then listings by ascending id, then claims, as everywhere.
        for statement in (_ORDERS, _WISHES, *_CLAIMS, _LOCK_LISTINGS, _LISTINGS, *_GONE):
            self._uow.execute(statement, about)
        for statement in (_INBOX, *_PAYOUT_ACCOUNT, *_OUTBOX, *_REASONS, _WHEREABOUTS):
            self._uow.execute(statement, about)
        if traces.names:
            self._forget_answers(traces.names)

    def _forget_answers(self, names: Collection[str]) -> None:
        in_json = sorted(_in_json(name) for name in names)
        # LIKE first: it is many times quicker than the expression that looks at where the word stands.
        likely = [_holding(f'"{name}"') for name in in_json]
        spelt = "|".join(re.escape(name) for name in in_json)
        named = rf'("(?:{_NAMING})"\s*:\s*)"(?:{spelt})"'
        self._uow.execute(_ANSWERS, {"likely": likely, "names": named, "written": _WRITTEN, "mark": rf'\1"{ERASED}"'})


def _matter(row: Any) -> OpenMatter:
    kind, subjects = MatterKind(row.kind), tuple(row.subjects)
    if kind is MatterKind.PAYOUT_OWED:
        owed = [subject.split() for subject in subjects]
        subjects = tuple(f"{Money(int(amount), currency).decimal} {currency}" for amount, currency in owed)
    return OpenMatter(kind=kind, count=row.count, subjects=subjects)


_BLANK = (
    f'{{"name": "{ERASED}", "street_number": "", "street": "", "city": "", "state": "", "postal_code": "",'
    ' "phone_number": ""}'
)
"""In place of an address; the country stays, which the taxes of the order depend on."""


def _anywhere(words: Collection[str]) -> list[str]:
    """Patterns of LIKE that find a word wherever it stands."""
    return [_holding(word) for word in sorted(words) if len(word) >= SHORTEST_WORD]


def _holding(word: str) -> str:
    literal = re.sub(r"([\\%_])", r"\\\1", word)
    return f"%{literal}%"


def _in_json(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


class PostgresPersonalDataQueries(PersonalDataQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def sessions(self, account_id: AccountId, request: PageRequest) -> Page[KeptSession]:
        return self._page(
            sa.select(sessions).where(sessions.c.account_id == account_id), sessions.c.id, request, _session
        )

    def codes(self, account_id: AccountId) -> Sequence[KeptCode]:
        with translated({}), self._engine.connect() as connection:
            rows = connection.execute(_CODES, {"id": account_id})
            return [KeptCode(purpose=r.purpose, requested_at=r.requested_at, used_at=r.used_at) for r in rows]

    def refunds(self, buyer_id: AccountId, request: PageRequest) -> Page[RefundView]:
        of_buyer = sa.select(refunds).join(orders, orders.c.id == refunds.c.order_id)
        return self._page(of_buyer.where(orders.c.buyer_id == buyer_id), refunds.c.id, request, refund_view)

    def history(self, buyer_id: AccountId, request: PageRequest) -> Page[tuple[OrderId, Transition]]:
        of_buyer = sa.select(order_transitions).join(orders, orders.c.id == order_transitions.c.order_id)
        return self._page(of_buyer.where(orders.c.buyer_id == buyer_id), order_transitions.c.id, request, _move)

    def _page(self, statement: sa.Select[Any], key: sa.Column[int], request: PageRequest, view: Any) -> Page[Any]:
        with translated({}), self._engine.connect() as connection:
            return paged(connection, statement, keys=[key], descending=False, request=request, view=view)


_CODES = text(
    """
    select purpose, requested_at, used_at from one_time_codes where account_id = :id
    union all select 'password_reset', requested_at, used_at from password_resets where account_id = :id
    order by requested_at, purpose
    """
)


def _session(row: Any) -> KeptSession:
    return KeptSession(
        id=row.id,
        device=Device(name=row.device, address=row.ip),
        started_at=row.started_at,
        last_used_at=row.refreshed_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def _move(row: Any) -> tuple[OrderId, Transition]:
    return row.order_id, transition(row)
