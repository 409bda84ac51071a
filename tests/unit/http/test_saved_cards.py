"""Payment methods that buyers save at the provider, over HTTP: nothing of them is kept, least of all a secret."""

from __future__ import annotations

import pytest

from marketplace.adapters.simulated_gateway.gateway import SimulatedGateway
from marketplace.application.ports.payment_gateway import OutcomeUnknown
from tests.unit.http.answers import refused

SETUPS, METHODS = "/api/v1/payments/setup-intents/", "/api/v1/payments/methods/"


@pytest.fixture
def begin(client, as_buyer):
    return lambda **headers: client.post(SETUPS, headers={**as_buyer, **headers})


@pytest.fixture
def save(container, begin):
    def save(method: str = "pm_card_visa") -> str:
        desk = container.payment_provider.simulated()
        return desk.finish_setup(begin().json["id"], payment_method=method).id

    return save


def silent(*_, **__):
    raise OutcomeUnknown("The provider does not answer.")


def test_a_setup_is_begun_for_the_clients_library(begin):
    answer = begin()
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    setup = answer.json
    assert setup.keys() == {"id", "status", "client_secret", "publishable_key"}
    assert (setup["status"], setup["publishable_key"]) == ("requires_payment_method", None)
    assert setup["client_secret"].startswith(setup["id"])


def test_a_repeated_request_is_the_same_setup_whose_secret_is_kept_nowhere(begin, container):
    first = begin(**{"Idempotency-Key": "save-1"})
    again = begin(**{"Idempotency-Key": "save-1"})
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json == first.json
    store = container.backend.store()
    assert first.json["client_secret"] not in repr(store.tables) + repr(store.outbox)
    container.payment_provider.simulated().finish_setup(first.json["id"], payment_method="pm_card_visa")
    assert begin(**{"Idempotency-Key": "save-1"}).json["client_secret"] is None


def test_a_silent_provider_is_503_and_the_next_request_goes_on(begin, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(SimulatedGateway, "set_up_card", silent)
        refused(begin(), 503, "provider_silent")
    assert begin().status_code == 201


def test_saved_methods_are_listed_by_the_habits_of_lists(client, as_buyer, save):
    assert client.get(METHODS, headers=as_buyer).json["results"] == []
    saved = [save(method) for method in ("pm_card_visa", "pm_card_mastercard", "pm_card_visa")]
    page = client.get(f"{METHODS}?page_size=2", headers=as_buyer).json
    assert (page["count"], page["count_is_exact"], page["previous"]) == (3, True, None)
    assert [card["id"] for card in page["results"]] == [saved[2], saved[1]]
    assert page["results"][1].keys() == {"id", "type", "brand", "last4", "exp_month", "exp_year"}
    assert (page["results"][1]["type"], page["results"][1]["brand"]) == ("card", "mastercard")
    rest = client.get(page["next"], headers=as_buyer).json
    assert ([card["id"] for card in rest["results"]], rest["next"]) == ([saved[0]], None)
    back = client.get(rest["previous"], headers=as_buyer).json
    assert back["results"] == page["results"]
    named = client.get(f"{METHODS}?fields=id&page=2&page_size=2", headers=as_buyer).json
    assert named["results"] == [{"id": saved[0]}]
    beyond = client.get(f"{METHODS}?page=9", headers=as_buyer).json
    assert (beyond["results"], beyond["next"], beyond["previous"]) == ([], None, None)


def test_a_method_is_removed_for_good(client, as_buyer, save):
    card = save()
    for _ in range(2):
        assert client.delete(f"{METHODS}{card}/", headers=as_buyer).status_code == 204
    assert client.get(METHODS, headers=as_buyer).json["count"] == 0


def test_48_anothers_is_not_found_and_stays(client, as_buyer, save, market, sign_in):
    card, other = save(), sign_in(market.buyer())
    refused(client.delete(f"{METHODS}{card}/", headers=other), 404, "not_found")
    client.post(SETUPS, headers=other)
    refused(client.delete(f"{METHODS}{card}/", headers=other), 404, "not_found")
    assert client.get(METHODS, headers=other).json["count"] == 0
    assert client.get(METHODS, headers=as_buyer).json["count"] == 1


def test_an_order_is_paid_with_ones_own_and_never_with_anothers(client, as_buyer, save, market, buyer, sign_in):
    card, rival = save(), market.buyer()
    as_rival = sign_in(rival)

    def order(who, header):
        market.add(who, market.listing(market.seller(), price=2599, stock=1))
        return client.post("/api/v1/orders/", json={"shipping_address": market.address_of(who)}, headers=header).json

    mine, theirs = order(buyer, as_buyer), order(rival, as_rival)
    body = {"payment_method": card}
    refused(client.post(f"/api/v1/orders/{theirs['id']}/pay/", json=body, headers=as_rival), 404, "not_found")
    paid = client.post(f"/api/v1/orders/{mine['id']}/pay/", json=body, headers=as_buyer)
    assert (paid.status_code, paid.json["status"]) == (200, "succeeded")


def test_the_provider_forgets_whoever_leaves(client, container, as_buyer, save, market, buyer):
    card = save()
    (known,) = container.backend.store().table("payment_customers").values()
    with market.unit_of_work() as uow:
        account = uow.accounts.get_for_update(buyer.account_id)
        account.erase(now=container.clock().now())
        uow.accounts.save(account)
        uow.commit()
    container.jobs()["relay events"]()
    assert container.backend.store().table("payment_customers") == {}
    assert container.payment_gateway().get_card(card).customer_id is None
    assert known.provider_customer_id is not None


def test_the_export_names_who_they_are_at_the_provider(client, container, as_buyer, save, buyer):
    save()
    answer = client.get("/api/v1/users/me/export/", headers=as_buyer)
    kept = answer.json["payment_customer"]
    assert kept["provider"] == "simulated"
    assert kept["customer"].startswith("cus_")
