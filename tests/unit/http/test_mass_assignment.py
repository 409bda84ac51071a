"""Nobody sets of themselves what is not theirs to set: refused whole on every write of identity."""

import pytest

PASSWORD = "a good long one"
# What a framework that copies bodies into rows would take.
NOT_THEIRS = {
    "id": 1,
    "account": 1,
    "account_id": 1,
    "user": 1,
    "user_id": 1,
    "role": "admin",
    "roles": ["admin"],
    "is_staff": True,
    "is_superuser": True,
    "is_active": True,
    "is_admin": True,
    "is_suspended": False,
    "is_email_verified": True,
    "email_verified": True,
    "password_hash": "x",
    "seller": {"status": "approved"},
    "seller_status": "approved",
    "status": "approved",
    "kyc_verified": True,
    "rating": "5.0",
    "terms_version": "2099",
    "terms_accepted_at": "2020-01-01T00:00:00Z",
    "pending_email": "satoshi@example.com",
    "created_at": "2020-01-01T00:00:00Z",
    "version": 7,
    "__class__": "Admin",
    "roles[]": "admin",
    "user.role": "admin",
}
ADDRESS = {"name": "Ash", "street": "Rue de la Paix", "city": "Paris", "country": "FR"}
REGISTRATION = {
    "username": "gary-oak",
    "email": "gary@example.com",
    "password": PASSWORD,
    "confirm_password": PASSWORD,
    "first_name": "Gary",
    "last_name": "Oak",
    "accept_terms": True,
}
WRITES = [
    ("POST", "/auth/register/", REGISTRATION),
    ("POST", "/auth/login/", {"username": "ash-ketchum", "password": PASSWORD}),
    ("POST", "/auth/verify-email/", {"email": "ash@example.com", "otp": "123456"}),
    ("POST", "/auth/resend-verification-email/", {}),
    ("POST", "/auth/token/refresh/", {"refresh": "x"}),
    ("POST", "/auth/logout/", {"refresh": "x"}),
    ("POST", "/auth/password-change/", {"current_password": PASSWORD, "new_password": "another long one"}),
    ("POST", "/auth/password-reset/", {"email": "ash@example.com"}),
    ("POST", "/auth/password-reset/verify/", {"email": "ash@example.com", "otp": "123456"}),
    ("PATCH", "/users/me/", {"first_name": "Satoshi"}),
    ("PUT", "/users/me/professional-info/", {"company_name": "Cards", "siret_number": "73282932000074"}),
    ("POST", "/users/me/addresses/", ADDRESS),
    ("PATCH", "/users/me/addresses/{address}/", {"city": "Lyon"}),
]


@pytest.fixture
def ash(client):
    body = {**REGISTRATION, "username": "ash-ketchum", "email": "ash@example.com"}
    answer = client.post("/api/v1/auth/register/", json=body)
    return {"Authorization": f"Bearer {answer.json['access_token']}"}


@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=[path for _, path, _ in WRITES])
def test_is_refused_and_changes_nothing(client, ash, container, method, path, body):
    address = client.post("/api/v1/users/me/addresses/", json=ADDRESS, headers=ash).json["id"]
    where = "/api/v1" + path.format(address=address)
    tables = container.backend.store().tables
    before = {name: dict(tables[name]) for name in ("accounts", "addresses", "sessions")}
    for field, value in NOT_THEIRS.items():
        answer = client.open(where, method=method, json={**body, field: value}, headers=ash)
        assert (answer.status_code, answer.json["code"]) == (422, "validation_error"), (field, answer.json)
        assert list(answer.json["errors"]) == [field]
    assert {name: dict(tables[name]) for name in before} == before


@pytest.mark.parametrize("role", ["admin", "verifier", "staff", "seller", "buyer", "", None, ["vendor"], True, 1])
def test_registration_gives_no_role_but_those_of_buyers_and_applicants(client, role):
    answer = client.post("/api/v1/auth/register/", json={**REGISTRATION, "role": role})
    assert (answer.status_code, answer.json["code"]) == (422, "validation_error")
    assert list(answer.json["errors"]) == ["role"]


def test_a_vendor_is_registered_as_a_buyer_who_waits(client):
    answer = client.post("/api/v1/auth/register/", json={**REGISTRATION, "role": "vendor"})
    assert (answer.status_code, answer.json["user"]["roles"]) == (201, ["buyer"])


def test_what_is_theirs_is_not_set_by_a_query_or_a_form(client, ash):
    answer = client.patch("/api/v1/users/me/?role=admin", json={"first_name": "Satoshi"}, headers=ash)
    assert (answer.status_code, answer.json["code"]) == (422, "validation_error")
    answer = client.patch("/api/v1/users/me/", data={"role": "admin"}, headers=ash)
    assert answer.status_code == 415
    assert client.get("/api/v1/users/me/", headers=ash).json["first_name"] == "Gary"
