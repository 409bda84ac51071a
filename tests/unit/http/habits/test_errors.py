"""Every refusal is a problem document; a crash says nothing."""

import json

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from tests.unit.http.habits.conftest import shared_client

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def client():
    return shared_client()


@pytest.mark.parametrize(
    ("name", "status", "code", "facts"),
    [
        ("invalid", 422, "validation_error", {"errors": {"quantity": ["Must be at least 1."]}}),
        ("not-found", 404, "not_found", {}),
        ("forbidden", 403, "permission_denied", {"missing": ["seller"]}),
        ("conflict", 409, "insufficient_stock", {"available": 2}),
        ("declined", 402, "payment_declined", {"decline_code": "insufficient_funds"}),
        ("stale", 412, "precondition_failed", {}),
        ("unavailable", 503, "unavailable", {}),
        ("throttled", 429, "throttled", {}),
    ],
)
def test_each_kind_of_refusal_has_its_status_and_its_facts(client, name, status, code, facts):
    response = client.get(f"/probe/refusals/{name}/")
    assert response.status_code == status
    assert response.content_type == PROBLEM
    body = response.json
    assert body == {
        "type": f"urn:marketplace:problem:{code}",
        "title": body["title"],
        "status": status,
        "detail": body["detail"],
        "instance": f"/probe/refusals/{name}/",
        "code": code,
        "request_id": response.headers["X-Request-ID"],
        **facts,
    }
    assert body["detail"]


@pytest.mark.parametrize(("name", "seconds"), [("unavailable", "2"), ("throttled", "42")])
def test_what_may_succeed_later_says_when(client, name, seconds):
    assert client.get(f"/probe/refusals/{name}/").headers["Retry-After"] == seconds


def test_a_crash_is_logged_with_the_request_id_and_leaks_nothing(client):
    with capture_logs(processors=[merge_contextvars]) as lines:
        response = client.get("/probe/crash/", headers={"X-Request-ID": "abc-1"})
    crash = next(line for line in lines if line["event"] == "unexpected error")
    assert crash["request_id"] == "abc-1"
    assert "hunter2" in str(crash["exc_info"])
    assert response.status_code == 500
    assert response.content_type == PROBLEM
    assert response.json["code"] == "internal_error"
    assert response.json["request_id"] == "abc-1"
    for leak in ("hunter2", "postgresql", "RuntimeError", "Traceback", __name__):
        assert leak not in response.text


def test_an_error_of_no_kind_is_a_crash(client):
    response = client.get("/probe/refusals/of-no-kind/")
    assert (response.status_code, response.json["code"]) == (500, "internal_error")
    assert "translated" not in response.text


@pytest.mark.parametrize(
    ("status", "answered", "code"),
    [(403, 403, "permission_denied"), (418, 418, "bad_request"), (503, 500, "internal_error")],
)
def test_what_a_library_stops_is_a_problem_document_too(client, status, answered, code):
    response = client.get(f"/probe/stopped/{status}/")
    assert (response.status_code, response.json["code"]) == (answered, code)
    assert response.content_type == PROBLEM


def test_an_unknown_address_is_not_found(client):
    response = client.get("/api/v1/nowhere/")
    assert (response.status_code, response.json["code"]) == (404, "not_found")


@pytest.mark.parametrize("id", ["0", "-1", "1.0", "x", "01", "9" * 17, "9" * 400, "٣", "%00"])
def test_what_is_not_an_id_is_not_found(client, id):
    assert client.get(f"/probe/things/{id}/").status_code == 404


def test_the_largest_id_is_one(client):
    assert client.get(f"/probe/things/{2**53 - 1}/").json["id"] == 2**53 - 1


def test_a_wrong_method_says_which_ones_there_are(client):
    response = client.put("/probe/things/")
    assert (response.status_code, response.json["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_a_missing_slash_is_redirected(client):
    response = client.get("/probe/things")
    assert response.status_code == 308
    assert response.headers["Location"].endswith("/probe/things/")


def test_a_host_that_is_not_ours_is_refused(client):
    response = client.get("/health/live/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert json.loads(response.text)["code"] == "bad_request"


def test_options_names_the_methods(client):
    response = client.options("/probe/things/")
    assert response.status_code == 200
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_head_answers_as_get_without_the_body(client):
    response = client.head("/probe/things/")
    assert (response.status_code, response.text) == (200, "")


def test_an_id_left_out_is_not_found_rather_than_redirected(client):
    answer = client.get("/api/v1/orders//")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
