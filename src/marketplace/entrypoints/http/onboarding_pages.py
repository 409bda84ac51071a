"""Pages of an onboarding that a browser opens: the way back from the payment provider and, in development, its own."""

from __future__ import annotations

import hmac
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, redirect, render_template_string, request
from werkzeug.wrappers import Response as AnyResponse

from marketplace.application.ports.provider_state import OnboardingForm, SimulatedOnboarding
from marketplace.domain.payout_accounts import Transfers
from marketplace.domain.shared.errors import NotFound
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
    {% if form %}
    <dl>
      <dt>Seller</dt><dd>{{ form.seller_id }}</dd>
      <dt>Account</dt><dd>{{ form.account }}</dd>
      <dt>Can be paid</dt><dd class="amount">{{ "yes" if is_active else "no" }}</dd>
      {% if form.state.requirements_due %}
      <dt>Missing</dt><dd>{{ form.state.requirements_due | join(", ") }}</dd>
      {% endif %}
    </dl>
    <form method="post">
      <input type="hidden" name="token" value="{{ token }}">
      <button class="succeed" name="outcome" value="succeed">Give everything that is asked for</button>
      <button class="fail" name="outcome" value="fail">
        {{- "Restrict this account" if is_active else "Fail the check of identity" -}}
      </button>
    </form>
    <p class="note">This provider is simulated: nothing is checked and no money moves. The page exists in development
      only.</p>
    {% endif %}
  </main>
</body>
</html>
"""
_PROVIDER = "Simulated payment provider"
_LONGEST_FORM = 1024


def onboarding_return_blueprint() -> Blueprint:
    """Where the provider sends sellers back to. Neither page believes or does anything: the provider's events do."""
    blueprint = Blueprint("onboarding_return", __name__)

    @blueprint.get("/sellers/onboarding/return/")
    def back() -> Response:
        return _page(
            "Thank you",
            brand="Marketplace",
            text="The payment provider has your answers. You can close this page: your shop shows in a moment whether"
            " anything is still missing.",
        )

    @blueprint.get("/sellers/onboarding/expired/")
    def expired() -> Response:
        return _page(
            "This link has expired",
            brand="Marketplace",
            text="Links to the payment provider work once, for a few minutes. Ask for a new one in your shop.",
        )

    return blueprint


def onboarding_blueprint(*, provider: SimulatedOnboarding, key: bytes) -> Blueprint:
    """The page at which a seller is let through or not. Development only: whoever knows the address decides."""
    blueprint = Blueprint("dev_onboarding", __name__)

    def token_of(account: str) -> str:
        """Proves that the form came from our page: no other site can read it there."""
        return hmac.digest(key, account.encode(), "sha256").hex()

    @blueprint.get("/dev/onboarding/<account>/")
    def show(account: str) -> AnyResponse:
        try:
            form = provider.onboarding(account, link=request.args.get("link"))
        except NotFound as error:
            return _unknown(error)
        return redirect(form.refresh_url, code=303) if form.expired else _form_page(form, token=token_of(account))

    @blueprint.post("/dev/onboarding/<account>/")
    @raw_body(_LONGEST_FORM)
    def decide(account: str) -> AnyResponse:
        outcome, token = request.form.get("outcome"), request.form.get("token", "")
        if not hmac.compare_digest(token.encode(), token_of(account).encode()) or outcome not in ("succeed", "fail"):
            return _page(
                "That did not work", brand=_PROVIDER, text="Open the page again and use its buttons.", status=400
            )
        try:
            form = provider.finish_onboarding(account, link=request.args.get("link"), succeed=outcome == "succeed")
        except NotFound as error:
            return _unknown(error)
        return redirect(_next(form), code=303)

    return blueprint


def _next(form: OnboardingForm) -> str:
    if form.expired:
        return form.refresh_url
    return form.return_url or f"/dev/onboarding/{quote(form.account, safe='')}/"


def _form_page(form: OnboardingForm, *, token: str) -> Response:
    return _page(
        "Before you can be paid",
        brand=_PROVIDER,
        text="The real provider asks here who you are and where your money should go.",
        form=form,
        is_active=form.state.transfers is Transfers.ACTIVE,
        token=token,
        # A form may only lead where it is sent on to afterwards.
        form_action=f"'self' {_origin(form.return_url)} {_origin(form.refresh_url)}".strip(),
    )


def _unknown(error: NotFound) -> Response:
    return _page("There is no such account", brand=_PROVIDER, text=str(error), status=404)


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
