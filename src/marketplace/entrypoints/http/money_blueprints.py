"""Every route that has to do with money, put into the application in one place."""

from __future__ import annotations

from marketplace.entrypoints.container import Container
from marketplace.entrypoints.http.blueprints import MarketplaceApi
from marketplace.entrypoints.http.cards import cards_blueprint
from marketplace.entrypoints.http.documents import documents_admin_blueprint, documents_blueprint
from marketplace.entrypoints.http.fees import fees_blueprint
from marketplace.entrypoints.http.ledger import ledger_blueprint
from marketplace.entrypoints.http.ledger_answers import ledger_answers_blueprint
from marketplace.entrypoints.http.payments import payments_blueprint, webhooks_blueprint
from marketplace.entrypoints.http.payouts import payouts_admin_blueprint, payouts_blueprint
from marketplace.entrypoints.http.statements import statements_blueprint
from marketplace.entrypoints.settings import Settings


def register_money(api: MarketplaceApi, container: Container, settings: Settings) -> None:
    """Payments, payouts, fees, documents and the books."""
    # --- payments
    api.register_blueprint(
        payments_blueprint(
            pay_order=container.pay_order(),
            cancel_order=container.cancel_order(),
            request_cancellation=container.fulfilment.request_cancellation(),
            read_client_secret=container.read_client_secret(),
        )
    )
    api.register_blueprint(
        cards_blueprint(
            begin_setup=container.cards.begin_setup(),
            read_setup_secret=container.cards.read_setup_secret(),
            list_cards=container.cards.list_cards(),
            remove_card=container.cards.remove_card(),
            publishable_key=settings.stripe.public_key if settings.stripe.is_used else None,
        )
    )
    api.register_blueprint(webhooks_blueprint(receive_webhook=container.webhooks.receive()))

    # --- payouts
    payout_queries = container.backend.payout_queries()
    api.register_blueprint(payouts_blueprint(queries=payout_queries, currency=settings.currency))
    api.register_blueprint(
        payouts_admin_blueprint(
            queries=payout_queries,
            hold=container.payouts.hold(),
            release=container.payouts.release(),
            retry=container.payouts.retry(),
        )
    )

    # --- fees
    api.register_blueprint(
        fees_blueprint(
            queries=container.backend.fee_queries(),
            in_force=container.fees.in_force(),
            add_fee_schedule=container.fees.add(),
            preview_fees=container.fees.preview(),
            clock=container.clock(),
        )
    )

    # --- documents
    documents = container.backend.document_queries()
    read_documents = container.documents.read()
    api.register_blueprint(documents_blueprint(read=read_documents, queries=documents))
    api.register_blueprint(documents_admin_blueprint(read=read_documents, queries=documents))
    api.register_blueprint(
        statements_blueprint(statements=container.documents.statements(), pages=container.documents.pages())
    )

    # --- ledger
    api.register_blueprint(ledger_blueprint(queries=container.backend.ledger_queries()))
    api.register_blueprint(
        ledger_answers_blueprint(explain=container.ledger.explain(), queries=container.backend.reconciliation_queries())
    )
