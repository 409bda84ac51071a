"""Pages of an onboarding that a browser opens: the way back from the payment provider and, in development, its own."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from marketplace.application.ports.provider_state import OnboardingForm, SimulatedOnboarding
from marketplace.domain.payout_accounts import Transfers
from marketplace.domain.shared.errors import NotFound
from marketplace.entrypoints.http.bodies import raw_body
from marketplace.entrypoints.http.browser_pages import (
    LONGEST_FORM,
    browser_page,
    form_token,
    is_form_token,
    origins_of,
)

_FORM = """\
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
"""
_PROVIDER = "Simulated payment provider"


def onboarding_return_blueprint() -> Blueprint:
    """Where the provider sends sellers back to. Neither page believes or does anything: the provider's events do."""
    blueprint = Blueprint("onboarding_return", __name__)

    @blueprint.get("/sellers/onboarding/return/")
    def back() -> Response:
        return browser_page(
            "Thank you",
            brand="Marketplace",
            text="The payment provider has your answers. You can close this page: your shop shows in a moment whether"
            " anything is still missing.",
        )

    @blueprint.get("/sellers/onboarding/expired/")
    def expired() -> Response:
        return browser_page(
            "This link has expired",
            brand="Marketplace",
            text="Links to the payment provider work once, for a few minutes. Ask for a new one in your shop.",
        )

    return blueprint


def onboarding_blueprint(*, provider: SimulatedOnboarding, key: bytes) -> Blueprint:
    """The page at which a seller is let through or not. Development only: whoever knows the address decides."""
    blueprint = Blueprint("dev_onboarding", __name__)

    @blueprint.get("/dev/onboarding/<account>/")
    def show(account: str) -> AnyResponse:
        try:
            form = provider.onboarding(account, link=request.args.get("link"))
        except NotFound as error:
            return _unknown(error)
        if form.expired:
            return redirect(form.refresh_url, code=303)
        return _form_page(form, token=form_token(key, account))

    @blueprint.post("/dev/onboarding/<account>/")
    @raw_body(LONGEST_FORM)
    def decide(account: str) -> AnyResponse:
        outcome, token = request.form.get("outcome"), request.form.get("token", "")
        if not is_form_token(token, key=key, subject=account) or outcome not in ("succeed", "fail"):
            return browser_page(
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
    return browser_page(
        "Before you can be paid",
        brand=_PROVIDER,
        text="The real provider asks here who you are and where your money should go.",
        inside=_FORM,
        form_action=origins_of(form.return_url, form.refresh_url),
        form=form,
        is_active=form.state.transfers is Transfers.ACTIVE,
        token=token,
    )


def _unknown(error: NotFound) -> Response:
    return browser_page("There is no such account", brand=_PROVIDER, text=str(error), status=404)
