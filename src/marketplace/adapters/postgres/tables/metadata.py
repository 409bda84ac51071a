"""The one MetaData, with names for every constraint, since errors are looked up by them."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A column of aware instants, by convention called ``..._at``."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
