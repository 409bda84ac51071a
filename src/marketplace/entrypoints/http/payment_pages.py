"""Pages of a purchase that a browser opens: the way back from the bank and, in development, the bank itself."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template_string, request
from werkzeug.wrappers import Response as AnyResponse

from marketplace.application.ports.provider_state import SimulatedBank
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.entrypoints.http.bodies import raw_body

_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="robots" content="noindex">
  <title>{{ title }}</title>
  <link rel="stylesheet" href="/static/payment.css">
</head>
<body>
  <main>
    <p class="brand">{{ brand }}</p>
    <h1>{{ title }}</h1>
    <p>{{ text }}</p>
    {% if challenge %}
    <dl>
      <dt>For</dt><dd>{{ challenge.description }}</dd>
      <dt>Amount</dt><dd class="amount">{{ challenge.amount }}</dd>
    </dl>
    <form method="post">
      <input type="hidden" name="token" value="{{ token }}">
      <button class="succeed" name="outcome" value="succeed">Confirm the payment</button>
      <button class="fail" name="outcome" value="fail">Refuse</button>
    </form>
    <p class="note">This bank is simulated: no money moves. The page exists in development only.</p>
    {% endif %}
  </main>
</body>
</html>
"""
_BANK = "Simulated bank"
_LONGEST_FORM = 1024


def return_blueprint() -> Blueprint:
    blueprint = Blueprint("payment_return", __name__)

    @blueprint.get("/payments/return/")
    def back() -> Response:
        return _page(
            "Thank you",
            brand="Marketplace",
            text="Your bank has answered. You can close this page: your order shows the result in a moment.",
        )

    return blueprint


def bank_blueprint(*, bank: SimulatedBank, key: bytes) -> Blueprint:
    """The page at which a buyer confirms in person. Development only: whoever knows the address decides."""
    blueprint = Blueprint("dev_payments", __name__)

    def token_of(intent_id: str) -> str:
        """Proves that the form came from our page: no other site can read it there."""
        return hmac.digest(key, intent_id.encode(), "sha256").hex()

    @blueprint.get("/dev/payments/<intent_id>/")
    def show(intent_id: str) -> Response:
        try:
            challenge = bank.challenge(intent_id)
        except (NotFound, Conflict) as error:
            return _refused(error)
        return _page(
            "Is it you?",
            brand=_BANK,
            text="Your bank asks you to confirm this payment.",
            challenge=challenge,
            token=token_of(intent_id),
            # A form may only lead where it is sent on to afterwards.
            form_action=f"'self' {_origin(challenge.return_url)}".strip(),
        )

    @blueprint.post("/dev/payments/<intent_id>/")
    @raw_body(_LONGEST_FORM)
    def decide(intent_id: str) -> AnyResponse:
        outcome, token = request.form.get("outcome"), request.form.get("token", "")
        if not hmac.compare_digest(token.encode(), token_of(intent_id).encode()) or outcome not in ("succeed", "fail"):
            return _page("That did not work", brand=_BANK, text="Open the page again and use its buttons.", status=400)
        try:
            return redirect(bank.answer(intent_id, succeed=outcome == "succeed"), code=303)
        except (NotFound, Conflict) as error:
            return _refused(error)

    return blueprint


def _refused(error: NotFound | Conflict) -> Response:
    status = 404 if isinstance(error, NotFound) else 409
    return _page("Nothing to confirm", brand=_BANK, text=str(error), status=status)


def _page(title: str, *, status: int = 200, form_action: str = "'none'", **values: object) -> Response:
    html = render_template_string(_PAGE, title=title, **values)
    response = Response(html, status=status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""
