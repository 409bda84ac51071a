"""Sales: what their sellers see and do of them, and their buyers' word that they are there."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from marketplace.application.access import require_role
from marketplace.application.fulfilment.cancelling import CancelSale
from marketplace.application.fulfilment.shipping import ConfirmReceipt, ShipSale
from marketplace.application.ports.orders import OrderQueries
from marketplace.domain.identity import Role
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.shared.ids import AccountId, OrderId, SaleId
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.fields import projected
from marketplace.entrypoints.http.order_schemas import (
    NewShipmentSchema,
    SaleArgs,
    SaleCancellationSchema,
    SalesArgs,
    SaleSchema,
    SellerSaleSchema,
    sale_json,
    seller_sale_json,
)
from marketplace.entrypoints.http.pages import page_body, page_of, page_request


def sales_blueprint(*, ship_sale: ShipSale, cancel_sale: CancelSale, queries: OrderQueries) -> Blueprint:
    blueprint = Blueprint("sales", __name__, description="What one has sold")

    def now_of(seller_id: AccountId, sale_id: int) -> Response:
        return jsonify(seller_sale_json(queries.sale(seller_id, SaleId(sale_id))))

    @blueprint.get("/sellers/me/sales/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(SalesArgs, location="query")
    @blueprint.response(200, page_of(SellerSaleSchema))
    def sales(args: dict[str, Any]) -> Response:
        """One's own sales, once they are paid."""
        actor = current_actor()
        require_role(actor, Role.SELLER)
        asked = page_request(args)
        page = queries.sales(actor.account_id, asked, statuses=[SaleStatus(args["status"])] if "status" in args else [])
        return jsonify(page_body(page, asked, args, show=seller_sale_json))

    @blueprint.get("/sellers/me/sales/<int:sale_id>/")
    @signed_in()
    @etagged
    @problems(403)
    @blueprint.arguments(SaleArgs, location="query")
    @blueprint.response(200, SellerSaleSchema)
    def sale(args: dict[str, Any], sale_id: int) -> Response:
        """One of one's own sales, with where to send it."""
        actor = current_actor()
        require_role(actor, Role.SELLER)
        return jsonify(projected(seller_sale_json(queries.sale(actor.account_id, SaleId(sale_id))), args.get("wanted")))

    @blueprint.post("/sellers/me/sales/<int:sale_id>/ship/")
    @signed_in()
    @problems(403, 404, 409)
    @blueprint.arguments(NewShipmentSchema)
    @blueprint.response(200, SellerSaleSchema)
    def ship(body: dict[str, Any], sale_id: int) -> Response:
        """Say that a sale is on its way, or correct its carrier and number until it has arrived."""
        actor = current_actor()
        require_role(actor, Role.SELLER)
        ship_sale(
            actor=actor,
            sale_id=SaleId(sale_id),
            carrier=body["carrier"],
            tracking_number=body["tracking_number"],
        )
        return now_of(actor.account_id, sale_id)

    @blueprint.post("/sellers/me/sales/<int:sale_id>/cancel/")
    @signed_in()
    @problems(403, 404, 409)
    @blueprint.arguments(SaleCancellationSchema)
    @blueprint.response(200, SellerSaleSchema)
    def cancel(body: dict[str, Any], sale_id: int) -> Response:
        """Do not supply a sale that is not sent: its buyer gets back all that was paid for it, fees included."""
        actor = current_actor()
        require_role(actor, Role.SELLER)
        cancel_sale(actor=actor, sale_id=SaleId(sale_id), reason=body["reason"], restock=body["restock"])
        return now_of(actor.account_id, sale_id)

    return blueprint


def receipts_blueprint(*, confirm_receipt: ConfirmReceipt, queries: OrderQueries) -> Blueprint:
    blueprint = Blueprint("receipts", __name__, description="Having received what one has bought")

    @blueprint.post("/orders/<int:order_id>/sales/<int:sale_id>/confirm-receipt/")
    @signed_in()
    @problems(404, 409)
    @blueprint.response(200, SaleSchema)
    def confirm(order_id: int, sale_id: int) -> Response:
        """Say that a sale is there as it should be; it completes some days later, unless a dispute is opened."""
        confirm_receipt(actor=current_actor(), order_id=OrderId(order_id), sale_id=SaleId(sale_id))
        sales = queries.order(OrderId(order_id)).sales
        return jsonify(next(sale_json(sale) for sale in sales if sale.id == sale_id))

    return blueprint
