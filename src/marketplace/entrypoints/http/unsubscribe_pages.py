"""The page behind the way out of a mail (RFC 8058): opening it only asks, a POST to it does it, nobody signs in."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response

from marketplace.application.notifications.unsubscribing import ReadSubscription, Subscription, Unsubscribe
from marketplace.domain.notifications import Kind
from marketplace.domain.shared.errors import NotFound
from marketplace.entrypoints.http.bodies import raw_body
from marketplace.entrypoints.http.browser_pages import LONGEST_FORM, browser_page

_BUTTON_AND_NOTE = """\
{% if button %}
<form method="post">
  <button class="succeed" name="List-Unsubscribe" value="One-Click">{{ button }}</button>
</form>
{% endif %}
{% if note %}
<p class="note">{{ note }}</p>
{% endif %}
"""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "ask": "Unsubscribe?",
        "asked": "You will get no more mail {about}.",
        "button": "Unsubscribe",
        "done": "Unsubscribed",
        "did": "You will get no more mail {about}. You can choose it again in your account.",
        "note": "What is necessary still comes: codes, confirmed orders, refunds, decisions about your shop.",
        "lost": "Nothing to end here",
        "gone": "This link is not one of ours, or what it ends cannot be ended. Sign in to choose what you are told.",
    },
    "fr": {
        "ask": "Se désabonner\u00a0?",
        "asked": "Vous ne recevrez plus de courriel {about}.",
        "button": "Se désabonner",
        "done": "Désabonnement enregistré",
        "did": "Vous ne recevrez plus de courriel {about}. Vous pourrez revenir sur ce choix dans votre compte.",
        "note": "Le nécessaire continue d\u2019arriver\u00a0: codes, commandes confirmées, remboursements, décisions"
        " sur votre boutique.",
        "lost": "Rien à désabonner ici",
        "gone": "Ce lien ne vient pas de nous, ou ce qu\u2019il concerne ne peut être désactivé. Connectez-vous pour"
        " choisir ce que vous recevez.",
    },
}

ABOUT: Mapping[str, Mapping[Kind, str]] = {
    "en": {
        Kind.ORDER_CANCELLED: "about orders that you cancel",
        Kind.ORDER_PAYMENT_FAILED: "about orders whose payment fails",
        Kind.ORDER_EXPIRED: "about orders that are not paid in time",
        Kind.ORDER_SHIPPED: "about parcels on their way to you",
        Kind.SALE_MADE: "about each sale of your shop",
        Kind.SALE_DELIVERED: "about parcels of your shop that have arrived",
        Kind.SALE_COMPLETED: "about sales of your shop that are complete",
        Kind.PAYOUT_SENT: "about payouts to your shop",
        Kind.NEWSLETTER: "with our news",
    },
    "fr": {
        Kind.ORDER_CANCELLED: "à propos des commandes que vous annulez",
        Kind.ORDER_PAYMENT_FAILED: "à propos des commandes dont le paiement échoue",
        Kind.ORDER_EXPIRED: "à propos des commandes non payées à temps",
        Kind.ORDER_SHIPPED: "à propos des colis qui vous sont envoyés",
        Kind.SALE_MADE: "à chaque vente de votre boutique",
        Kind.SALE_DELIVERED: "à propos des colis de votre boutique arrivés à destination",
        Kind.SALE_COMPLETED: "à propos des ventes de votre boutique qui sont terminées",
        Kind.PAYOUT_SENT: "à propos des versements à votre boutique",
        Kind.NEWSLETTER: "d\u2019actualités",
    },
}
"""Of every kind that can be ended: mail about what."""


def unsubscribe_blueprint(*, read_subscription: ReadSubscription, unsubscribe: Unsubscribe, brand: str) -> Blueprint:
    blueprint = Blueprint("unsubscribe", __name__)

    @blueprint.get("/unsubscribe/<token>/")
    def ask(token: str) -> Response:
        try:
            found = read_subscription(token=token)
        except NotFound:
            return _lost(brand)
        words = _WORDS[_spoken(found)]
        return _page(brand, found, title=words["ask"], text=words["asked"], button=words["button"])

    @blueprint.post("/unsubscribe/<token>/")
    @raw_body(LONGEST_FORM)
    def end(token: str) -> Response:
        # Whatever the form says: mail programs send List-Unsubscribe=One-Click, and the link itself says the rest.
        try:
            found = unsubscribe(token=token)
        except NotFound:
            return _lost(brand)
        words = _WORDS[_spoken(found)]
        return _page(brand, found, title=words["done"], text=words["did"], note=words["note"])

    return blueprint


def _spoken(found: Subscription) -> str:
    return found.language if found.language in _WORDS else "en"


def _page(brand: str, found: Subscription, *, title: str, text: str, button: str = "", note: str = "") -> Response:
    language = _spoken(found)
    text = text.format(about=ABOUT[language][found.kind])
    return browser_page(
        title,
        brand=brand,
        text=text,
        inside=_BUTTON_AND_NOTE,
        language=language,
        form_action="'self'",
        button=button,
        note=note,
    )


def _lost(brand: str) -> Response:
    words = _WORDS["en"]
    return browser_page(words["lost"], brand=brand, text=words["gone"], status=404)
