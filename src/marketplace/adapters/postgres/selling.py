"""Who sells at an instant, as every list and every claim asks it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from marketplace.adapters.postgres.tables.sellers import seller_profiles


def is_selling(
    now: datetime | sa.ColumnElement[datetime], seller: sa.FromClause = seller_profiles
) -> sa.ColumnElement[bool]:
    """Who has all that selling needs and is not on holiday. By the clock alone: no worker has to open a shop again.

    ``seller`` is the table of the profiles or an alias of it. The functions ``claim_stock`` and ``lock_cart`` say the
    same.
    """
    away = seller.c
    return sa.and_(
        away.may_sell, sa.or_(away.holiday_from.is_(None), away.holiday_from > now, away.holiday_until <= now)
    )
