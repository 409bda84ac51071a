"""Pages of a purchase that a browser opens: the way back from the bank and, in development, the bank itself."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from marketplace.application.ports.provider_state import SimulatedBank
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.entrypoints.http.bodies import raw_body
from marketplace.entrypoints.http.browser_pages import (
    LONGEST_FORM,
    browser_page,
    form_token,
    is_form_token,
    origins_of,
)

_CHALLENGE = """\
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
"""
_BANK = "Simulated bank"


def return_blueprint() -> Blueprint:
    blueprint = Blueprint("payment_return", __name__)

    @blueprint.get("/payments/return/")
    def back() -> Response:
        return browser_page(
            "Thank you",
            brand="Marketplace",
            text="Your bank has answered. You can close this page: your order shows the result in a moment.",
        )

    return blueprint


def bank_blueprint(*, bank: SimulatedBank, key: bytes) -> Blueprint:
    """The page at which a buyer confirms in person. Development only: whoever knows the address decides."""
    blueprint = Blueprint("dev_payments", __name__)

    @blueprint.get("/dev/payments/<intent_id>/")
    def show(intent_id: str) -> Response:
        try:
            challenge = bank.challenge(intent_id)
        except (NotFound, Conflict) as error:
            return _refused(error)
        return browser_page(
            "Is it you?",
            brand=_BANK,
            text="Your bank asks you to confirm this payment.",
            inside=_CHALLENGE,
            form_action=origins_of(challenge.return_url),
            challenge=challenge,
            token=form_token(key, intent_id),
        )

    @blueprint.post("/dev/payments/<intent_id>/")
    @raw_body(LONGEST_FORM)
    def decide(intent_id: str) -> AnyResponse:
        outcome, token = request.form.get("outcome"), request.form.get("token", "")
        if not is_form_token(token, key=key, subject=intent_id) or outcome not in ("succeed", "fail"):
            return browser_page(
                "That did not work", brand=_BANK, text="Open the page again and use its buttons.", status=400
            )
        try:
            return redirect(bank.answer(intent_id, succeed=outcome == "succeed"), code=303)
        except (NotFound, Conflict) as error:
            return _refused(error)

    return blueprint


def _refused(error: NotFound | Conflict) -> Response:
    status = 404 if isinstance(error, NotFound) else 409
    return browser_page("Nothing to confirm", brand=_BANK, text=str(error), status=status)
