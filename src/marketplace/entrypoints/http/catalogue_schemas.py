"""The catalogue on the wire: what is taken, what is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from marshmallow import fields, validate

from marketplace.application.ports.catalogue import (
    CARD_SET_ORDERINGS,
    PRODUCT_ORDERINGS,
    SEARCH_ORDERINGS,
    CardSetView,
    CategoryView,
    ProductView,
    SetSummary,
)
from marketplace.domain.catalogue.products import ProductStatus
from marketplace.domain.catalogue.text import MAX_QUERY
from marketplace.domain.shared.money import exponent
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import Ordering, PageArgs
from marketplace.entrypoints.http.schemas import BoundedList, Flag, Id, Instant, Pattern, Schema, StrictInteger, Text
from marketplace.entrypoints.http.variants import ConditionSchema, GradeSchema, LanguageSchema, Ref, VersionSchema

_CODE = r"^[a-z][a-z0-9-]{0,29}$"
_SLUG = r"^[a-z0-9][a-z0-9.~-]{0,199}$"
_PRICE = {"example": "25.99", "description": "Null without data."}


class SetSummarySchema(Schema):
    id = fields.Integer(required=True)
    external_id = fields.String(required=True, metadata={"example": "base1"})
    region = fields.String(required=True, metadata={"example": "intl"})
    code = fields.String(required=True, metadata={"example": "BS"})
    name = fields.String(required=True)
    release_date = fields.Date(required=True, allow_none=True)


class ProductCategorySchema(Schema):
    id = fields.Integer(required=True)
    slug = fields.String(required=True)
    name = fields.String(required=True)


class ImageSchema(Schema):
    id = fields.Integer(required=True, allow_none=True, metadata={"description": "Null: kept elsewhere."})
    url = fields.String(required=True)
    alt_text = fields.String(required=True)
    sizes = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class ProductSchema(Schema):
    id = fields.Integer(required=True)
    external_id = fields.String(required=True, metadata={"example": "base1-4"})
    name = fields.String(required=True)
    names = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    slug = fields.String(required=True)
    tcg_type = fields.String(required=True, metadata={"example": "pokemon"})
    block = fields.String(required=True, allow_none=True)
    series = fields.String(required=True, allow_none=True)
    set = fields.Nested(SetSummarySchema, required=True, allow_none=True)
    number = fields.String(required=True, allow_none=True)
    printed_number = fields.String(required=True, allow_none=True)
    rarity = fields.String(required=True, allow_none=True)
    artist = fields.String(required=True, allow_none=True)
    description = fields.String(required=True)
    attributes = fields.Dict(keys=fields.String(), required=True)
    categories = fields.List(fields.Nested(ProductCategorySchema), required=True)
    allowed_languages = fields.List(fields.String(), required=True)
    allowed_versions = fields.List(fields.String(), required=True)
    images = fields.List(fields.Nested(ImageSchema), required=True)
    lowest_price = fields.String(required=True, allow_none=True, metadata=_PRICE)
    average_price = fields.String(required=True, allow_none=True, metadata=_PRICE)
    market_price = fields.String(required=True, allow_none=True, metadata=_PRICE)
    total_stock = fields.Integer(required=True, metadata={"description": "What is available in all offers."})
    offer_count = fields.Integer(required=True)
    currency = fields.String(required=True, metadata={"example": "EUR"})
    status = fields.String(required=True, metadata={"enum": [str(status) for status in ProductStatus]})
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)


class CategorySchema(Schema):
    id = fields.Integer(required=True)
    slug = fields.String(required=True)
    name = fields.String(required=True)
    parent = fields.Integer(required=True, allow_none=True)
    tcg_type = fields.String(required=True, allow_none=True)
    position = fields.Integer(required=True)
    children = fields.List(fields.Nested(lambda: CategorySchema()), required=True)


class CardSetSchema(SetSummarySchema):
    tcg_type = fields.String(required=True)
    codes = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    names = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    series = fields.String(required=True, allow_none=True)
    block = fields.String(required=True, allow_none=True)
    card_count_official = fields.Integer(required=True, metadata={"description": "Printed after the slash."})
    product_count = fields.Integer(required=True)


class _ProductFilterArgs(PageArgs):
    q = Text(longest=MAX_QUERY, metadata={"description": "Every word, in a name, a set or a number."})
    tcg_type = Text(longest=30)
    category = Ref(in_query=True, metadata={"description": "Its id or its slug; what is below is included."})
    series = Text(longest=300)
    block = Text(longest=300)
    set = Ref(in_query=True, metadata={"description": "Its id, its external id or its code."})
    rarity = Text(longest=100)
    number = Text(longest=50, metadata={"description": "As in `number` or `printed_number`."})
    external_id = Text(longest=100)
    updated_since = Instant(metadata={"description": "RFC 3339, changed then or later."})
    wanted = FieldNames(ProductSchema)


class ProductsArgs(_ProductFilterArgs):
    ordering = Ordering(*PRODUCT_ORDERINGS, both_ways=False)


class SearchArgs(_ProductFilterArgs):
    q = Text(shortest=1, longest=MAX_QUERY, metadata={"description": "Every word, in a name, a set or a number."})
    ordering = Ordering(*SEARCH_ORDERINGS, both_ways=False)


class ProductArgs(Schema):
    wanted = FieldNames(ProductSchema)


class CardSetsArgs(PageArgs):
    q = Text(longest=MAX_QUERY)
    tcg_type = Text(longest=30)
    region = Text(longest=30)
    series = Text(longest=300)
    ordering = Ordering(*CARD_SET_ORDERINGS, both_ways=False)
    wanted = FieldNames(CardSetSchema)


class CardSetArgs(Schema):
    wanted = FieldNames(CardSetSchema)


class CategoryArgs(Schema):
    wanted = FieldNames(CategorySchema)


class LanguagesArgs(PageArgs):
    wanted = FieldNames(LanguageSchema)


class VersionsArgs(PageArgs):
    wanted = FieldNames(VersionSchema)


class ConditionsArgs(PageArgs):
    wanted = FieldNames(ConditionSchema)


class GradesArgs(PageArgs):
    wanted = FieldNames(GradeSchema)


class ProductChangesSchema(Schema):
    name = Text(shortest=1, longest=300)
    names = fields.Dict(
        keys=Text(shortest=2, longest=10), values=Text(shortest=1, longest=300), validate=validate.Length(max=50)
    )
    number = Text(longest=50, allow_none=True)
    printed_number = Text(longest=50, allow_none=True)
    series = Text(longest=300, allow_none=True)
    block = Text(longest=300, allow_none=True)
    rarity = Text(longest=100, allow_none=True)
    artist = Text(longest=300, allow_none=True)
    description = Text(longest=10_000)
    attributes = fields.Dict(keys=Text(shortest=1, longest=50))
    categories = BoundedList(Id(), longest=20)
    allowed_languages = BoundedList(Text(shortest=2, longest=10), longest=50)
    allowed_versions = BoundedList(Text(shortest=1, longest=100), longest=50)
    status = fields.String(validate=validate.OneOf([str(status) for status in ProductStatus]))


class NewProductSchema(ProductChangesSchema):
    class Meta:
        exclude = ("status",)

    name = Text(shortest=1, longest=300, required=True)
    tcg_type = Text(shortest=1, longest=30, required=True)
    external_id = fields.String(validate=Pattern(r"^[!-~]{1,100}$"))
    set = Id(allow_none=True)


class CategoryChangesSchema(Schema):
    name = Text(shortest=1, longest=100)
    slug = fields.String(validate=Pattern(_SLUG))
    parent = Id(allow_none=True)
    tcg_type = Text(shortest=1, longest=30, allow_none=True)
    position = StrictInteger(low=0, high=1_000_000)


class NewCategorySchema(CategoryChangesSchema):
    name = Text(shortest=1, longest=100, required=True)


class NewCardSetSchema(Schema):
    tcg_type = Text(shortest=1, longest=30, required=True)
    external_id = fields.String(required=True, validate=Pattern(r"^[!-~]{1,100}$"))
    region = fields.String(load_default="intl", validate=Pattern(_CODE))
    code = fields.String(required=True, validate=Pattern(r"^[!-~]{1,100}$"))
    name = Text(shortest=1, longest=300, required=True)
    names = fields.Dict(keys=fields.String(), values=Text(shortest=1, longest=300), load_default=dict)
    series = Text(longest=300, allow_none=True)
    block = Text(longest=300, allow_none=True)
    release_date = fields.Date(allow_none=True)
    card_count_official = StrictInteger(low=0, high=1_000_000, load_default=0)


class NewLanguageSchema(Schema):
    code = Text(shortest=2, longest=10, required=True)
    name = Text(shortest=1, longest=100, required=True)


class VersionChangesSchema(Schema):
    name = Text(shortest=1, longest=100)
    tcg_types = BoundedList(Text(shortest=1, longest=30), longest=100)
    description = Text(longest=1000)
    displayable = Flag()


class NewVersionSchema(VersionChangesSchema):
    code = Text(shortest=1, longest=100, required=True)
    name = Text(shortest=1, longest=100, required=True)


class NewConditionSchema(Schema):
    code = Text(shortest=1, longest=20, required=True)
    label = Text(shortest=1, longest=100, required=True)
    rank = StrictInteger(low=1, high=1000, required=True)
    is_graded = Flag(load_default=False)


class NewGradeSchema(Schema):
    grader = Text(shortest=1, longest=20, required=True)
    value = Text(shortest=1, longest=5, required=True)


def product_json(currency: str) -> Callable[[ProductView], dict[str, Any]]:
    """Makes the object that every list and the detail show. By hand: a schema would cost more than the query."""
    price = decimals(currency)

    def show(found: ProductView) -> dict[str, Any]:
        image = found.attributes.get("image_url")
        return {
            "id": found.id,
            "external_id": found.external_id,
            "name": found.name,
            "names": found.names,
            "slug": found.slug,
            "tcg_type": found.tcg_type,
            "block": found.block,
            "series": found.series,
            "set": None if found.set is None else set_summary_json(found.set),
            "number": found.number,
            "printed_number": found.printed_number,
            "rarity": found.rarity,
            "artist": found.artist,
            "description": found.description,
            "attributes": found.attributes,
            "categories": [{"id": each.id, "slug": each.slug, "name": each.name} for each in found.categories],
            "allowed_languages": found.allowed_languages,
            "allowed_versions": found.allowed_versions,
            "images": [{"id": None, "url": image, "alt_text": found.name, "sizes": {}}] if image else [],
            "lowest_price": price(found.lowest_price),
            "average_price": price(found.average_price),
            "market_price": price(found.market_price),
            "total_stock": found.total_stock,
            "offer_count": found.offer_count,
            "currency": currency,
            "status": found.status,
            "created_at": found.created_at,
            "updated_at": found.updated_at,
        }

    return show


@lru_cache
def decimals(currency: str) -> Callable[[int | None], str | None]:
    """Writes minor units as ``Money.decimal`` does, without the arithmetic of Decimal: a list shows sixty prices."""
    places = exponent(currency)
    unit = 10**places

    def write(amount: int | None) -> str | None:
        if amount is None or not places:
            return None if amount is None else str(amount)
        whole, part = divmod(amount, unit)
        return f"{whole}.{part:0{places}d}"

    return write


def set_summary_json(card_set: SetSummary) -> dict[str, Any]:
    return {
        "id": card_set.id,
        "external_id": card_set.external_id,
        "region": card_set.region,
        "code": card_set.code,
        "name": card_set.name,
        "release_date": card_set.release_date,
    }


def card_set_json(found: CardSetView) -> dict[str, Any]:
    return {
        "id": found.id,
        "external_id": found.external_id,
        "tcg_type": found.tcg_type,
        "region": found.region,
        "code": found.code,
        "codes": found.codes,
        "name": found.name,
        "names": found.names,
        "series": found.series,
        "block": found.block,
        "release_date": found.release_date,
        "card_count_official": found.card_count_official,
        "product_count": found.product_count,
    }


def category_json(found: CategoryView, children: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": found.id,
        "slug": found.slug,
        "name": found.name,
        "parent": found.parent,
        "tcg_type": found.tcg_type,
        "position": found.position,
        "children": children,
    }
