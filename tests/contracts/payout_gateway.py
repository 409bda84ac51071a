"""What every payment gateway promises of sellers' accounts. Subclasses provide ``gateway``, ``clock`` and ``state``."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from marketplace.application.ports.payment_gateway import (
    KeyReused,
    ProviderAccount,
    ProviderObjectUnknown,
    WebhookSource,
)
from marketplace.domain.payout_accounts import AccountRequest, EntityType, Transfers
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId

BACK, AGAIN = "https://cards.example/back", "https://cards.example/again"


def a_request(seller_id: int = 7, **changes: Any) -> AccountRequest:
    values: dict[str, Any] = {
        "seller_id": AccountId(seller_id),
        "email": "misty@example.com",
        "display_name": "Cerulean Cards",
        "entity_type": EntityType.INDIVIDUAL,
        "country": "FR",
    }
    return AccountRequest(**{**values, **changes})


class PayoutGatewayContract:
    def opened(self, gateway: Any, seller_id: int = 7, **changes: Any) -> ProviderAccount:
        account: ProviderAccount = gateway.create_account(a_request(seller_id, **changes), key=f"acct:{seller_id}:1")
        return account

    def test_makes_an_account_that_cannot_be_paid_yet(self, gateway):
        account = self.opened(gateway)
        assert (account.seller_id, account.state.transfers) == (7, Transfers.INACTIVE)
        assert account.state.requirements_due
        assert gateway.get_account(account.id) == account

    def test_the_same_key_gives_the_same_account(self, gateway):
        barrier, made = Barrier(6), []

        def run() -> None:
            barrier.wait()
            made.append(self.opened(gateway).id)

        threads = [Thread(target=run) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 6
        assert len(set(made)) == 1

    @pytest.mark.parametrize("change", [{"email": "other@example.com"}, {"country": "BE"}, {"display_name": "Other"}])
    def test_the_same_key_for_another_request_is_refused(self, gateway, change):
        self.opened(gateway)
        with pytest.raises(KeyReused):
            self.opened(gateway, **change)

    def test_each_link_is_another_one_and_ends(self, gateway, clock):
        account = self.opened(gateway)
        links = [gateway.account_link(account.id, return_url=BACK, refresh_url=AGAIN) for _ in range(2)]
        assert len({link.url for link in links}) == 2
        assert all(clock.now() < link.expires_at <= clock.now() + timedelta(hours=1) for link in links)
        assert links[0].url not in repr(links[0])

    def test_does_not_know_what_it_never_had(self, gateway):
        for call in (
            lambda: gateway.get_account("acct_unknown"),
            lambda: gateway.account_link("acct_unknown", return_url=BACK, refresh_url=AGAIN),
        ):
            with pytest.raises(ProviderObjectUnknown):
                call()


class SimulatedOnboardingContract:
    """What the page of the simulated provider does."""

    def linked(self, gateway: Any) -> tuple[str, str]:
        account = PayoutGatewayContract().opened(gateway)
        link = gateway.account_link(account.id, return_url=BACK, refresh_url=AGAIN)
        return account.id, parse_qs(urlsplit(link.url).query)["link"][0]

    def test_lets_a_seller_through_and_restricts_them_later(self, gateway):
        account, link = self.linked(gateway)
        form = gateway.onboarding(account, link=link)
        assert (form.seller_id, form.return_url, form.expired) == (7, BACK, False)
        gateway.finish_onboarding(account, link=link, succeed=True)
        ready = gateway.get_account(account).state
        assert (ready.transfers, ready.payouts_enabled, ready.requirements_due) == (Transfers.ACTIVE, True, ())
        gateway.finish_onboarding(account, link=None, succeed=False)
        restricted = gateway.get_account(account).state
        assert (restricted.transfers, restricted.payouts_enabled) == (Transfers.INACTIVE, False)
        assert restricted.requirements_due
        assert restricted.disabled_reason

    def test_a_link_is_good_once_and_not_for_long(self, gateway, clock):
        account, link = self.linked(gateway)
        gateway.finish_onboarding(account, link=link, succeed=True)
        form = gateway.finish_onboarding(account, link=link, succeed=False)
        assert (form.expired, form.refresh_url) == (True, AGAIN)
        assert gateway.get_account(account).state.transfers is Transfers.ACTIVE
        _, late = self.linked(gateway)
        clock.advance(timedelta(minutes=5))
        assert gateway.onboarding(account, link=late).expired

    @pytest.mark.parametrize("link", ["link_sim_unknown", "", "acct_sim_1"])
    def test_knows_no_link_that_it_did_not_make(self, gateway, link):
        account, _ = self.linked(gateway)
        with pytest.raises(NotFound):
            gateway.onboarding(account, link=link)
        with pytest.raises(NotFound):
            gateway.finish_onboarding("acct_unknown", link=None, succeed=True)

    def test_tells_of_each_change_in_events_that_name_the_account_and_nobody(self, gateway, clock):
        account, link = self.linked(gateway)
        gateway.finish_onboarding(account, link=link, succeed=True)
        deliveries = gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        events = [
            gateway.parse_webhook(d.body, d.headers, source=WebhookSource.CONNECT, now=clock.now()) for d in deliveries
        ]
        assert [(e.type, e.account, e.object_id, e.order_id) for e in events] == [
            ("account.updated", account, account, None)
        ] * 2
        assert set(events[0].payload["data"]["object"]) == {"id", "object", "metadata"}

    def test_keeps_nothing_of_who_the_seller_is(self, gateway, state):
        account, _ = self.linked(gateway)
        with state.begin() as provider:
            kept = orjson.dumps([provider.get(account), provider.answered("acct:7:1").fingerprint]).decode()
        assert "misty" not in kept
        assert "Cerulean" not in kept
