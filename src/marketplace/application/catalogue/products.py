"""What admins do to products."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from marketplace.application.access import Actor, require_role
from marketplace.application.catalogue.games import require_games
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.catalogue.imported import require_attributes
from marketplace.domain.catalogue.products import Product, ProductDetails, ProductStatus
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import Invalid, NotFound, PreconditionFailed
from marketplace.domain.shared.ids import CardSetId, CategoryId, ProductId


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishProduct:
    """Put a card or a sealed item into the catalogue."""

    unit_of_work: Callable[[], UnitOfWork]
    ids: IdSequence
    clock: Clock

    def __call__(
        self,
        *,
        actor: Actor,
        tcg_type: str,
        details: ProductDetails,
        external_id: str | None = None,
        set_id: CardSetId | None = None,
    ) -> ProductId:
        """Raises Forbidden, Invalid for a game, set, category, language or version that is not there, DuplicateCode."""
        require_role(actor, Role.ADMIN)
        require_attributes(details.attributes)
        now = self.clock.now()
        product = Product.publish(
            id=ProductId(self.ids.next()),
            tcg_type=tcg_type,
            external_id=external_id,
            set_id=set_id,
            details=details,
            now=now,
        )
        with self.unit_of_work() as uow:
            require_games(uow, tcg_type)
            _require_categories(uow, details.category_ids)
            _require_codes(uow, **{each.name: getattr(details, each.name) for each in fields(details)})
            if set_id is not None:
                _adopt_series(uow, product, set_id)
            uow.products.add(product)
            uow.audit.add(actor.did("product.published", "product", product.id, now=now, after=_look(product)))
            uow.commit()
        return product.id


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviseProduct:
    """Correct what the catalogue says of a product, or bring an archived one back."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(
        self,
        *,
        actor: Actor,
        product_id: ProductId,
        changes: Mapping[str, Any],
        status: ProductStatus | None = None,
        if_version: Collection[int] | None = None,
    ) -> None:
        """``changes`` are fields of ProductDetails. Raises Forbidden, NotFound, Invalid, PreconditionFailed."""
        require_role(actor, Role.ADMIN)
        require_attributes(changes.get("attributes", {}))
        now = self.clock.now()
        with self.unit_of_work() as uow:
            product = uow.products.get(product_id)
            if if_version is not None and product.version not in if_version:
                raise PreconditionFailed(f"Product {product_id} was changed meanwhile; read it again.")
            _require_categories(uow, changes.get("category_ids", ()))
            _require_codes(uow, product.details, **changes)
            before = replace(product)
            product.revise(now=now, **changes)
            if status is ProductStatus.PUBLISHED:
                product.republish(now=now)
            elif status is ProductStatus.ARCHIVED:
                product.archive(now=now)
            if product != before:
                uow.products.save(product)
                uow.audit.add(
                    actor.did(
                        "product.revised", "product", product_id, now=now, before=_look(before), after=_look(product)
                    )
                )
                uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveProduct:
    """Take a product out of the catalogue; listings and orders keep what they refer to."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, product_id: ProductId) -> None:
        """Raises Forbidden, NotFound. Harmless when repeated."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            product = uow.products.get(product_id)
            if not product.is_archived:
                before = _look(product)
                product.archive(now=now)
                uow.products.save(product)
                uow.audit.add(
                    actor.did("product.archived", "product", product_id, now=now, before=before, after=_look(product))
                )
                uow.commit()


def _look(product: Product) -> dict[str, Any]:
    """What the audit trail compares."""
    details = {each.name: getattr(product.details, each.name) for each in fields(product.details)}
    return {"status": product.status, "set_id": product.set_id, "external_id": product.external_id, **details}


def _require_categories(uow: UnitOfWork, ids: Sequence[CategoryId]) -> None:
    for id in ids:
        try:
            uow.categories.get(id)
        except NotFound as error:
            raise Invalid(str(error), errors={"categories": [str(error)]}) from error


def _require_codes(uow: UnitOfWork, present: ProductDetails | None = None, **given: Any) -> None:
    """Raises Invalid for a language or version that is not there, and that the product did not have ``present``.

    An import takes names in any language, so that they have to pass when they come back with a correction.
    """
    asked = {field: given[field] for field in ("names", "allowed_languages", "allowed_versions") if field in given}
    new = {field: [code for code in codes if code not in getattr(present, field, ())] for field, codes in asked.items()}
    if not any(new.values()):
        return
    attributes = uow.catalogue.attributes()
    for field, codes in new.items():
        require = attributes.require_versions if field == "allowed_versions" else attributes.require_languages
        require(codes, field=field)


def _adopt_series(uow: UnitOfWork, product: Product, set_id: CardSetId) -> None:
    try:
        card_set = uow.card_sets.get(set_id).details
    except NotFound as error:
        raise Invalid(str(error), errors={"set": [str(error)]}) from error
    if card_set.tcg_type != product.tcg_type:
        message = f"The set {card_set.name} belongs to the game {card_set.tcg_type}, not to {product.tcg_type}."
        raise Invalid(message, errors={"set": [message]})
    if product.details.series is None:
        product.details = replace(product.details, series=card_set.series)
