"""Sellers: shops as everybody sees them, one's own, and what administrators decide about them."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from marketplace.application.access import Actor, require_role
from marketplace.application.payout_accounts import StartOnboarding
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import AccountLink
from marketplace.application.ports.sellers import SellerQueries
from marketplace.application.sellers.applying import ApplyToSell, UpdateShop
from marketplace.application.sellers.deciding import (
    ApproveSeller,
    ReinstateSeller,
    RejectSeller,
    SuspendSeller,
    VerifySellerIdentity,
)
from marketplace.domain.identity import Role
from marketplace.domain.sellers import SellerStatus
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.pages import page_body, page_of, page_request
from marketplace.entrypoints.http.seller_schemas import (
    ApplicationSchema,
    DecisionSchema,
    IdentityCheckSchema,
    OnboardingLinkSchema,
    OnboardingSchema,
    OwnSellerSchema,
    ReasonSchema,
    SellerRecordSchema,
    SellersArgs,
    SellerSchema,
    ShopChangesSchema,
    own_json,
    record_json,
    seller_json,
)


def sellers_blueprint(
    *,
    queries: SellerQueries,
    apply_to_sell: ApplyToSell,
    update_shop: UpdateShop,
    start_onboarding: StartOnboarding,
    clock: Clock,
) -> Blueprint:
    blueprint = Blueprint("sellers", __name__, description="Shops, and becoming one")

    def own_now() -> Response:
        return jsonify(own_json(queries.own(current_actor().account_id, now=clock.now())))

    def with_its_link(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
        """An answer repeated has another link: the first can be used only once, and is kept nowhere."""
        return _link_json(start_onboarding(actor=actor))

    @blueprint.get("/sellers/<int:seller_id>/")
    @etagged
    @blueprint.response(200, SellerSchema)
    def seller(seller_id: int) -> Response:
        """A shop as everybody sees it."""
        return jsonify(seller_json(queries.seller(AccountId(seller_id), now=clock.now())))

    @blueprint.post("/sellers/")
    @signed_in()
    @problems(409)
    @blueprint.arguments(ApplicationSchema)
    @blueprint.response(201, OwnSellerSchema)
    def apply(body: dict[str, Any]) -> tuple[Response, int]:
        """Apply to sell; an administrator looks at it."""
        apply_to_sell(actor=current_actor(), shop_name=body["shop_name"], description=body.get("description", ""))
        return own_now(), 201

    @blueprint.get("/sellers/me/")
    @signed_in()
    @blueprint.response(200, OwnSellerSchema)
    def own() -> Response:
        """The caller as a seller: the status, and what is missing."""
        return own_now()

    @blueprint.patch("/sellers/me/")
    @signed_in()
    @problems(404, 409)
    @blueprint.arguments(ShopChangesSchema)
    @blueprint.response(200, OwnSellerSchema)
    def change(body: dict[str, Any]) -> Response:
        """Change one's shop, or take it on holiday; what is not given stays."""
        update_shop(actor=current_actor(), changes=body)
        return own_now()

    @blueprint.post("/sellers/me/onboarding/")
    @signed_in(secrets=["url"], reveal=with_its_link)
    @problems(403, 409)
    @blueprint.arguments(OnboardingSchema, required=False)
    @blueprint.response(200, OnboardingLinkSchema)
    def onboard(body: dict[str, Any]) -> tuple[Response, dict[str, str]]:
        """Get the address of the payment provider's page that asks for what it needs to pay the caller."""
        link = start_onboarding(actor=current_actor(), country=body.get("country"))
        return jsonify(_link_json(link)), {"Cache-Control": "no-store"}

    return blueprint


def sellers_admin_blueprint(
    *,
    queries: SellerQueries,
    approve_seller: ApproveSeller,
    reject_seller: RejectSeller,
    suspend_seller: SuspendSeller,
    reinstate_seller: ReinstateSeller,
    verify_seller_identity: VerifySellerIdentity,
    clock: Clock,
) -> Blueprint:
    blueprint = Blueprint("sellers_admin", __name__, description="Who may sell, for administrators")

    def now_of(seller_id: int) -> Response:
        return jsonify(record_json(queries.record(AccountId(seller_id), now=clock.now())))

    @blueprint.get("/admin/sellers/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(SellersArgs, location="query")
    @blueprint.response(200, page_of(SellerRecordSchema))
    def sellers(args: dict[str, Any]) -> dict[str, Any]:
        """Who has applied to sell, the first to apply first."""
        require_role(current_actor(), Role.ADMIN)
        asked = page_request(args)
        status = args.get("status")
        page = queries.sellers(asked, status=None if status is None else SellerStatus(status), now=clock.now())
        return page_body(page, asked, args, show=record_json)

    @blueprint.post("/admin/sellers/<int:seller_id>/approve/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(DecisionSchema, required=False)
    @blueprint.response(200, SellerRecordSchema)
    def approve(body: dict[str, Any], seller_id: int) -> Response:
        """Let in who has applied; the other three conditions remain."""
        approve_seller(actor=current_actor(), account=AccountId(seller_id), reason=body.get("reason", ""))
        return now_of(seller_id)

    @blueprint.post("/admin/sellers/<int:seller_id>/reject/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(ReasonSchema)
    @blueprint.response(200, SellerRecordSchema)
    def reject(body: dict[str, Any], seller_id: int) -> Response:
        """Turn down who has applied, and tell them why."""
        reject_seller(actor=current_actor(), account=AccountId(seller_id), reason=body["reason"])
        return now_of(seller_id)

    @blueprint.post("/admin/sellers/<int:seller_id>/suspend/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(ReasonSchema)
    @blueprint.response(200, SellerRecordSchema)
    def suspend(body: dict[str, Any], seller_id: int) -> Response:
        """Pause everything that a seller offers, and tell them why."""
        suspend_seller(actor=current_actor(), account=AccountId(seller_id), reason=body["reason"])
        return now_of(seller_id)

    @blueprint.post("/admin/sellers/<int:seller_id>/reinstate/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(DecisionSchema, required=False)
    @blueprint.response(200, SellerRecordSchema)
    def reinstate(body: dict[str, Any], seller_id: int) -> Response:
        """End a suspension."""
        reinstate_seller(actor=current_actor(), account=AccountId(seller_id), reason=body.get("reason", ""))
        return now_of(seller_id)

    @blueprint.post("/admin/sellers/<int:seller_id>/verify-kyc/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(IdentityCheckSchema, required=False)
    @blueprint.response(200, SellerRecordSchema)
    def verify_kyc(body: dict[str, Any], seller_id: int) -> Response:
        """Note that the seller's identity was checked, or no longer counts as checked."""
        verify_seller_identity(
            actor=current_actor(),
            account=AccountId(seller_id),
            reason=body.get("reason", ""),
            verified=body.get("verified", True),
        )
        return now_of(seller_id)

    return blueprint


def _link_json(link: AccountLink) -> dict[str, Any]:
    return {"url": link.url, "expires_at": link.expires_at}
