"""Sellers' accounts at the payment provider, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa

from marketplace.adapters.postgres.repository import PostgresRepository
from marketplace.adapters.postgres.tables.payout_accounts import payout_accounts
from marketplace.application.ports.payout_accounts import PayoutAccountRepository
from marketplace.domain.payout_accounts import AccountRequest, AccountState, EntityType, PayoutAccount, Transfers
from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.ids import AccountId

_columns = payout_accounts.c


class PostgresPayoutAccounts(PostgresRepository[PayoutAccount], PayoutAccountRepository):
    table = payout_accounts
    noun = "payout account of the seller"
    key = "account_id"
    constraints: ClassVar = {
        "payout_accounts_pkey": (Conflict, "This seller has an account at the payment provider already."),
        "one_seller_a_payout_account": (Conflict, "The provider's account belongs to another seller already."),
    }

    def find(self, account_id: AccountId) -> PayoutAccount | None:
        return self._first(_columns.account_id == account_id)

    def find_by_provider(self, provider_account_id: str) -> PayoutAccount | None:
        return self._first(_columns.provider_account_id == provider_account_id)

    def next_due_for_update(self, *, now: datetime) -> PayoutAccount | None:
        statement = (
            sa.select(payout_accounts)
            .where(_columns.next_check_at <= now, sa.func.coalesce(_columns.locked_until <= now, sa.true()))
            .order_by(_columns.next_check_at, _columns.account_id)
            .limit(1)
            .with_for_update(key_share=True, skip_locked=True)
        )
        row = self._execute(statement).first()
        return None if row is None else self.from_row(row)

    def to_row(self, entity: PayoutAccount) -> dict[str, Any]:
        return {
            "account_id": entity.account_id,
            "provider": entity.provider,
            "attempt": entity.attempt,
            "request": None if entity.request is None else _request_json(entity.request),
            "provider_account_id": entity.provider_account_id,
            "transfers": entity.state.transfers.value,
            "payouts_enabled": entity.state.payouts_enabled,
            "requirements_due": list(entity.state.requirements_due),
            "disabled_reason": entity.state.disabled_reason,
            "failures": entity.failures,
            "created_at": entity.created_at,
            "checked_at": entity.checked_at,
            "next_check_at": entity.next_check_at,
            "locked_until": entity.locked_until,
        }

    def from_row(self, row: Any) -> PayoutAccount:
        return PayoutAccount(
            account_id=row.account_id,
            provider=row.provider,
            attempt=row.attempt,
            request=None if row.request is None else _request(row.request, row.account_id),
            provider_account_id=row.provider_account_id,
            state=AccountState(
                transfers=Transfers(row.transfers),
                payouts_enabled=row.payouts_enabled,
                requirements_due=tuple(row.requirements_due),
                disabled_reason=row.disabled_reason,
            ),
            failures=row.failures,
            created_at=row.created_at,
            checked_at=row.checked_at,
            next_check_at=row.next_check_at,
            locked_until=row.locked_until,
            version=row.version,
        )


def _request_json(request: AccountRequest) -> dict[str, Any]:
    return {
        "email": request.email,
        "display_name": request.display_name,
        "entity_type": request.entity_type.value,
        "country": request.country,
    }


def _request(stored: dict[str, Any], seller_id: AccountId) -> AccountRequest:
    return AccountRequest(
        seller_id=seller_id,
        email=stored["email"],
        display_name=stored["display_name"],
        entity_type=EntityType(stored["entity_type"]),
        country=stored["country"],
    )
