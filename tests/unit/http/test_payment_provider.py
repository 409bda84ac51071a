"""The application with Stripe's keys: what is there instead of the simulated provider. Nobody asks Stripe anything."""

import subprocess
import sys

import pytest

from marketplace.adapters.stripe_gateway.gateway import StripeGateway
from marketplace.application.ports.payment_gateway import OutcomeUnknown
from marketplace.entrypoints.cli import doctor
from marketplace.entrypoints.cli.demo import DemoRefused, load_demo
from marketplace.entrypoints.settings import Settings
from tests.unit.http.conftest import ENVIRONMENT

STRIPE = {
    "STRIPE_SECRET_KEY": "sk_test_51abc",
    "STRIPE_PUBLIC_KEY": "pk_test_51abc",
    "STRIPE_WEBHOOK_SECRET": "whsec_platform1",
    "STRIPE_API_BASE": "http://127.0.0.1:9",
}


class TestStripe:
    @pytest.fixture
    def settings(self):
        return Settings.from_env({**ENVIRONMENT, **STRIPE})

    def test_is_the_provider(self, container):
        gateway = container.payment_gateway()
        assert (gateway.name, gateway.livemode) == ("stripe", False)
        assert container.place_order().provider == "stripe"
        assert container.settlement().livemode is False

    def test_brings_its_events_itself(self, container):
        assert "deliver simulated events" not in container.jobs()
        assert "process webhooks" in container.jobs()

    @pytest.mark.parametrize("page", ["/dev/payments/pi_1/", "/dev/onboarding/acct_1/"])
    def test_has_pages_of_its_own(self, client, page):
        assert client.get(page).status_code == 404
        assert client.get("/dev/mailbox/").status_code == 200

    def test_is_told_to_clients_by_its_publishable_key(self, client, market, buyer, sign_in, monkeypatch):
        def silent(*_, **__):
            raise OutcomeUnknown("no answer")

        monkeypatch.setattr(StripeGateway, "create_payment", silent)
        market.add(buyer, market.listing(market.seller()))
        placed = client.post(
            "/api/v1/orders/", json={"shipping_address": market.address_of(buyer)}, headers=sign_in(buyer)
        )
        assert placed.status_code == 201
        payment = placed.json["payment"]
        assert (payment["provider"], payment["publishable_key"]) == ("stripe", "pk_test_51abc")

    def test_has_no_demo_market(self, container):
        with pytest.raises(DemoRefused, match="STRIPE_SECRET_KEY"):
            load_demo(container)

    def test_the_doctor_tries_the_key(self, settings, monkeypatch):
        def silent(self, currency):
            raise OutcomeUnknown("no answer")

        monkeypatch.setattr(StripeGateway, "balance", silent)
        bad = doctor._payments(settings)
        assert (bad.ok, bad.detail) == (False, "Stripe: no answer")
        assert "STRIPE_SECRET_KEY" in bad.remedy
        monkeypatch.setattr(StripeGateway, "balance", lambda self, currency: None)
        good = doctor._payments(settings)
        assert (good.ok, good.detail) == (True, "Stripe answers, a test account")
        assert doctor._payments(Settings.from_env({})).detail == "simulated: no real money moves"


class TestSimulated:
    def test_is_the_provider_without_a_key(self, container):
        assert container.payment_gateway().name == "simulated"
        assert container.payment_gateway() is container.payment_provider.simulated()
        assert "deliver simulated events" in container.jobs()


def test_a_web_process_does_not_carry_what_it_never_asks():
    program = (
        "import sys; from marketplace.entrypoints.settings import Settings;"
        "from marketplace.entrypoints.container import build_memory_container;"
        "from marketplace.entrypoints.http.app import create_app;"
        f"container = build_memory_container(Settings.from_env({STRIPE!r}));"
        "create_app(container); container.payment_gateway();"
        "print({'alembic', 'boto3', 'redis', 'reportlab', 'requests', 'stripe'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
