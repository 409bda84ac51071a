"""The import: compares fingerprints, and writes only what differs, a batch a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as insert_or

from marketplace.adapters.postgres.catalogue.rows import (
    card_set_row,
    product_from,
    product_row,
    set_details_from,
)
from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.tables.catalogue import (
    card_sets,
    categories,
    games,
    languages,
    product_categories,
    products,
    versions,
)
from marketplace.application.ports.catalogue import CatalogueImport, Written
from marketplace.application.ports.ids import IdSequence
from marketplace.domain.catalogue.attributes import version_name
from marketplace.domain.catalogue.card_sets import CardSet, SetDetails
from marketplace.domain.catalogue.errors import DuplicateCode
from marketplace.domain.catalogue.imported import ImportedCard
from marketplace.domain.catalogue.products import Product
from marketplace.domain.shared.ids import CardSetId, CategoryId, ProductId

_LOCK = 7_231_978
_CONSTRAINTS = {
    "one_set_a_code": (DuplicateCode, "A set's code belongs to another set of its game and region; give it another."),
    "one_product_an_external_id": (DuplicateCode, "Somebody else has just added one of these cards; import again."),
    "one_product_a_slug": (DuplicateCode, "Somebody else has just taken the slug of one of these cards; import again."),
}
_KEPT = ("id", "external_id", "slug", "status", "created_at")
"""Columns of a product that an import sets once."""
_ORDER = (
    card_sets.c.tcg_type,
    sa.func.coalesce(card_sets.c.release_date, sa.text("'0001-01-01'::date")),
    card_sets.c.external_id,
)


class PostgresCatalogueImport(CatalogueImport):
    def __init__(self, engine: sa.Engine, ids: IdSequence) -> None:
        self._engine = engine
        self._ids = ids

    def sets(self) -> Mapping[tuple[str, str], SetDetails]:
        with self._engine.connect() as connection:
            found = [set_details_from(row) for row in connection.execute(sa.select(card_sets))]
        return {details.key: details for details in found}

    def put_sets(self, sets: Sequence[SetDetails], *, now: datetime) -> Written:
        with self._transaction() as connection:
            _add_games(connection, self._ids, {details.tcg_type for details in sets}, now)
            known = _known(connection, card_sets, [details.key for details in sets])
            added, changed = [], []
            for details in sets:
                stored = known.get(details.key)
                if stored is None:
                    id = CardSetId(self._ids.next())
                    added.append(_set_row(CardSet(id=id, details=details, created_at=now, updated_at=now)))
                elif stored.fingerprint != details.fingerprint:
                    id = CardSetId(stored.id)
                    changed.append(_set_row(CardSet(id=id, details=details, created_at=now, updated_at=now)))
            _insert(connection, card_sets, added)
            _update(connection, card_sets, changed, keep=("id", "external_id", "created_at"))
        return Written(added=len(added), changed=len(changed), unchanged=len(sets) - len(added) - len(changed))

    def put_cards(self, cards: Sequence[ImportedCard], *, now: datetime) -> Written:
        with self._transaction() as connection:
            sets = _set_ids(connection, {card.card_set.key: card.card_set for card in cards})
            prints = {card.key: card.fingerprint(sets[card.card_set.key][1]) for card in cards}
            known = _known(connection, products, list(prints))
            new = [card for card in cards if card.key not in known]
            altered = {
                known[card.key].id: card
                for card in cards
                if card.key in known and known[card.key].fingerprint != prints[card.key]
            }
            if new or altered:
                codes = _language_codes(connection)
                _add_versions(connection, self._ids, [*new, *altered.values()])
                added = []
                for card, id in zip(new, self._ids.take(len(new)), strict=True):
                    product = Product.publish(
                        id=ProductId(id),
                        tcg_type=card.tcg_type,
                        external_id=card.external_id,
                        set_id=sets[card.card_set.key][0],
                        details=card.details(languages=codes),
                        now=now,
                    )
                    added.append(_product_row(product, card, prints[card.key]))
                _make_slugs_unique(connection, added)
                _insert(connection, products, added)
                _put_into_root_categories(connection, [row["id"] for row in added])
                changed = []
                for product in _products(connection, list(altered)):
                    card = altered[product.id]
                    product.import_again(card.details(languages=codes), now=now)
                    product.set_id = sets[card.card_set.key][0]
                    changed.append(_product_row(product, card, prints[card.key]))
                _update(connection, products, changed, keep=_KEPT)
        return Written(added=len(new), changed=len(altered), unchanged=len(cards) - len(new) - len(altered))

    def settle(self) -> None:
        # The planner takes the tables for empty until it is told, and reads them whole for a page of twenty.
        with translated({}), self._engine.begin() as connection:
            connection.execute(sa.text("analyze games, categories, versions, card_sets, products, product_categories"))

    def exported_sets(self) -> Iterable[SetDetails]:
        with self._engine.connect() as connection:
            yield from map(set_details_from, connection.execute(sa.select(card_sets).order_by(*_ORDER)))

    def exported_cards(self) -> Iterator[ImportedCard]:
        with self._engine.connect() as connection:
            sets = {row.id: set_details_from(row) for row in connection.execute(sa.select(card_sets))}
            statement = (
                sa.select(products)
                .join(card_sets, card_sets.c.id == products.c.set_id)
                .where(products.c.status == "published", products.c.number.is_not(None))
                .order_by(*_ORDER, products.c.number_key, products.c.id)
            )
            for row in connection.execution_options(stream_results=True, max_row_buffer=1000).execute(statement):
                yield ImportedCard(
                    external_id=row.external_id,
                    card_set=sets[row.set_id],
                    number=row.number,
                    name=row.name,
                    names=row.names,
                    printed_number=row.printed_number,
                    rarity=row.rarity,
                    artist=row.artist,
                    description=row.description,
                    attributes=row.attributes,
                )

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with translated(_CONSTRAINTS), self._engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection


class _Stored:
    """What of a stored row says whether a line differs from the last one."""

    __slots__ = ("fingerprint", "id")

    def __init__(self, row: Any) -> None:
        self.id: int = row.id
        self.fingerprint = None if row.fingerprint is None else bytes(row.fingerprint)


def _known(
    connection: sa.Connection, table: sa.Table, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], _Stored]:
    """What is stored of the keys: game and casefolded external id."""
    found: dict[tuple[str, str], _Stored] = {}
    lowered = sa.func.lower(table.c.external_id)
    for game in {game for game, _ in keys}:
        external_ids = sa.literal([external_id for of, external_id in keys if of == game], ARRAY(sa.Text))
        statement = sa.select(table.c.id, lowered.label("key"), table.c.fingerprint).where(
            table.c.tcg_type == game, lowered == sa.any_(external_ids)
        )
        found |= {(game, row.key): _Stored(row) for row in connection.execute(statement)}
    return found


def _set_ids(
    connection: sa.Connection, sets: Mapping[tuple[str, str], SetDetails]
) -> dict[tuple[str, str], tuple[CardSetId, bytes]]:
    """The id and the fingerprint of each set."""
    known = _known(connection, card_sets, list(sets))
    return {key: (CardSetId(known[key].id), details.fingerprint) for key, details in sets.items()}


def _language_codes(connection: sa.Connection) -> frozenset[str]:
    return frozenset(connection.execute(sa.select(languages.c.code)).scalars())


def _products(connection: sa.Connection, ids: Sequence[int]) -> list[Product]:
    if not ids:
        return []
    into = sa.select(product_categories).where(product_categories.c.product_id.in_(ids))
    category_ids: dict[int, list[CategoryId]] = {}
    for row in connection.execute(into.order_by(product_categories.c.category_id)):
        category_ids.setdefault(row.product_id, []).append(row.category_id)
    # Orders and listings go on referring to them meanwhile.
    wanted = sa.select(products).where(products.c.id.in_(ids)).order_by(products.c.id)
    rows = connection.execute(wanted.with_for_update(key_share=True))
    return [product_from(row, tuple(category_ids.get(row.id, ()))) for row in rows]


def _set_row(card_set: CardSet) -> dict[str, Any]:
    return {**card_set_row(card_set), "version": 1, "fingerprint": _bytea(card_set.details.fingerprint)}


def _product_row(product: Product, card: ImportedCard, fingerprint: bytes) -> dict[str, Any]:
    row = product_row(product, card.card_set.search_lines)
    return {**row, "version": 1, "fingerprint": _bytea(fingerprint)}


def _bytea(value: bytes) -> str:
    return "\\x" + value.hex()


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        names = ", ".join(column.name for column in table.c)
        statement = f"insert into {table.name} ({names}) select {names} from {_RECORDS.format(table=table.name)}"
        connection.execute(sa.text(statement), {"rows": _json(rows)})


def _update(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]], *, keep: Sequence[str]) -> None:
    if rows:
        changes = ", ".join(
            f"{column.name} = record.{column.name}" for column in table.c if column.name not in (*keep, "version")
        )
        statement = (
            f"update {table.name} as stored set {changes}, version = stored.version + 1"
            f" from {_RECORDS.format(table=table.name)} where stored.id = record.id"
        )
        connection.execute(sa.text(statement), {"rows": _json(rows)})


# One parameter for a whole batch, which the server takes apart by the table's own types.
_RECORDS = "json_populate_recordset(null::{table}, cast(:rows as json)) as record"


def _json(rows: list[dict[str, Any]]) -> str:
    return orjson.dumps(rows).decode()


def _make_slugs_unique(connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
    slugs = [row["slug"] for row in rows]
    taken = set(connection.execute(sa.select(products.c.slug).where(products.c.slug.in_(slugs))).scalars())
    for row in rows:
        if row["slug"] in taken:
            row["slug"] = f"{row['slug']}-{row['id']}"
        taken.add(row["slug"])


def _add_games(connection: sa.Connection, ids: IdSequence, codes: Iterable[str], now: datetime) -> None:
    """Those that are not known, and for each a root category."""
    for code in sorted(codes):
        name = code.replace("-", " ").title()
        connection.execute(insert_or(games).values(code=code, name=name).on_conflict_do_nothing())
        root = sa.select(categories.c.id).where(categories.c.tcg_type == code, categories.c.parent_id.is_(None))
        if connection.execute(root.limit(1)).first() is None:
            named = connection.execute(sa.select(games.c.name).where(games.c.code == code)).scalar_one()
            row = {"id": ids.next(), "slug": code, "name": named, "tcg_type": code, "position": 0, "version": 1}
            insertion = insert_or(categories).values(**row, created_at=now, updated_at=now)
            connection.execute(insertion.on_conflict_do_nothing())


def _put_into_root_categories(connection: sa.Connection, ids: Sequence[int]) -> None:
    root = (
        sa.select(sa.func.min(categories.c.id))
        .where(categories.c.tcg_type == products.c.tcg_type, categories.c.parent_id.is_(None))
        .scalar_subquery()
    )
    rows = sa.select(products.c.id, root).where(products.c.id == sa.any_(sa.literal(ids, ARRAY(sa.BigInteger))))
    connection.execute(
        sa.insert(product_categories).from_select(["product_id", "category_id"], rows.where(root.is_not(None)))
    )


def _add_versions(connection: sa.Connection, ids: IdSequence, cards: Iterable[ImportedCard]) -> None:
    """Those that occur, and the games that they occur in."""
    occurring: dict[str, set[str]] = {}
    for card in cards:
        for code in card.versions:
            occurring.setdefault(code, set()).add(card.tcg_type)
    stored = {row.code: set(row.tcg_types) for row in connection.execute(sa.select(versions))} if occurring else {}
    for code, games_ in sorted(occurring.items()):
        if code not in stored:
            row = {"id": ids.next(), "code": code, "name": version_name(code), "tcg_types": sorted(games_)}
            connection.execute(insert_or(versions).values(**row).on_conflict_do_nothing())
        elif not games_ <= stored[code]:
            all_games = sorted(games_ | stored[code])
            connection.execute(sa.update(versions).where(versions.c.code == code).values(tcg_types=all_games))
