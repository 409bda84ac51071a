"""Products and sets as rows, and back."""

from __future__ import annotations

from typing import Any

from marketplace.domain.catalogue.card_sets import CardSet, SetDetails
from marketplace.domain.catalogue.products import Product, ProductDetails, ProductStatus
from marketplace.domain.catalogue.text import normalised, number_key
from marketplace.domain.shared.ids import CategoryId


def product_row(product: Product, set_lines: list[str]) -> dict[str, Any]:
    """Every column but ``version`` and ``fingerprint``."""
    details = product.details
    return {
        "id": product.id,
        "tcg_type": product.tcg_type,
        "external_id": product.external_id,
        "set_id": product.set_id,
        "number": details.number,
        "printed_number": details.printed_number,
        "name": details.name,
        "names": details.names,
        "slug": product.slug,
        "series": details.series,
        "block": details.block,
        "rarity": details.rarity,
        "artist": details.artist,
        "description": details.description,
        "attributes": details.attributes,
        "allowed_languages": list(details.allowed_languages),
        "allowed_versions": list(details.allowed_versions),
        "status": product.status.value,
        "search_text": product.search_text(set_lines),
        "name_key": normalised(details.name),
        "number_key": number_key(details.number),
        "created_at": product.created_at,
        "updated_at": product.updated_at,
    }


def product_from(row: Any, category_ids: tuple[CategoryId, ...]) -> Product:
    return Product(
        id=row.id,
        tcg_type=row.tcg_type,
        external_id=row.external_id,
        slug=row.slug,
        details=ProductDetails(
            name=row.name,
            names=row.names,
            number=row.number,
            printed_number=row.printed_number,
            series=row.series,
            block=row.block,
            rarity=row.rarity,
            artist=row.artist,
            description=row.description,
            attributes=row.attributes,
            allowed_languages=tuple(row.allowed_languages),
            allowed_versions=tuple(row.allowed_versions),
            category_ids=category_ids,
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
        set_id=row.set_id,
        status=ProductStatus(row.status),
        version=row.version,
    )


def card_set_row(card_set: CardSet) -> dict[str, Any]:
    """Every column but ``version`` and ``fingerprint``."""
    details = card_set.details
    return {
        "id": card_set.id,
        "tcg_type": details.tcg_type,
        "external_id": details.external_id,
        "region": details.region,
        "code": details.code,
        "codes": details.codes,
        "name": details.name,
        "names": details.names,
        "series_id": details.series_id,
        "series": details.series,
        "block": details.block,
        "release_date": details.release_date,
        "card_count_official": details.card_count_official,
        "attributes": details.attributes,
        "search_text": details.search_text,
        "created_at": card_set.created_at,
        "updated_at": card_set.updated_at,
    }


def set_details_from(row: Any) -> SetDetails:
    return SetDetails(
        external_id=row.external_id,
        tcg_type=row.tcg_type,
        region=row.region,
        code=row.code,
        name=row.name,
        names=row.names,
        codes=row.codes,
        series_id=row.series_id,
        series=row.series,
        block=row.block,
        release_date=row.release_date,
        card_count_official=row.card_count_official,
        attributes=row.attributes,
    )
