"""Where in a database some words are: every column that can hold text, of every table there is, asked of the schema."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

# As text: what is in the column, whatever its type. Numbers, times and booleans hold no words.
_COLUMNS = sa.text(
    """
    select c.relname as relation, a.attname as name, t.typname = 'bytea' as is_bytes
    from pg_attribute a
        join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'm')
        join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
        join pg_type t on t.oid = a.atttypid
    where a.attnum > 0 and not a.attisdropped and t.typcategory not in ('B', 'D', 'N', 'T')
    order by c.relname, a.attnum
    """
)


def searched_columns(engine: sa.Engine) -> set[str]:
    """``table.column`` of all that is looked through."""
    with engine.connect() as connection:
        return {f"{row.relation}.{row.name}" for row in connection.execute(_COLUMNS)}


def traces_of(engine: sa.Engine, words: Iterable[str]) -> set[tuple[str, str]]:
    """Each word, with each ``table.column`` in which it stands, whatever the case."""
    wanted = list(words)
    found: set[tuple[str, str]] = set()
    with engine.connect() as connection:
        for column in connection.execute(_COLUMNS).all():
            held = f'"{column.name}"'
            shown = f"encode({held}, 'escape')" if column.is_bytes else f"{held}::text"
            hits = connection.execute(
                sa.text(
                    f'select distinct word from "{column.relation}", unnest(cast(:words as text[])) as word'
                    f" where strpos(lower({shown}), lower(word)) > 0"
                ),
                {"words": wanted},
            )
            found |= {(word, f"{column.relation}.{column.name}") for word in hits.scalars()}
    return found


def besides_documents(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Invoices and credit notes stay as they were issued: the law wants them kept, with who they are for."""
    left = {(word, column) for word, column in found if column != "documents.content"}
    assert left < found, "there was no invoice, so that nothing is known of what becomes of one"
    return left
