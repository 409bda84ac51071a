"""The back office of the simulated payment provider, for a person who tries things out: chargebacks, sellers, cards.

Development only: whoever knows the address decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from marketplace.application.ports.chargebacks import ChargebackStage, ProviderChargeback
from marketplace.application.ports.payment_gateway import PaymentDeclined, UnknownPaymentMethod
from marketplace.application.ports.provider_desk import DeskPayment, DeskSeller, SimulatedDesk
from marketplace.application.ports.provider_state import SimulatedOnboarding
from marketplace.domain.payments.payment import PaymentStatus
from marketplace.domain.payout_accounts import Transfers
from marketplace.domain.shared.errors import Conflict, MarketplaceError, NotFound
from marketplace.domain.shared.money import Money
from marketplace.entrypoints.http.bodies import raw_body
from marketplace.entrypoints.http.browser_pages import LONGEST_FORM, browser_page, form_token, is_form_token

_PROVIDER = "Simulated payment provider"
_HOME = "/dev/provider/"
_SHOWN = 20
_NOTE = """\
<p class="note">This provider is simulated: no money moves. The page exists in development only.
  <a href="/dev/provider/">All payments and sellers</a></p>
"""

_OVERVIEW = """\
<h2>Payments</h2>
{% if payments %}
<ul class="rows">
  {% for each in payments %}
  <li><a href="/dev/provider/payments/{{ each.payment.id }}/">
    <span>{{ each.description }}</span><span class="quiet">{{ state_of(each) }}</span>
    <span class="sum">{{ money(each.payment.amount, each.payment.currency) }}</span>
  </a></li>
  {% endfor %}
</ul>
{% else %}
<p class="note">None yet. Check an order out, and it is here.</p>
{% endif %}
<h2>Sellers</h2>
{% if sellers %}
<ul class="rows">
  {% for each in sellers %}
  <li><a href="/dev/provider/sellers/{{ each.account }}/">
    <span>Seller {{ each.seller_id }}</span><span class="quiet">{{ seller_state(each) }}</span>
    <span class="sum">
      {%- for funds in each.funds %}{{ money(funds.available + funds.pending, funds.currency) }} {% endfor -%}
    </span>
  </a></li>
  {% endfor %}
</ul>
{% else %}
<p class="note">None yet. A seller who begins the onboarding is here.</p>
{% endif %}
<p class="note">This provider is simulated: no money moves. The page exists in development only.</p>
"""

_PAYMENT = """\
<dl>
  <dt>Amount</dt><dd class="amount">{{ money(shown.payment.amount, shown.payment.currency) }}</dd>
  <dt>State</dt><dd>{{ shown.payment.status.value }}</dd>
  {% if shown.refunded %}<dt>Given back</dt><dd>{{ money(shown.refunded, shown.payment.currency) }}</dd>{% endif %}
  <dt>Payment</dt><dd>{{ shown.payment.id }}</dd>
</dl>
{% for each in shown.chargebacks %}
<h2>{{ "Inquiry" if each.stage.value.startswith("inquiry") else "Chargeback" }}</h2>
<dl>
  <dt>Amount</dt><dd>{{ money(each.amount, each.currency) }}</dd>
  <dt>State</dt><dd>{{ each.status }}</dd>
  <dt>Reason</dt><dd>{{ each.reason }}</dd>
  {% for movement in each.movements %}
  <dt>{{ "Withdrawn" if movement.amount < 0 else "Given back" }}</dt><dd>{{ money(movement.net, each.currency) }}</dd>
  {% endfor %}
</dl>
{% if choices_for(each) %}
<form method="post">
  <input type="hidden" name="token" value="{{ token }}">
  <input type="hidden" name="about" value="{{ each.id }}">
  {% for action, label in choices_for(each) %}
  <button class="{{ 'succeed' if loop.first else 'fail' }}" name="action" value="{{ action }}">{{ label }}</button>
  {% endfor %}
</form>
{% endif %}
{% endfor %}
{% if can_be_disputed %}
<form method="post">
  <input type="hidden" name="token" value="{{ token }}">
  <button class="succeed" name="action" value="open">Take the money back as the buyer's bank</button>
  <button class="fail" name="action" value="inquire">Ask about it first</button>
</form>
{% endif %}
"""

_SELLER = """\
<dl>
  <dt>Seller</dt><dd>{{ shown.seller_id }}</dd>
  <dt>Account</dt><dd>{{ shown.account }}</dd>
  <dt>State</dt><dd>{{ seller_state(shown) }}</dd>
  {% for funds in shown.funds %}
  <dt>Available</dt><dd class="amount">{{ money(funds.available, funds.currency) }}</dd>
  <dt>Pending</dt><dd>{{ money(funds.pending, funds.currency) }}</dd>
  {% endfor %}
</dl>
<form method="post">
  <input type="hidden" name="token" value="{{ token }}">
  <button class="succeed" name="action" value="pay_out">Pay out what is available</button>
  <button class="fail" name="action" value="empty">Pay out everything, pending too</button>
  {% if not shown.is_cut_off %}
  {% if is_active %}
  <button class="fail" name="action" value="restrict">Restrict this account</button>
  {% else %}
  <button class="fail" name="action" value="activate">Let this seller be paid</button>
  {% endif %}
  <button class="fail" name="action" value="cut_off">Disconnect from the marketplace</button>
  {% endif %}
</form>
{% if shown.payouts %}
<h2>To the seller's bank</h2>
<form method="post">
  <input type="hidden" name="token" value="{{ token }}">
  <input type="hidden" name="action" value="fail">
  <ul class="rows">
    {% for each in shown.payouts %}
    <li>
      <span>{{ money(each.amount, each.currency) }}</span><span class="quiet">{{ each.status.value }}</span>
      {% if each.status.value == "paid" %}<button class="fail" name="about" value="{{ each.id }}">Send it back</button>
      {%- endif %}
    </li>
    {% endfor %}
  </ul>
</form>
{% endif %}
"""

_SETUP = """\
<form method="post">
  <input type="hidden" name="token" value="{{ token }}">
  <input type="hidden" name="action" value="save">
  {% for name, label in cards %}
  <button class="{{ 'succeed' if loop.first else 'fail' }}" name="about" value="{{ name }}">{{ label }}</button>
  {% endfor %}
</form>
"""
_CARDS = (
    ("pm_card_visa", "Save a Visa card"),
    ("pm_card_mastercard", "Save a Mastercard"),
    ("pm_card_authenticationRequired", "Save one that asks the buyer each time"),
    ("pm_card_chargeCustomerFail", "Save one that will be declined"),
    ("pm_card_chargeDeclined", "Give one that cannot be saved"),
)
_CHOICES = {
    ChargebackStage.OPEN: (("win", "Decide for the seller"), ("lose", "Decide for the buyer")),
    ChargebackStage.APPEAL: (("win", "Decide for the seller"), ("lose", "Decide for the buyer")),
    ChargebackStage.LOST: (("appeal", "Look at it again"),),
    ChargebackStage.INQUIRY: (
        ("win", "Be content with the answer"),
        ("escalate", "Take the money back"),
        ("prevent", "Settle it before"),
    ),
}
_UNDER_WAY = (ChargebackStage.INQUIRY, ChargebackStage.OPEN, ChargebackStage.APPEAL)

Acts = Mapping[str, Callable[[str], object]]


def provider_blueprint(*, desk: SimulatedDesk, onboarding: SimulatedOnboarding, key: bytes) -> Blueprint:
    blueprint = Blueprint("dev_provider", __name__)

    @blueprint.get(_HOME)
    def overview() -> Response:
        return browser_page(
            "Payments and sellers",
            brand=_PROVIDER,
            text="What the provider has seen last. Open one to be its bank for a while.",
            inside=_OVERVIEW,
            payments=desk.desk_payments(limit=_SHOWN),
            sellers=desk.desk_sellers(limit=_SHOWN),
            money=_money,
            state_of=_payment_state,
            seller_state=_seller_state,
        )

    @blueprint.get("/dev/provider/payments/<intent_id>/")
    def payment(intent_id: str) -> Response:
        try:
            shown = desk.desk_payment(intent_id)
        except NotFound as error:
            return _refused(error)
        under_way = any(each.stage in _UNDER_WAY for each in shown.chargebacks)
        return browser_page(
            shown.description,
            brand=_PROVIDER,
            text="You are the bank of the buyer who paid this.",
            inside=_PAYMENT + _NOTE,
            form_action="'self'",
            shown=shown,
            money=_money,
            choices_for=_choices_for,
            can_be_disputed=shown.payment.status is PaymentStatus.SUCCEEDED and not under_way,
            token=form_token(key, intent_id),
        )

    @blueprint.post("/dev/provider/payments/<intent_id>/")
    @raw_body(LONGEST_FORM)
    def decide_payment(intent_id: str) -> AnyResponse:
        acts: Acts = {
            "open": lambda _: desk.open_chargeback(intent_id, reason="product_not_received"),
            "inquire": lambda _: desk.open_chargeback(intent_id, is_inquiry=True, reason="product_not_received"),
            "win": lambda about: desk.decide_chargeback(about, is_won=True),
            "lose": lambda about: desk.decide_chargeback(about, is_won=False),
            "escalate": desk.escalate_chargeback,
            "appeal": desk.appeal_chargeback,
            "prevent": desk.prevent_chargeback,
        }
        return _acted(acts, key=key, subject=intent_id, back=f"{_HOME}payments/{quote(intent_id, safe='')}/")

    @blueprint.get("/dev/provider/sellers/<account>/")
    def seller(account: str) -> Response:
        try:
            shown = desk.desk_seller(account)
        except NotFound as error:
            return _refused(error)
        return browser_page(
            "A seller's account",
            brand=_PROVIDER,
            text="Here the seller has what the marketplace transferred, until it goes to their bank.",
            inside=_SELLER + _NOTE,
            form_action="'self'",
            shown=shown,
            money=_money,
            seller_state=_seller_state,
            is_active=shown.state.transfers is Transfers.ACTIVE,
            token=form_token(key, account),
        )

    @blueprint.post("/dev/provider/sellers/<account>/")
    @raw_body(LONGEST_FORM)
    def decide_seller(account: str) -> AnyResponse:
        acts: Acts = {
            "pay_out": lambda _: desk.pay_seller_out(account),
            "empty": lambda _: desk.pay_seller_out(account, with_pending=True),
            "restrict": lambda _: onboarding.finish_onboarding(account, link=None, succeed=False),
            "activate": lambda _: onboarding.finish_onboarding(account, link=None, succeed=True),
            "cut_off": lambda _: desk.cut_off(account),
            "fail": desk.fail_seller_payout,
        }
        return _acted(acts, key=key, subject=account, back=f"{_HOME}sellers/{quote(account, safe='')}/")

    @blueprint.get("/dev/provider/setups/<setup_id>/")
    def setup(setup_id: str) -> Response:
        try:
            waits = desk.setup_customer(setup_id) is not None
        except NotFound as error:
            return _refused(error)
        return browser_page(
            "Save a card" if waits else "The card is saved",
            brand=_PROVIDER,
            text="The real provider asks here for the number." if waits else "You can close this page.",
            inside=(_SETUP if waits else "") + _NOTE,
            form_action="'self'",
            cards=_CARDS,
            token=form_token(key, setup_id),
        )

    @blueprint.post("/dev/provider/setups/<setup_id>/")
    @raw_body(LONGEST_FORM)
    def finish_setup(setup_id: str) -> AnyResponse:
        acts: Acts = {"save": lambda card: desk.finish_setup(setup_id, payment_method=card)}
        return _acted(acts, key=key, subject=setup_id, back=f"{_HOME}setups/{quote(setup_id, safe='')}/")

    return blueprint


def _acted(acts: Acts, *, key: bytes, subject: str, back: str) -> AnyResponse:
    act = acts.get(request.form.get("action", ""))
    if act is None or not is_form_token(request.form.get("token", ""), key=key, subject=subject):
        return browser_page(
            "That did not work", brand=_PROVIDER, text="Open the page again and use its buttons.", status=400
        )
    try:
        act(request.form.get("about", ""))
    except (NotFound, Conflict, UnknownPaymentMethod) as error:
        return _refused(error)
    return redirect(back, code=303)


def _choices_for(chargeback: ProviderChargeback) -> tuple[tuple[str, str], ...]:
    return _CHOICES.get(chargeback.stage, ())


def _payment_state(shown: DeskPayment) -> str:
    if shown.chargebacks:
        return shown.chargebacks[-1].status.replace("_", " ")
    if shown.refunded:
        return "given back" if shown.refunded == shown.payment.amount else "given back in part"
    return shown.payment.status.value.replace("_", " ")


def _seller_state(shown: DeskSeller) -> str:
    if shown.is_cut_off:
        return "disconnected"
    return "can be paid" if shown.state.transfers is Transfers.ACTIVE else "cannot be paid"


def _money(amount: int, currency: str) -> str:
    return str(Money(amount, currency.upper()))


def _refused(error: MarketplaceError) -> Response:
    if isinstance(error, PaymentDeclined):
        return browser_page("Declined", brand=_PROVIDER, text=str(error), status=402)
    status = 404 if isinstance(error, NotFound) else 409
    return browser_page("That cannot be done", brand=_PROVIDER, text=str(error), status=status)
