"""The catalogue: games, sets, products, categories, and what variants are made of."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

# The same order on every server, whatever its locale, and one that a LIKE with a fixed beginning can use.
_PLAIN = sa.Text(collation="C")
_NO_ARRAY = sa.text("'{}'")
_NO_OBJECT = sa.text("'{}'")
_NOTHING = sa.text("''")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False)


games = sa.Table(
    "games",
    metadata,
    sa.Column("code", _PLAIN, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
)

languages = sa.Table(
    "languages",
    metadata,
    _id(),
    sa.Column("code", _PLAIN, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.UniqueConstraint("code", name=conv("one_language_a_code")),
)

versions = sa.Table(
    "versions",
    metadata,
    _id(),
    sa.Column("code", _PLAIN, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("tcg_types", ARRAY(sa.Text), nullable=False, server_default=_NO_ARRAY),
    sa.Column("description", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("displayable", sa.Boolean, nullable=False, server_default=sa.text("true")),
    sa.UniqueConstraint("code", name=conv("one_version_a_code")),
)

conditions = sa.Table(
    "conditions",
    metadata,
    _id(),
    sa.Column("code", _PLAIN, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    # 1 is the best.
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("is_graded", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.UniqueConstraint("code", name=conv("one_condition_a_code")),
)

grades = sa.Table(
    "grades",
    metadata,
    _id(),
    sa.Column("grader", _PLAIN, nullable=False),
    sa.Column("value", _PLAIN, nullable=False),
    sa.UniqueConstraint("grader", "value", name=conv("one_grade_a_value")),
)

categories = sa.Table(
    "categories",
    metadata,
    _id(),
    sa.Column("parent_id", sa.BigInteger, sa.ForeignKey("categories.id", name=conv("category_has_children"))),
    sa.Column("slug", _PLAIN, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("tcg_type", _PLAIN, sa.ForeignKey("games.code")),
    sa.Column("position", sa.Integer, nullable=False, server_default=sa.text("0")),
    moment("created_at"),
    moment("updated_at"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("slug", name=conv("one_category_a_slug")),
    sa.CheckConstraint("parent_id <> id", name=conv("category_not_below_itself")),
)
sa.Index("categories_parent_id_idx", categories.c.parent_id)

card_sets = sa.Table(
    "card_sets",
    metadata,
    _id(),
    sa.Column("tcg_type", _PLAIN, sa.ForeignKey("games.code"), nullable=False),
    sa.Column("external_id", _PLAIN, nullable=False),
    sa.Column("region", _PLAIN, nullable=False),
    sa.Column("code", _PLAIN, nullable=False),
    sa.Column("codes", JSONB, nullable=False, server_default=_NO_OBJECT),
    sa.Column("name", _PLAIN, nullable=False),
    sa.Column("names", JSONB, nullable=False, server_default=_NO_OBJECT),
    sa.Column("series_id", sa.Text),
    sa.Column("series", sa.Text),
    sa.Column("block", sa.Text),
    sa.Column("release_date", sa.Date),
    sa.Column("card_count_official", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("attributes", JSONB, nullable=False, server_default=_NO_OBJECT),
    sa.Column("search_text", sa.Text, nullable=False),
    # Of the line that it was imported from: the same again changes nothing.
    sa.Column("fingerprint", sa.LargeBinary),
    moment("created_at"),
    moment("updated_at"),
    sa.Column("version", sa.Integer, nullable=False),
)
sa.Index("one_set_an_external_id", card_sets.c.tcg_type, sa.func.lower(card_sets.c.external_id), unique=True)
sa.Index("one_set_a_code", card_sets.c.tcg_type, card_sets.c.region, sa.func.lower(card_sets.c.code), unique=True)
sa.Index(
    "card_sets_release_idx", sa.func.coalesce(card_sets.c.release_date, sa.text("'0001-01-01'::date")), card_sets.c.id
)

products = sa.Table(
    "products",
    metadata,
    _id(),
    sa.Column("tcg_type", _PLAIN, sa.ForeignKey("games.code"), nullable=False),
    sa.Column("external_id", _PLAIN, nullable=False),
    sa.Column("set_id", sa.BigInteger, sa.ForeignKey("card_sets.id")),
    sa.Column("number", _PLAIN),
    sa.Column("printed_number", _PLAIN),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("names", JSONB, nullable=False, server_default=_NO_OBJECT),
    sa.Column("slug", _PLAIN, nullable=False),
    sa.Column("series", sa.Text),
    sa.Column("block", sa.Text),
    sa.Column("rarity", sa.Text),
    sa.Column("artist", sa.Text),
    sa.Column("description", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("attributes", JSONB, nullable=False, server_default=_NO_OBJECT),
    sa.Column("allowed_languages", ARRAY(sa.Text), nullable=False, server_default=_NO_ARRAY),
    sa.Column("allowed_versions", ARRAY(sa.Text), nullable=False, server_default=_NO_ARRAY),
    sa.Column("status", sa.Text, nullable=False),
    # What the domain makes of the columns above, to search and sort by.
    sa.Column("search_text", sa.Text, nullable=False),
    sa.Column("name_key", _PLAIN, nullable=False),
    sa.Column("number_key", _PLAIN, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary),
    moment("created_at"),
    moment("updated_at"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("slug", name=conv("one_product_a_slug")),
    sa.CheckConstraint("status in ('published', 'archived')", name=conv("known_product_status")),
)
PUBLISHED = sa.text("status = 'published'")
"""What the public may see, word for word what the partial indexes say."""

_columns = products.c
sa.Index("one_product_an_external_id", _columns.tcg_type, sa.func.lower(_columns.external_id), unique=True)
sa.Index("products_external_id_idx", sa.func.lower(_columns.external_id))
sa.Index("products_name_idx", _columns.name_key, _columns.id, postgresql_where=PUBLISHED)
sa.Index("products_number_idx", _columns.number_key, _columns.id, postgresql_where=PUBLISHED)
sa.Index("products_newest_idx", _columns.created_at, _columns.id, postgresql_where=PUBLISHED)
sa.Index("products_updated_idx", _columns.updated_at, _columns.id, postgresql_where=PUBLISHED)
sa.Index("products_tcg_type_idx", _columns.tcg_type, _columns.id, postgresql_where=PUBLISHED)
sa.Index("products_set_idx", _columns.set_id, _columns.number_key, _columns.id)
sa.Index("products_series_idx", _columns.series, _columns.id, postgresql_where=PUBLISHED)
sa.Index(
    "products_block_idx", sa.func.coalesce(_columns.block, _columns.series), _columns.id, postgresql_where=PUBLISHED
)
sa.Index("products_rarity_idx", _columns.rarity, _columns.id, postgresql_where=PUBLISHED)
sa.Index("products_number_text_idx", sa.func.lower(_columns.number), _columns.id, postgresql_where=PUBLISHED)
sa.Index("products_printed_number_idx", sa.func.lower(_columns.printed_number), _columns.id, postgresql_where=PUBLISHED)
sa.Index(
    "products_search_idx",
    _columns.search_text,
    postgresql_using="gin",
    postgresql_ops={"search_text": "gin_trgm_ops"},
    postgresql_where=PUBLISHED,
)

product_categories = sa.Table(
    "product_categories",
    metadata,
    sa.Column("product_id", sa.BigInteger, sa.ForeignKey("products.id"), primary_key=True, autoincrement=False),
    sa.Column(
        "category_id",
        sa.BigInteger,
        sa.ForeignKey("categories.id", name=conv("category_has_products")),
        primary_key=True,
        autoincrement=False,
    ),
)
sa.Index("product_categories_category_idx", product_categories.c.category_id, product_categories.c.product_id)

variants = sa.Table(
    "variants",
    metadata,
    _id(),
    sa.Column("product_id", sa.BigInteger, sa.ForeignKey("products.id"), nullable=False),
    sa.Column("language_id", sa.BigInteger, sa.ForeignKey("languages.id"), nullable=False),
    sa.Column("version_id", sa.BigInteger, sa.ForeignKey("versions.id"), nullable=False),
    sa.Column("condition_id", sa.BigInteger, sa.ForeignKey("conditions.id"), nullable=False),
    sa.Column("grade_id", sa.BigInteger, sa.ForeignKey("grades.id")),
    sa.UniqueConstraint(
        "product_id",
        "language_id",
        "version_id",
        "condition_id",
        "grade_id",
        name=conv("one_variant_a_combination"),
        postgresql_nulls_not_distinct=True,
    ),
)
sa.Index("variants_product_idx", variants.c.product_id, variants.c.id)
