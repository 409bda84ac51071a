"""Languages, versions, conditions, grades and games, and the variants made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as insert_or

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.ids import BLOCK
from marketplace.adapters.postgres.tables.catalogue import (
    card_sets,
    conditions,
    games,
    grades,
    languages,
    products,
    variants,
    versions,
)
from marketplace.application.ports.catalogue import PrintKey
from marketplace.domain.catalogue.attributes import Attributes, Condition, Grade, Language, Version
from marketplace.domain.catalogue.errors import DuplicateCode
from marketplace.domain.catalogue.variants import VariantKey
from marketplace.domain.shared.ids import ConditionId, GradeId, LanguageId, ProductId, VariantId, VersionId

CONSTRAINTS = {
    name: (DuplicateCode, f"There is a {noun} with this code already; change that one or choose another code.")
    for name, noun in {
        "one_language_a_code": "language",
        "one_version_a_code": "version",
        "one_condition_a_code": "condition",
        "one_grade_a_value": "grade",
    }.items()
}
_KEY = ("product_id", "language_id", "version_id", "condition_id", "grade_id")
_BIGINTS = ARRAY(sa.BigInteger)


def _all_rows(table: sa.Table) -> sa.ScalarSelect[Any]:
    row = table.table_valued()
    return sa.select(sa.func.jsonb_agg(sa.func.to_jsonb(row))).select_from(table).scalar_subquery()


# Four small tables in one statement.
_ATTRIBUTES = sa.select(
    _all_rows(languages).label("languages"),
    _all_rows(versions).label("versions"),
    _all_rows(conditions).label("conditions"),
    _all_rows(grades).label("grades"),
)


def read_attributes(connection: sa.Connection) -> Attributes:
    row = connection.execute(_ATTRIBUTES).one()

    def ordered(rows: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
        return sorted(rows or [], key=lambda each: int(each["id"]))

    return Attributes.of(
        languages=[Language(**{**each, "id": LanguageId(each["id"])}) for each in ordered(row.languages)],
        versions=[
            Version(**{**each, "id": VersionId(each["id"]), "tcg_types": frozenset(each["tcg_types"])})
            for each in ordered(row.versions)
        ],
        conditions=[Condition(**{**each, "id": ConditionId(each["id"])}) for each in ordered(row.conditions)],
        grades=[Grade(**{**each, "id": GradeId(each["id"])}) for each in ordered(row.grades)],
    )


def read_games(connection: sa.Connection) -> Mapping[str, str]:
    return {row.code: row.name for row in connection.execute(sa.select(games).order_by(games.c.code))}


def add_language(connection: sa.Connection, language: Language) -> None:
    _insert(connection, languages, id=language.id, code=language.code, name=language.name)


def add_version(connection: sa.Connection, version: Version) -> None:
    _insert(connection, versions, **_version_row(version))


def save_version(connection: sa.Connection, version: Version) -> None:
    connection.execute(sa.update(versions).where(versions.c.id == version.id).values(_version_row(version)))


def add_condition(connection: sa.Connection, condition: Condition) -> None:
    _insert(
        connection,
        conditions,
        id=condition.id,
        code=condition.code,
        label=condition.label,
        rank=condition.rank,
        is_graded=condition.is_graded,
    )


def add_grade(connection: sa.Connection, grade: Grade) -> None:
    _insert(connection, grades, id=grade.id, grader=grade.grader, value=grade.value)


def _insert(connection: sa.Connection, table: sa.Table, **row: Any) -> None:
    with translated(CONSTRAINTS):
        connection.execute(sa.insert(table).values(**row))


def _version_row(version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "code": version.code,
        "name": version.name,
        "tcg_types": sorted(version.tcg_types),
        "description": version.description,
        "displayable": version.displayable,
    }


def find_or_create_variants(connection: sa.Connection, keys: Iterable[VariantKey]) -> dict[VariantKey, VariantId]:
    """In ascending order of keys, so that two that make the same variants wait for each other and never both."""
    wanted = sorted(set(keys), key=_sort_key)
    found = _existing(connection, wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        ids = _new_ids(connection, len(missing))
        rows = [{"id": id, **_row(key)} for id, key in zip(ids, missing, strict=True)]
        for start in range(0, len(rows), 1000):
            insertion = insert_or(variants).values(rows[start : start + 1000])
            connection.execute(insertion.on_conflict_do_nothing(constraint="one_variant_a_combination"))
        # Read again rather than returned: some may be another's, made meanwhile.
        found |= _existing(connection, missing)
    return found


def read_variant_key(connection: sa.Connection, id: VariantId) -> VariantKey | None:
    row = connection.execute(sa.select(variants).where(variants.c.id == id)).first()
    return None if row is None else _key(row)


def _existing(connection: sa.Connection, keys: Sequence[VariantKey]) -> dict[VariantKey, VariantId]:
    if not keys:
        return {}
    columns = [sa.literal([getattr(key, name) for key in keys], _BIGINTS) for name in _KEY]
    wanted = (
        sa.func.unnest(*columns)
        .table_valued(*(sa.column(name, sa.BigInteger) for name in _KEY), name="wanted")
        .render_derived()
    )
    same = [
        variants.c[name].is_not_distinct_from(wanted.c[name])
        if name == "grade_id"
        else variants.c[name] == wanted.c[name]
        for name in _KEY
    ]
    rows = connection.execute(sa.select(variants).join(wanted, sa.and_(*same)))
    return {_key(row): VariantId(row.id) for row in rows}


def _new_ids(connection: sa.Connection, count: int) -> list[int]:
    starts = connection.execute(
        sa.text("select nextval('identities') from generate_series(1, :blocks)"), {"blocks": -(-count // BLOCK)}
    ).scalars()
    return [start + offset for start in starts for offset in range(BLOCK)][:count]


def _sort_key(key: VariantKey) -> tuple[int, ...]:
    return key.product_id, key.language_id, key.version_id, key.condition_id, key.grade_id or 0


def _row(key: VariantKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in _KEY}


def _key(row: Any) -> VariantKey:
    return VariantKey(**{name: getattr(row, name) for name in _KEY})


def printed_products(connection: sa.Connection, keys: Iterable[PrintKey]) -> dict[PrintKey, ProductId]:
    """The published products of the keys' sets, looked up together."""
    wanted = set(keys)
    games_, regions, codes, numbers = (
        sa.literal([getattr(key, name) for key in wanted], ARRAY(sa.Text))
        for name in ("tcg_type", "region", "set_code", "number")
    )
    asked = (
        sa.func.unnest(games_, regions, codes, numbers)
        .table_valued(
            *(sa.column(name, sa.Text) for name in ("tcg_type", "region", "set_code", "number")), name="asked"
        )
        .render_derived()
    )
    statement = (
        sa.select(asked, products.c.id)
        .join(
            card_sets,
            sa.and_(
                card_sets.c.tcg_type == asked.c.tcg_type,
                card_sets.c.region == asked.c.region,
                sa.func.lower(card_sets.c.code) == sa.func.lower(asked.c.set_code),
            ),
        )
        .join(products, sa.and_(products.c.set_id == card_sets.c.id, products.c.number == asked.c.number))
        .where(products.c.status == "published")
    )
    found: dict[PrintKey, ProductId] = {}
    ambiguous: set[PrintKey] = set()
    for row in connection.execute(statement):
        key = PrintKey(tcg_type=row.tcg_type, region=row.region, set_code=row.set_code, number=row.number)
        if found.setdefault(key, ProductId(row.id)) != row.id:
            ambiguous.add(key)
    return {key: id for key, id in found.items() if key not in ambiguous}
