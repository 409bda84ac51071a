"""The back office of the simulated provider, as a person sees it in development."""

from __future__ import annotations

import re
from typing import Any

import pytest

from marketplace.application.ports.chargebacks import ChargebackStage
from marketplace.domain.payout_accounts import Transfers
from tests.contracts.payment_gateway_cards import a_buyer
from tests.contracts.provider_control import GatewayScenes
from tests.simulated_control import SimulatedControl

HOME = "/dev/provider/"


@pytest.fixture
def provider(container) -> Any:
    return container.payment_provider.simulated()


@pytest.fixture
def control(provider, clock) -> SimulatedControl:
    return SimulatedControl(provider, clock)


@pytest.fixture
def press(client):
    """Press a button of a page; gives the page that it leads to."""

    def press(page: str, action: str, about: str = "") -> Any:
        found = re.search(r'name="token" value="(\w+)"', client.get(page).text)
        assert found is not None
        return client.post(page, data={"token": found[1], "action": action, "about": about}, follow_redirects=True)

    return press


class TestTheBackOffice(GatewayScenes):
    def test_shows_what_there_is_and_runs_nothing(self, client, provider, control):
        assert "None yet" in client.get(HOME).text
        account = self.seller(provider, control)
        payment = self.paid(provider)
        self.transfer(provider, account, payment.charge_id)
        page = client.get(HOME)
        text = " ".join(page.text.split())
        assert f'href="/dev/provider/payments/{payment.id}/"' in text
        assert f'href="/dev/provider/sellers/{account}/"' in text
        assert "121.12 EUR" in text
        assert "47.54 EUR" in text
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
        assert "<script" not in page.text

    def test_a_bank_takes_a_payment_back_and_decides(self, client, provider, press):
        payment = self.paid(provider)
        page = f"/dev/provider/payments/{payment.id}/"
        assert "needs_response" in press(page, "open").text
        (opened,) = provider.desk_payment(payment.id).chargebacks
        assert opened.stage is ChargebackStage.OPEN
        assert 'value="open"' not in client.get(page).text
        assert "lost" in press(page, "lose", opened.id).text
        press(page, "appeal", opened.id)
        assert "Given back" in press(page, "win", opened.id).text
        assert provider.get_chargeback(opened.id).stage is ChargebackStage.WON
        assert "won" in client.get(HOME).text

    @pytest.mark.parametrize(
        ("action", "stage"),
        [
            ("win", ChargebackStage.INQUIRY_CLOSED),
            ("escalate", ChargebackStage.OPEN),
            ("prevent", ChargebackStage.PREVENTED),
        ],
    )
    def test_a_bank_may_ask_first(self, provider, press, action, stage):
        payment = self.paid(provider)
        page = f"/dev/provider/payments/{payment.id}/"
        press(page, "inquire")
        (opened,) = provider.desk_payment(payment.id).chargebacks
        press(page, action, opened.id)
        assert provider.get_chargeback(opened.id).stage is stage
        assert press(page, "open").status_code == 200
        assert press(page, "win", "du_unknown").status_code == 404

    def test_tells_what_went_back_in_part_from_what_went_back_whole(self, client, provider):
        payment = self.paid(provider)
        self.refund(provider, payment.id, 100)
        assert "given back in part" in client.get(HOME).text
        self.refund(provider, payment.id, payment.amount - 100, 2)
        text = client.get(HOME).text
        assert "given back" in text
        assert "in part" not in text

    def test_nothing_is_taken_back_that_was_not_paid(self, client, provider):
        payment = self.created(provider)
        page = client.get(f"/dev/provider/payments/{payment.id}/")
        assert 'value="open"' not in page.text

    def test_a_seller_is_paid_out_restricted_and_let_go(self, client, provider, control, press):
        account = self.seller(provider, control)
        self.transfer(provider, account, self.paid(provider, method="pm_card_bypassPending").charge_id)
        page = f"/dev/provider/sellers/{account}/"
        assert "47.54 EUR" in client.get(page).text
        press(page, "pay_out")
        (payout,) = provider.desk_seller(account).payouts
        assert "failed" in press(page, "fail", payout.id).text
        assert press(page, "fail", payout.id).status_code == 409
        press(page, "empty")
        assert len(provider.desk_seller(account).payouts) == 2
        press(page, "restrict")
        assert provider.desk_seller(account).state.transfers is Transfers.INACTIVE
        press(page, "activate")
        assert provider.desk_seller(account).state.transfers is Transfers.ACTIVE
        assert "disconnected" in press(page, "cut_off").text
        assert "cut_off" not in client.get(page).text

    def test_a_buyer_saves_a_card(self, client, provider, press):
        customer = provider.create_customer(a_buyer(), key="cus:31:1").id
        page = f"/dev/provider/setups/{provider.set_up_card(customer, key='si:1:1').id}/"
        assert press(page, "save", "pm_card_chargeDeclined").status_code == 402
        assert press(page, "save", "pm_card_monopoly").status_code == 409
        assert "The card is saved" in press(page, "save", "pm_card_visa").text
        assert [card.brand for card in provider.list_cards(customer)] == ["visa"]
        assert "The card is saved" in client.get(page).text

    @pytest.mark.parametrize("form", [{}, {"action": "open"}, {"action": "open", "token": "x"}])
    def test_takes_no_decision_from_another_site(self, client, provider, form):
        payment = self.paid(provider)
        assert client.post(f"/dev/provider/payments/{payment.id}/", data=form).status_code == 400
        assert provider.desk_payment(payment.id).chargebacks == []

    @pytest.mark.parametrize("kind", ["payments", "sellers", "setups"])
    def test_of_what_is_unknown_there_is_no_page(self, client, kind):
        assert client.get(f"/dev/provider/{kind}/none/").status_code == 404
        assert "<b>" not in client.get(f"/dev/provider/{kind}/<b>/").text
