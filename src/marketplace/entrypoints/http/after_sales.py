"""The routes of what may follow a sale: refunds, disputes and chargebacks."""

from __future__ import annotations

from marketplace.entrypoints.container import Container
from marketplace.entrypoints.http.blueprints import MarketplaceApi
from marketplace.entrypoints.http.chargebacks import chargebacks_blueprint
from marketplace.entrypoints.http.disputes import disputes_blueprint
from marketplace.entrypoints.http.refunds import refunds_blueprint


def register_after_sales(api: MarketplaceApi, container: Container) -> None:
    """All of them."""
    parts = container.after_sales
    api.register_blueprint(
        refunds_blueprint(
            refund_order=container.refund_order(),
            retry_refund=parts.retry_refund(),
            settle_refund=parts.settle_refund(),
            queries=container.backend.payment_queries(),
        )
    )
    api.register_blueprint(
        disputes_blueprint(
            open_dispute=parts.open_dispute(),
            withdraw_dispute=parts.withdraw_dispute(),
            resolve_dispute=parts.resolve_dispute(),
            queries=container.backend.dispute_queries(),
        )
    )
    api.register_blueprint(
        chargebacks_blueprint(
            submit_evidence=parts.submit_evidence(),
            accept_chargeback=parts.accept_chargeback(),
            queries=container.backend.chargeback_queries(),
        )
    )
