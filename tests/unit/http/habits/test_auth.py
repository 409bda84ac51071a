"""Bearer tokens."""

import base64
import json
from datetime import timedelta

import jwt
import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.http.auth import access_token
from marketplace.entrypoints.settings import Settings, key_id
from tests.unit.http.conftest import ENVIRONMENT
from tests.unit.http.habits.conftest import ANNA

IN_2100 = 4_102_444_800
KEYS = ("first-signing-key-of-enough-characters", "second-signing-key-of-enough-character")


def me(client, token):
    return client.get("/probe/me/", headers={"Authorization": f"Bearer {token}"})


def signed(settings, header=None, key=None, algorithm="HS256", **claims):
    kid, first = next(iter(settings.jwt_keys.items()))
    payload = {"sub": str(ANNA), "sid": 11, "type": "access", "iat": 1, "exp": IN_2100, **claims}
    return jwt.encode(payload, key or first, algorithm, headers={"kid": kid, **(header or {})})


def test_a_token_says_who_is_asking(client, anna):
    assert client.get("/probe/me/", headers=anna).json == {"account": ANNA}


def test_the_clock_of_the_server_that_made_the_token_may_be_ahead(client, settings):
    in_an_hour = 2**31
    assert me(client, signed(settings, iat=in_an_hour, exp=in_an_hour)).status_code == 200


def test_a_token_without_an_end_is_refused(client, settings):
    assert me(client, signed(settings)).status_code == 200
    kid, key = next(iter(settings.jwt_keys.items()))
    endless = {"sub": str(ANNA), "sid": 11, "type": "access", "iat": 1}
    assert me(client, jwt.encode(endless, key, "HS256", headers={"kid": kid})).status_code == 401


def test_nobody_is_refused_and_told_how(client):
    response = client.get("/probe/me/")
    assert (response.status_code, response.json["code"]) == (401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="marketplace"'


def test_an_expired_token_is_told_apart(client, settings):
    response = me(client, signed(settings, exp=1000))
    assert (response.status_code, response.json["code"]) == (401, "token_expired")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="marketplace", error="invalid_token"'


def test_a_token_expires(app, client):
    app.config["JWT_ACCESS_TOKEN_EXPIRES"] = timedelta(seconds=-1)
    with app.app_context():
        token = access_token(ANNA, 11)
    assert me(client, token).json["code"] == "token_expired"


@pytest.mark.parametrize(
    "claims",
    [
        {"sid": 99},
        {"sid": None},
        {"sid": "11"},
        {"sid": True},
        {"sid": 2**80},
        {"sub": "7"},
        {"sub": ""},
        {"sub": "-1"},
        {"sub": "٣"},
        {"sub": "9" * 30},
        {"sub": "9" * 1000},
        {"type": "refresh"},
        {"exp": "soon"},
        {"nbf": 99999999999},
    ],
    ids=str,
)
def test_a_token_of_ours_for_nobody_is_refused(client, settings, claims):
    response = me(client, signed(settings, **claims))
    assert (response.status_code, response.json["code"]) == (401, "not_authenticated")


def test_a_token_under_a_foreign_key_is_refused(client, settings):
    assert me(client, signed(settings, key="a-foreign-key-that-has-enough-characters")).status_code == 401


def test_a_token_that_names_an_unknown_key_is_refused(client, settings):
    assert me(client, signed(settings, header={"kid": "0" * 16})).status_code == 401


def test_a_token_that_names_no_key_is_refused(client, settings):
    payload = {"sub": str(ANNA), "sid": 11, "type": "access", "exp": IN_2100}
    assert me(client, jwt.encode(payload, settings.jwt_signing_keys[0], "HS256")).status_code == 401


def test_a_token_that_was_changed_is_refused(client, settings):
    header, _, signature = signed(settings).split(".")
    theirs = part(json.dumps({"sub": "1", "sid": 1, "type": "access", "exp": IN_2100}).encode())
    assert me(client, f"{header}.{theirs}.{signature}").status_code == 401


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_a_token_with_another_algorithm_is_refused(client, settings, algorithm):
    assert me(client, signed(settings, algorithm=algorithm)).status_code == 401


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_a_token_without_a_signature_is_refused(client, settings, algorithm):
    head = part(json.dumps({"alg": algorithm, "typ": "JWT", "kid": next(iter(settings.jwt_keys))}).encode())
    body, signature = signed(settings).split(".")[1:]
    for last in ("", signature):
        assert me(client, f"{head}.{body}.{last}").status_code == 401


def part(document):
    return base64.urlsafe_b64encode(document).decode().rstrip("=")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer a.b",
        "Bearer a.b.c",
        "Bearer a.b.c.d",
        "Bearer  ,  ",
        "Basic YTpi",
        "  ",
        "Bearer " + "x" * 5000,
        "Bearer " + ".".join([part(b"[" * 700), part(b"[" * 700), "x"]),
        "Bearer " + ".".join([part(b"[]"), part(b"{}"), "x"]),
        "Bearer " + ".".join([part(b'{"alg":"HS256","kid":7}'), part(b"{}"), "x"]),
        "Bearer " + ".".join([part(b'{"alg":"HS256","kid":"k"}'), part(b"[]"), "x"]),
        "Bearer " + ".".join([part(json.dumps({"alg": "HS256", "kid": "k"}).encode()), part(b"\xff"), "x"]),
    ],
    ids=lambda header: header[:30],
)
def test_what_is_no_token_is_refused(client, header):
    response = client.get("/probe/me/", headers={"Authorization": header})
    assert (response.status_code, response.json["code"]) == (401, "not_authenticated")


def test_a_session_that_ended_ends_its_tokens(client, anna, actors):
    del actors[ANNA, 11]
    assert client.get("/probe/me/", headers=anna).status_code == 401


def test_anybody_may_call_what_is_public(client, anna):
    assert client.get("/probe/anyone/").json == {"account": None}
    assert client.get("/probe/anyone/", headers=anna).json == {"account": ANNA}


def test_a_bad_token_is_refused_where_none_is_needed(client):
    assert client.get("/probe/anyone/", headers={"Authorization": "Bearer x"}).status_code == 401


def test_the_caller_is_checked_before_the_body(client):
    assert client.post("/probe/orders/", json={"colour": "red"}).status_code == 401


def keyed_app(*keys):
    settings = Settings.from_env({**ENVIRONMENT, "JWT_SIGNING_KEYS": ",".join(keys)})
    return create_app(Container(settings=settings, backend=MemoryBackend(), clock=FixedClock()))


def test_the_first_key_signs_and_names_itself():
    app = keyed_app(*KEYS)
    with app.app_context():
        token = access_token(ANNA, 11)
    assert jwt.get_unverified_header(token)["kid"] == key_id(KEYS[0])
    assert jwt.decode(token, KEYS[0], ["HS256"])["sid"] == 11


def test_what_an_older_key_signed_is_still_read(container, settings):
    with keyed_app(KEYS[1]).app_context():
        token = access_token(ANNA, 11)
    container.settings.override(Settings.from_env({**ENVIRONMENT, "JWT_SIGNING_KEYS": ",".join(KEYS)}))
    client = create_app(container).test_client()
    response = client.get("/health/detailed/", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 403  # known, though no administrator


class TestRotation:
    """Keys that change while people are signed in, on one store."""

    PASSWORD = "a good long one"

    def doors(self, container, *keys):
        settings = Settings.from_env({**ENVIRONMENT, "JWT_SIGNING_KEYS": ",".join(keys)})
        same = MemoryBackend(store=container.backend.store, ids=container.backend.ids)
        return create_app(Container(settings=settings, backend=same, clock=container.clock)).test_client()

    def me(self, client, tokens):
        return client.get("/api/v1/users/me/", headers={"Authorization": f"Bearer {tokens['access_token']}"})

    def test_nobody_is_signed_out_while_the_old_key_verifies(self, container):
        body = {"username": "ash", "email": "ash@example.com", "first_name": "Ash", "last_name": "Ketchum"}
        body |= {"password": self.PASSWORD, "confirm_password": self.PASSWORD, "accept_terms": True}
        before = self.doors(container, KEYS[0]).post("/api/v1/auth/register/", json=body).json
        both = self.doors(container, KEYS[1], KEYS[0])
        assert self.me(both, before).status_code == 200
        after = both.post("/api/v1/auth/token/refresh/", json={"refresh": before["refresh_token"]}).json
        assert jwt.get_unverified_header(after["access_token"])["kid"] == key_id(KEYS[1])
        # A process that has not been started anew cannot read the new key's tokens: it has to learn it first.
        assert self.me(self.doors(container, KEYS[0]), after).status_code == 401
        only_new = self.doors(container, KEYS[1])
        assert self.me(only_new, before).status_code == 401
        assert self.me(only_new, after).status_code == 200
        again = only_new.post("/api/v1/auth/token/refresh/", json={"refresh": after["refresh_token"]})
        assert again.status_code == 200
