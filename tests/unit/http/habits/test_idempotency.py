"""Idempotency-Key over HTTP."""

import pickle
from datetime import timedelta

import pytest

from marketplace.adapters.memory.idempotency import InMemoryIdempotencyKeys
from marketplace.entrypoints.http import idempotency
from tests.unit.http.habits.conftest import SECRET

BODY = {"name": "x", "quantity": 1}


@pytest.fixture
def post(client, anna):
    def send(body=BODY, key="k-1", headers=anna, path="/probe/orders/"):
        return client.post(path, json=body, headers={**headers, **({"Idempotency-Key": key} if key else {})})

    return send


def test_the_same_request_is_done_once_and_answered_alike(post, orders):
    first, second = post(), post()
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Location"] == first.headers["Location"]
    assert second.content_type == first.content_type
    assert len(orders.made) == 1


def test_the_view_learns_the_key(post, orders):
    post()
    post(key=None)
    assert orders.keys == ["k-1", None]


def test_secrets_are_not_kept_but_read_again(post, container):
    assert post().json["payment"]["client_secret"] == SECRET
    kept = container.backend.store().table("idempotency_keys")
    assert SECRET.encode() not in pickle.dumps(kept)  # whose repr hides what is in it
    assert post().json["payment"]["client_secret"] == SECRET


def test_what_reveals_a_secret_is_kept_by_nobody_on_the_way(post):
    assert [post().headers["Cache-Control"] for _ in range(3)] == ["no-store"] * 3


def test_an_answer_without_a_body_is_repeated(post, orders):
    answers = [post(path="/probe/quiet/", body={}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert [answer.headers.get("Content-Type") for answer in answers] == [None, None]
    assert len(orders.made) == 1


def test_without_a_key_everything_is_done(post, orders):
    post(key=None)
    post(key=None)
    assert len(orders.made) == 2


@pytest.mark.parametrize("change", [{"body": {"name": "y"}}, {"path": "/probe/quiet/"}])
def test_another_request_under_the_key_is_refused(post, change):
    post()
    response = post(**change)
    assert (response.status_code, response.json["code"]) == (422, "idempotency_key_reused")


def test_keys_belong_to_accounts(post, orders, bruno):
    post()
    post(headers=bruno, body={"name": "y"})
    assert len(orders.made) == 2


@pytest.mark.parametrize("name", ["refuse", "crash"])
def test_what_was_not_done_releases_the_key(post, orders, name):
    assert post(body={"name": name}).status_code in (409, 500)
    assert post().status_code == 201
    assert len(orders.made) == 1


def test_bad_input_releases_the_key(post):
    assert post(body={"colour": "red"}).status_code == 422
    assert post().status_code == 201


def test_while_it_is_running_the_same_request_is_refused(post, container, app, clock):
    class Killed(InMemoryIdempotencyKeys):
        def complete(self, attempt, answer):
            """Never gets there, as after a kill -9 in the middle of the request."""

    idempotency.install(app, keys=Killed(container.backend.store()), clock=clock)
    post()
    response = post()
    assert (response.status_code, response.json["code"]) == (409, "idempotency_key_in_use")
    clock.advance(timedelta(seconds=60))
    assert post().status_code == 201


def test_a_key_is_forgotten_after_a_day(post, orders, clock):
    post()
    clock.advance(timedelta(hours=24))
    assert post(body={"name": "y"}).status_code == 201
    assert len(orders.made) == 2


@pytest.mark.parametrize("key", ["x" * 256, "a b", "é"])
def test_a_key_is_short_and_visible(client, anna, key):
    response = client.post("/probe/orders/", json=BODY, headers={**anna, "Idempotency-Key": key})
    assert response.status_code == 422
    assert list(response.json["errors"]) == ["Idempotency-Key"]


def test_a_note_that_cannot_be_taken_does_not_change_the_outcome(post, container, app, clock):
    class Broken(InMemoryIdempotencyKeys):
        def complete(self, attempt, answer):
            raise RuntimeError("the disk is full")

    idempotency.install(app, keys=Broken(container.backend.store()), clock=clock)
    assert post().status_code == 201
