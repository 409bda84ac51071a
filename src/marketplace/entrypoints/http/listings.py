"""Listings: what is for sale, and what sellers do with what they offer."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import ValidationError, fields, validate, validates_schema

from marketplace.application.access import require_listing_visible, sees_hidden_listings
from marketplace.application.listings.create_listing import CreateListing, VariantRef
from marketplace.application.listings.update_listing import ArchiveListing, UpdateListing
from marketplace.application.ports.catalogue import CatalogueQueries
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.listings import LISTING_ORDERINGS, ListingFilters, ListingQueries, ListingView
from marketplace.application.ports.sellers import SellerQueries
from marketplace.domain.listings import MAX_DESCRIPTION, MAX_STOCK, ListingStatus
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, ListingId, ProductId, VariantId
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.http.auth import current_actor, optional_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged, mark_version, matches_version, versions_to_match
from marketplace.entrypoints.http.fields import FieldNames, projected
from marketplace.entrypoints.http.idempotency import current_idempotency_key
from marketplace.entrypoints.http.pages import Ordering, PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Flag, Id, MoneyString, Schema, StrictInteger, Text
from marketplace.entrypoints.http.seller_schemas import rating_json
from marketplace.entrypoints.http.variants import Ref, VariantSchema, variant_json

_STATUSES = {"enum": [str(status) for status in ListingStatus]}
_ALIASES = {"created_at": "oldest", "-created_at": "newest"}
_SELLERS_CHOICE = (ListingStatus.ACTIVE.value, ListingStatus.INACTIVE.value)


class ListingProductSchema(Schema):
    id = fields.Integer(required=True)
    external_id = fields.String(required=True)
    name = fields.String(required=True)
    slug = fields.String(required=True)
    image = fields.String(required=True, allow_none=True)


class ListingSellerSchema(Schema):
    id = fields.Integer(required=True)
    shop_name = fields.String(required=True)
    rating = fields.Float(required=True, allow_none=True)


class ListingSchema(Schema):
    id = fields.Integer(required=True)
    product = fields.Nested(ListingProductSchema, required=True)
    variant = fields.Nested(VariantSchema, required=True)
    seller = fields.Nested(ListingSellerSchema, required=True)
    price = fields.String(required=True, metadata={"example": "25.99"})
    currency = fields.String(required=True, metadata={"example": "EUR"})
    stock = fields.Integer(required=True, metadata={"description": "On hand, claimed or not."})
    available = fields.Integer(required=True, metadata={"description": "What a buyer could claim now."})
    status = fields.String(required=True, metadata=_STATUSES)
    description = fields.String(required=True)
    is_verified = fields.Boolean(required=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)


class ListingArgs(Schema):
    wanted = FieldNames(ListingSchema)


class _NarrowedArgs(PageArgs):
    """What every list of listings can be narrowed by."""

    variant = Id(in_query=True)
    language = Ref(in_query=True)
    version = Ref(in_query=True)
    condition = Ref(in_query=True)
    grade = Ref(in_query=True, metadata={"example": "PSA 10"})
    graded = Flag(in_query=True)
    min_price = MoneyString()
    max_price = MoneyString()
    verified = Flag(in_query=True)
    in_stock = Flag(in_query=True)
    status = fields.String(
        validate=validate.OneOf([str(status) for status in ListingStatus]),
        metadata={"description": "The public finds active and sold_out ones only."},
    )
    ordering = Ordering(*LISTING_ORDERINGS, *_ALIASES, both_ways=False)
    wanted = FieldNames(ListingSchema)


class ListingsArgs(_NarrowedArgs):
    product = Ref(in_query=True)
    seller = Id(in_query=True)


class ProductListingsArgs(_NarrowedArgs):
    seller = Id(in_query=True)


class SellerListingsArgs(_NarrowedArgs):
    product = Ref(in_query=True)


class _OfferSchema(Schema):
    variant = Id(metadata={"description": "Or product, language, version, condition and, when graded, grade."})
    product = Ref()
    language = Ref(metadata={"example": "fr"})
    version = Ref(metadata={"example": "holo"})
    condition = Ref(metadata={"example": "NM"})
    grade = Ref(allow_none=True, metadata={"example": "PSA 10"})
    currency = fields.String(metadata={"description": "The marketplace's, when given."})
    description = Text(longest=MAX_DESCRIPTION)
    status = fields.String(validate=validate.OneOf(_SELLERS_CHOICE))

    @validates_schema
    def _names_one_variant(self, data: dict[str, Any], **_: Any) -> None:
        parts = [name for name in ("product", "language", "version", "condition") if name in data]
        if "variant" in data and (parts or data.get("grade") is not None):
            raise ValidationError("Give a variant or what it is made of, not both.", "variant")
        if (parts or data.get("grade") is not None) and len(parts) < 4:
            missing = next(name for name in ("product", "language", "version", "condition") if name not in data)
            raise ValidationError("Missing: a variant is named by all of its parts.", missing)


class NewListingSchema(_OfferSchema):
    price = MoneyString(required=True)
    stock = StrictInteger(low=0, high=MAX_STOCK, required=True)

    @validates_schema
    def _names_a_variant(self, data: dict[str, Any], **_: Any) -> None:
        if "variant" not in data and "product" not in data:
            raise ValidationError("Missing: give a variant, or product, language, version and condition.", "variant")


class ListingChangesSchema(_OfferSchema):
    price = MoneyString()
    stock = StrictInteger(low=0, high=MAX_STOCK)


def listings_blueprint(
    *,
    create_listing: CreateListing,
    update_listing: UpdateListing,
    archive_listing: ArchiveListing,
    queries: ListingQueries,
    products: CatalogueQueries,
    sellers: SellerQueries,
    clock: Clock,
    currency: str,
) -> Blueprint:
    blueprint = Blueprint("listings", __name__, description="What is for sale")

    def listed(args: dict[str, Any], **fixed: Any) -> tuple[dict[str, Any], bool]:
        filters = _filters({**args, **fixed}, currency)
        asked = page_request({**args, "ordering": _ALIASES.get(args.get("ordering", ""), args.get("ordering", ""))})
        page = queries.listings(filters, asked, now=clock.now())
        return page_body(page, asked, args, show=listing_json), page.count == 0

    @blueprint.get("/listings/")
    @etagged
    @problems(401)
    @blueprint.arguments(ListingsArgs, location="query")
    @blueprint.response(200, page_of(ListingSchema))
    def listings(args: dict[str, Any]) -> Response:
        """What is for sale; a seller's own hidden listings too, when asked for by seller."""
        return jsonify(listed(args)[0])

    @blueprint.get("/products/<int:product_id>/listings/")
    @etagged
    @problems(401)
    @blueprint.arguments(ProductListingsArgs, location="query")
    @blueprint.response(200, page_of(ListingSchema))
    def product_listings(args: dict[str, Any], product_id: int) -> Response:
        """The offers for one product."""
        body, is_empty = listed(args, product=product_id)
        if is_empty:
            products.product(ProductId(product_id), now=clock.now())
        return jsonify(body)

    @blueprint.get("/sellers/<int:seller_id>/listings/")
    @etagged
    @problems(401)
    @blueprint.arguments(SellerListingsArgs, location="query")
    @blueprint.response(200, page_of(ListingSchema))
    def seller_listings(args: dict[str, Any], seller_id: int) -> Response:
        """What one seller offers; to the seller and to administrators, the hidden ones too."""
        body, is_empty = listed(args, seller=seller_id)
        if is_empty and not sees_hidden_listings(optional_actor(), AccountId(seller_id)):
            sellers.seller(AccountId(seller_id), now=clock.now())
        return jsonify(body)

    @blueprint.get("/listings/<int:listing_id>/")
    @etagged
    @problems(401)
    @blueprint.arguments(ListingArgs, location="query")
    @blueprint.response(200, ListingSchema)
    def listing(args: dict[str, Any], listing_id: int) -> Response:
        """One listing; its ETag is what a change can be based on."""
        found = queries.listing(ListingId(listing_id), now=clock.now())
        require_listing_visible(
            optional_actor(), ListingId(listing_id), seller_id=AccountId(found.seller.id), is_public=found.is_public
        )
        mark_version(found.version)
        return jsonify(projected(listing_json(found), args.get("wanted")))

    @blueprint.post("/listings/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(NewListingSchema)
    @blueprint.response(201, ListingSchema, headers={"Location": {"schema": {"type": "string"}}})
    def create(body: dict[str, Any]) -> Response:
        """Offer a variant, which is made when nobody has offered that combination yet."""
        made = create_listing(
            actor=current_actor(),
            variant=_variant(body),
            price=body["price"],
            stock=body["stock"],
            description=body.get("description", ""),
            active=body.get("status") != ListingStatus.INACTIVE.value,
            currency=body.get("currency"),
            request_key=current_idempotency_key(),
        )
        response = jsonify(listing_json(queries.listing(made.id, now=clock.now())))
        response.status_code = 201
        response.headers["Location"] = f"/api/v1/listings/{made.id}/"
        return response

    @blueprint.patch("/listings/<int:listing_id>/")
    @signed_in()
    @problems(403, 409, 412)
    @matches_version
    @blueprint.arguments(ListingChangesSchema)
    @blueprint.response(200, ListingSchema)
    def change(body: dict[str, Any], listing_id: int) -> Response:
        """Change what one offers; what is not given stays."""
        status = body.get("status")
        update_listing(
            actor=current_actor(),
            listing_id=ListingId(listing_id),
            if_version=versions_to_match(),
            variant=_variant(body) if "variant" in body or "product" in body else None,
            price=body.get("price"),
            stock=body.get("stock"),
            description=body.get("description"),
            active=None if status is None else status == ListingStatus.ACTIVE.value,
            currency=body.get("currency"),
        )
        return jsonify(listing_json(queries.listing(ListingId(listing_id), now=clock.now())))

    @blueprint.delete("/listings/<int:listing_id>/")
    @signed_in()
    @problems(403)
    @blueprint.response(204)
    def archive(listing_id: int) -> None:
        """Take a listing away for good; orders that refer to it keep it."""
        archive_listing(actor=current_actor(), listing_id=ListingId(listing_id))

    return blueprint


def listing_json(found: ListingView) -> dict[str, Any]:
    """The object that every list and the detail show."""
    product, seller = found.product, found.seller
    return {
        "id": found.id,
        "product": {
            "id": product.id,
            "external_id": product.external_id,
            "name": product.name,
            "slug": product.slug,
            "image": product.image,
        },
        "variant": variant_json(found.variant),
        "seller": {"id": seller.id, "shop_name": seller.shop_name, "rating": rating_json(seller.rating)},
        "price": Money(found.price, found.currency).decimal,
        "currency": found.currency,
        "stock": found.stock,
        "available": found.available,
        "status": found.status.value,
        "description": found.description,
        "is_verified": found.is_verified,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
    }


def _filters(args: dict[str, Any], currency: str) -> ListingFilters:
    seller = args.get("seller")
    status = args.get("status")
    return ListingFilters(
        product=args.get("product"),
        variant_id=args.get("variant"),
        seller_id=seller,
        language=args.get("language"),
        version=args.get("version"),
        condition=args.get("condition"),
        grade=args.get("grade"),
        graded=args.get("graded"),
        min_price=_amount(args, "min_price", currency),
        max_price=_amount(args, "max_price", currency),
        verified=args.get("verified"),
        in_stock=args.get("in_stock"),
        status=None if status is None else ListingStatus(status),
        hidden=sees_hidden_listings(optional_actor(), seller),
    )


def _amount(args: dict[str, Any], name: str, currency: str) -> int | None:
    if name not in args:
        return None
    try:
        return Money.parse(args[name], currency).amount
    except Invalid as error:
        raise Invalid(str(error), errors={name: [str(error)]}) from error


def _variant(body: dict[str, Any]) -> VariantId | VariantRef:
    if "variant" in body:
        return VariantId(body["variant"])
    return VariantRef(
        product=body["product"],
        language=body["language"],
        version=body["version"],
        condition=body["condition"],
        grade=body.get("grade"),
    )
