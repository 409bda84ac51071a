"""The application factory: the habits that every request shares, then a blueprint for each context."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import SessionInterface

from marketplace import __version__
from marketplace.domain.shared.ids import MAX_ID
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.http import (
    access_log,
    auth,
    bodies,
    compression,
    errors,
    idempotency,
    request_ids,
    security,
    throttling,
)
from marketplace.entrypoints.http.after_sales import register_after_sales
from marketplace.entrypoints.http.audit import audit_blueprint
from marketplace.entrypoints.http.blueprints import BEARER, IdConverter, MarketplaceApi
from marketplace.entrypoints.http.catalogue import catalogue_blueprint
from marketplace.entrypoints.http.catalogue_writes import (
    categories_admin_blueprint,
    products_admin_blueprint,
    reference_admin_blueprint,
)
from marketplace.entrypoints.http.docs import docs_blueprint
from marketplace.entrypoints.http.health import health_blueprint
from marketplace.entrypoints.http.identity import auth_blueprint, users_blueprint
from marketplace.entrypoints.http.listings import listings_blueprint
from marketplace.entrypoints.http.mailbox_pages import mailbox_blueprint
from marketplace.entrypoints.http.money_blueprints import register_money
from marketplace.entrypoints.http.notifications import notifications_blueprint
from marketplace.entrypoints.http.onboarding_pages import onboarding_return_blueprint
from marketplace.entrypoints.http.orders import orders_blueprint
from marketplace.entrypoints.http.orjson_provider import OrjsonProvider
from marketplace.entrypoints.http.passwords import passwords_blueprint
from marketplace.entrypoints.http.payment_pages import return_blueprint
from marketplace.entrypoints.http.personal_data import personal_data_blueprint
from marketplace.entrypoints.http.professional_info import professional_info_blueprint
from marketplace.entrypoints.http.proxies import TrustedProxies
from marketplace.entrypoints.http.reservations import cart_blueprint
from marketplace.entrypoints.http.sales import receipts_blueprint, sales_blueprint
from marketplace.entrypoints.http.search import search_blueprint
from marketplace.entrypoints.http.second_factors import second_factors_blueprint
from marketplace.entrypoints.http.sellers import sellers_admin_blueprint, sellers_blueprint
from marketplace.entrypoints.http.sessions import sessions_blueprint
from marketplace.entrypoints.http.simulated_pages import register_simulated_pages
from marketplace.entrypoints.http.unsubscribe_pages import unsubscribe_blueprint
from marketplace.entrypoints.http.user_administration import user_administration_blueprint
from marketplace.entrypoints.keys import Purpose
from marketplace.entrypoints.settings import Settings


class NoSessions(SessionInterface):
    """Nothing is kept in cookies: callers have tokens."""

    def open_session(self, app: Flask, request: Request) -> None:
        return None


class MarketplaceApp(Flask):
    """Its views and hooks are plain functions, which need not be looked into at every call."""

    session_interface = NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(container: Container) -> Flask:
    """The whole HTTP door. Raises when a part that the container declares is missing."""
    container.check_dependencies()
    settings: Settings = container.settings()
    app = MarketplaceApp("marketplace.entrypoints.http", static_folder=None)
    app.json = OrjsonProvider(app)
    app.url_map.converters["int"] = IdConverter
    # An id that a client left out is a mistake to be told (404), not a list to be redirected to.
    app.url_map.merge_slashes = False
    # Flask's own SECRET_KEY, for cookies, stays unset: there are none.
    app.config.update(
        FINGERPRINT_KEY=settings.key(Purpose.IDEMPOTENCY_FINGERPRINTS),
        PAGE_CURSOR_KEY=settings.key(Purpose.PAGE_CURSORS),
        TRUSTED_HOSTS=_trusted_hosts(settings),
    )
    _install_habits(app, container, settings)
    api = _api(app)
    _register_blueprints(api, container, settings)
    app.register_blueprint(docs_blueprint(app))
    app.register_blueprint(return_blueprint())
    app.register_blueprint(onboarding_return_blueprint())
    app.register_blueprint(
        unsubscribe_blueprint(
            read_subscription=container.notifications.read_subscription(),
            unsubscribe=container.notifications.unsubscribe(),
            brand=settings.brand,
        )
    )
    if settings.is_development:
        app.register_blueprint(mailbox_blueprint(mailbox=container.backend.mailbox()))
    if settings.is_development and not settings.stripe.is_used:
        register_simulated_pages(app, container.payment_provider.simulated(), settings)
    if settings.trusted_proxies:
        app.wsgi_app = TrustedProxies(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]  # Flask's documented way
    return app


def _install_habits(app: Flask, container: Container, settings: Settings) -> None:
    """In the order in which a request meets them."""
    errors.install(app)
    request_ids.install(app)
    access_log.install(app)
    security.install(
        app, allowed_origins=settings.cors_allowed_origins, is_https=settings.public_url.startswith("https:")
    )
    compression.install(app)
    throttle = _throttle(container, settings) if settings.rate_limit_enabled else None
    if throttle is not None:
        throttling.install(app, throttle)
    bodies.install(app)
    if throttle is not None:
        throttling.install_names(app, throttle)
    auth.install(
        app,
        keys=settings.jwt_keys,
        lifetime=settings.jwt_access_token_lifetime,
        actor=container.actor_lookup(),
    )
    idempotency.install(app, keys=container.backend.idempotency_keys(), clock=container.clock())


def _throttle(container: Container, settings: Settings) -> throttling.Throttle:
    guard = container.attempt_guard()
    return throttling.Throttle(
        limits=container.rate_limiting.rate_limits(),
        anonymous=settings.rate_limit_anonymous,
        authenticated=settings.rate_limit_authenticated,
        door=settings.rate_limit_login,
        secrets=container.secrets(),
        is_known=lambda name, address: guard.is_known(name, origin=address),
    )


def _api(app: Flask) -> MarketplaceApi:
    api = MarketplaceApi(
        app,
        spec_kwargs={
            "title": "Marketplace",
            "version": __version__,
            "openapi_version": "3.1.0",
            "info": {
                "description": "A marketplace for trading cards with several sellers.",
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": "/"}],
        },
    )
    api.register_converter(IdConverter, lambda converter: {"type": "integer", "minimum": 1, "maximum": MAX_ID})
    api.spec.components.security_scheme(BEARER, {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    return api


def _register_blueprints(api: MarketplaceApi, container: Container, settings: Settings) -> None:
    api.register_blueprint(
        health_blueprint(
            readiness=container.backend.readiness(),
            refusals=container.backend.webhook_refusals(),
            clock=container.clock(),
            metrics_token=settings.metrics_token,
        )
    )

    # --- identity
    api.register_blueprint(
        auth_blueprint(
            register=container.register(),
            log_in=container.log_in(),
            refresh_session=container.refresh_session(),
            log_out=container.log_out(),
            verify_email=container.verify_email(),
            resend_verification=container.resend_verification(),
            queries=container.backend.identity_queries(),
            access_lifetime=settings.jwt_access_token_lifetime,
            refresh_lifetime=settings.jwt_refresh_token_lifetime,
        )
    )
    api.register_blueprint(
        users_blueprint(
            update_me=container.members.update_me(),
            add_address=container.members.add_address(),
            update_address=container.members.update_address(),
            remove_address=container.members.remove_address(),
            queries=container.backend.identity_queries(),
        )
    )
    api.register_blueprint(
        professional_info_blueprint(
            keep_company=container.members.keep_company(), queries=container.backend.identity_queries()
        )
    )

    owners = container.personal_data
    api.register_blueprint(
        personal_data_blueprint(export_me=owners.export_me(), erase_me=owners.erase_me(), clock=container.clock())
    )
    _register_passwords(api, container)
    _register_second_factors(api, container, settings)

    _register_notifications(api, container)

    # --- catalogue
    _register_catalogue(api, container, settings)

    # --- listings
    _register_listings(api, container, settings)

    # --- reservations (the cart)
    api.register_blueprint(
        cart_blueprint(
            show_cart=container.show_cart(),
            add_to_cart=container.add_to_cart(),
            change_cart_item=container.change_cart_item(),
            remove_from_cart=container.remove_from_cart(),
            empty_cart=container.empty_cart(),
        )
    )

    # --- orders
    api.register_blueprint(
        orders_blueprint(
            quote_order=container.quote_order(),
            place_order=container.place_order(),
            start_payment=container.start_payment(),
            read_client_secret=container.read_client_secret(),
            queries=container.backend.order_queries(),
            publishable_key=settings.stripe.public_key if settings.stripe.is_used else None,
        )
    )
    api.register_blueprint(
        sales_blueprint(
            ship_sale=container.fulfilment.ship_sale(),
            cancel_sale=container.fulfilment.cancel_sale(),
            queries=container.backend.order_queries(),
        )
    )
    api.register_blueprint(
        receipts_blueprint(
            confirm_receipt=container.fulfilment.confirm_receipt(),
            queries=container.backend.order_queries(),
        )
    )

    register_after_sales(api, container)

    # --- administration
    api.register_blueprint(
        user_administration_blueprint(
            change_access=container.change_access(), queries=container.backend.identity_queries()
        )
    )
    api.register_blueprint(audit_blueprint(queries=container.backend.audit_queries()))

    register_money(api, container, settings)

    # --- development only: the mailbox, the simulated payment page


def _register_passwords(api: MarketplaceApi, container: Container) -> None:
    use_cases = container.passwords
    api.register_blueprint(
        passwords_blueprint(
            request_password_reset=use_cases.request_reset(),
            verify_reset_code=use_cases.verify_reset_code(),
            confirm_password_reset=use_cases.confirm_reset(),
            change_password=use_cases.change(),
        )
    )
    api.register_blueprint(
        sessions_blueprint(
            end_session=use_cases.end_session(),
            end_sessions=use_cases.end_sessions(),
            queries=container.backend.identity_queries(),
            clock=container.clock(),
        )
    )


def _register_second_factors(api: MarketplaceApi, container: Container, settings: Settings) -> None:
    use_cases = container.second_factors
    api.register_blueprint(
        second_factors_blueprint(
            enrol=use_cases.enrol(),
            confirm=use_cases.confirm(),
            disable=use_cases.disable(),
            renew_recovery=use_cases.renew_recovery(),
            queries=container.backend.second_factor_queries(),
            staff_need_one=settings.require_staff_2fa,
        )
    )


def _register_notifications(api: MarketplaceApi, container: Container) -> None:
    use_cases = container.notifications
    api.register_blueprint(
        notifications_blueprint(
            queries=container.backend.notification_queries(),
            mark_read=use_cases.mark_read(),
            mark_all_read=use_cases.mark_all_read(),
            read_preferences=use_cases.read_preferences(),
            choose_preferences=use_cases.choose_preferences(),
        )
    )


def _register_catalogue(api: MarketplaceApi, container: Container, settings: Settings) -> None:
    queries, clock, currency = container.backend.catalogue_queries(), container.clock(), settings.currency
    api.register_blueprint(catalogue_blueprint(queries=queries, clock=clock, currency=currency))
    api.register_blueprint(search_blueprint(queries=queries, clock=clock, currency=currency))
    api.register_blueprint(
        products_admin_blueprint(
            publish_product=container.catalogue.publish_product(),
            revise_product=container.catalogue.revise_product(),
            archive_product=container.catalogue.archive_product(),
            queries=queries,
            clock=clock,
            currency=currency,
        )
    )
    api.register_blueprint(
        categories_admin_blueprint(
            add_category=container.catalogue.add_category(),
            change_category=container.catalogue.change_category(),
            delete_category=container.catalogue.delete_category(),
            queries=queries,
        )
    )
    api.register_blueprint(
        reference_admin_blueprint(
            add_card_set=container.catalogue.add_card_set(),
            add_language=container.catalogue.add_language(),
            add_version=container.catalogue.add_version(),
            change_version=container.catalogue.change_version(),
            add_condition=container.catalogue.add_condition(),
            add_grade=container.catalogue.add_grade(),
            queries=queries,
        )
    )


def _register_listings(api: MarketplaceApi, container: Container, settings: Settings) -> None:
    sellers = container.backend.seller_queries()
    api.register_blueprint(
        sellers_blueprint(
            queries=sellers,
            apply_to_sell=container.apply_to_sell(),
            update_shop=container.update_shop(),
            start_onboarding=container.start_onboarding(),
            clock=container.clock(),
        )
    )
    api.register_blueprint(
        sellers_admin_blueprint(
            queries=sellers,
            approve_seller=container.approve_seller(),
            reject_seller=container.reject_seller(),
            suspend_seller=container.suspend_seller(),
            reinstate_seller=container.reinstate_seller(),
            verify_seller_identity=container.verify_seller_identity(),
            clock=container.clock(),
        )
    )
    api.register_blueprint(
        listings_blueprint(
            create_listing=container.create_listing(),
            update_listing=container.update_listing(),
            archive_listing=container.archive_listing(),
            queries=container.backend.listing_queries(),
            products=container.backend.catalogue_queries(),
            sellers=sellers,
            clock=container.clock(),
            currency=settings.currency,
        )
    )


def _trusted_hosts(settings: Settings) -> list[str] | None:
    return None if "*" in settings.allowed_hosts else list(settings.allowed_hosts)
