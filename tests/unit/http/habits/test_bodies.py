"""One parser before everything."""

import io
import time

import pytest

from tests.unit.http.habits.conftest import shared_client

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client():
    return shared_client()


def post(client, body, path="/probe/things/", headers=JSON):
    return client.post(path, data=body, headers=headers)


def chunked(client, body, path):
    return client.post(
        path,
        headers={**JSON, "Transfer-Encoding": "chunked"},
        input_stream=io.BytesIO(body),
        environ_overrides={"wsgi.input_terminated": True},
    )


def test_a_sound_document_goes_through(client):
    response = post(client, '{"name": "caf\\u00e9 \\ud83d\\ude00", "quantity": 2}')
    assert response.status_code == 201
    assert response.json == {"name": "café 😀", "quantity": 2}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'name': 1}",
        b'{"name": "x",}',
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": -Infinity}',
        b'{"name": 1e999}',
        b'{"name": "a\\u0000b"}',
        b'{"name\\u0000": 1}',
        b'{"name": "\\ud800"}',
        b'{"name": "x", "name": "y"}',
        b'{"a": [{"b": 1, "b": 2}]}',
        b'{"name": "\xff"}',
        b'\xef\xbb\xbf{"name": "x"}',
        b'{"name": "tab\there"}',
        b'{"name": ' + b"1" * 5000 + b"}",
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"nonsense",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_strict_json_within_bounds_is_malformed(client, body):
    response = post(client, body)
    assert (response.status_code, response.json["code"]) == (400, "malformed_json")


def test_thirty_two_levels_are_deep_enough(client):
    assert post(client, b"[" * 32 + b"]" * 32).status_code == 422


def test_many_brackets_side_by_side_are_not_deep(client):
    assert post(client, b"[" + b"[]," * 1000 + b"[]]").status_code == 422


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "null", "true"])
def test_a_document_that_is_no_object_is_invalid(client, body):
    response = post(client, body)
    assert (response.status_code, response.json["code"]) == (422, "validation_error")
    assert response.json["errors"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json; charset=utf-16"},
        {},
    ],
)
def test_a_body_of_another_kind_is_refused(client, headers):
    response = post(client, '{"name": "x"}', headers=headers)
    assert (response.status_code, response.json["code"]) == (415, "unsupported_media_type")


def test_an_empty_text_is_no_empty_document(client):
    assert post(client, "", headers={"Content-Type": "text/plain"}).status_code == 415


def test_json_under_another_name_is_json(client):
    assert post(client, '{"name": "x"}', headers={"Content-Type": "application/vnd.x+json"}).status_code == 201


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8"])
def test_json_may_say_that_it_is_utf_8(client, charset):
    headers = {"Content-Type": f"application/json; charset={charset}"}
    assert post(client, '{"name": "é"}'.encode(), headers=headers).json["name"] == "é"


def test_a_body_that_is_missing_lacks_its_fields(client):
    response = client.post("/probe/things/")
    assert response.status_code == 422
    assert response.json["errors"] == {"name": ["Missing data for required field."]}


def test_a_body_beyond_a_mebibyte_is_refused(client):
    response = post(client, b'{"name": "' + b"x" * 1024 * 1024 + b'"}')
    assert (response.status_code, response.json["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("path", ["/probe/things/", "/probe/bare/", "/probe/raw/"])
def test_a_body_in_chunks_may_be_as_long_as_any_other(client, path):
    limit = 100 if path == "/probe/raw/" else 1024 * 1024
    sound = b'{"name": "x"}' if path == "/probe/things/" else b"{}"
    for length, refused in ((limit, False), (limit + 1, True)):
        response = chunked(client, sound.ljust(length), path=path)
        assert (response.status_code == 413) is refused, response.text
        assert not refused or response.json["code"] == "body_too_large"


def test_a_view_without_a_body_needs_none(client):
    for headers in ({}, JSON):
        assert client.post("/probe/bare/", headers=headers).status_code == 204
    assert post(client, "{}", path="/probe/bare/").status_code == 204


def test_a_view_without_a_body_takes_no_fields(client):
    response = post(client, '{"reason": "because", "force": true}', path="/probe/bare/")
    assert (response.status_code, response.json["code"]) == (422, "validation_error")
    assert response.json["errors"] == {"reason": ["Unknown field."], "force": ["Unknown field."]}
    names = ",".join(f'"colour{number}":"red"' for number in range(1000))
    assert len(post(client, f"{{{names}}}", path="/probe/bare/").json["errors"]) == 100


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "0", "null", "false"])
def test_a_view_without_a_body_takes_no_other_document(client, body):
    response = post(client, body, path="/probe/bare/")
    assert (response.status_code, response.json["errors"]) == (422, {"body": ["Invalid input type."]})


def test_who_may_call_is_asked_before_what_is_sent(client):
    assert post(client, '{"force": true}', path="/probe/quiet/").status_code == 401
    assert client.get("/probe/me/?x=1").status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_view_without_a_query_takes_no_parameters(client, method):
    path = "/probe/anyone/" if method == "GET" else "/probe/bare/"
    response = client.open(f"{path}?page=1&x=2&x=3", method=method)
    assert (response.status_code, response.json["code"]) == (422, "validation_error")
    assert response.json["errors"] == {"page": ["Unknown field."], "x": ["Unknown field."]}


def test_a_probe_of_health_may_carry_anything(client):
    assert client.get("/health/?now=1").status_code == 200


def test_a_view_that_takes_bytes_gets_them_as_they_are(client):
    assert post(client, b"\x00\xff{", path="/probe/raw/").json == {"bytes": 3}


def test_a_view_that_takes_bytes_has_a_limit_of_its_own(client):
    response = post(client, b"x" * 101, path="/probe/raw/")
    assert (response.status_code, response.json["code"]) == (413, "body_too_large")


def test_unknown_fields_are_refused(client):
    response = post(client, '{"name": "x", "colour": "red"}')
    assert response.status_code == 422
    assert response.json["errors"] == {"colour": ["Unknown field."]}


def test_a_name_given_twice_among_very_many_is_found_at_once(client):
    names = ",".join(f'"{number:x}":0' for number in range(90_000))
    started = time.process_time()
    response = post(client, f'{{{names},"15f8f":1}}')
    assert "'15f8f' twice" in response.json["detail"]
    assert time.process_time() - started < 5  # seconds; comparing each name with all others takes a minute


def test_an_answer_complains_of_so_many_fields_only(client):
    names = ",".join(f'"colour{number}":"red"' for number in range(10_000))
    response = post(client, f"{{{names}}}")
    assert response.status_code == 422
    assert len(response.json["errors"]) == 100


def test_a_list_that_is_too_long_is_refused_as_a_whole(client):
    response = post(client, '{"items": [' + ",".join(["0"] * 201) + "]}", path="/probe/nested/")
    assert response.json["errors"] == {"items": ["Longer than maximum length 200."]}


def test_errors_in_lists_name_their_place(client):
    response = post(client, '{"items": [{"quantity": 1}, {"quantity": "x"}]}', path="/probe/nested/")
    assert response.json["errors"] == {"items.1.quantity": ["Not a whole number."]}


@pytest.mark.parametrize("query", ["quantity=1%00", "quantity=%00", "x" * 9000])
def test_a_query_that_cannot_be_read_is_refused(client, query):
    response = client.get(f"/probe/things/?{query}")
    assert (response.status_code, response.json["code"]) == (400, "bad_request")


def test_a_path_that_holds_nul_is_refused(client):
    response = client.get("/probe/refusals/a%00b/")
    assert (response.status_code, response.json["code"]) == (400, "bad_request")


@pytest.mark.parametrize("value", ["true", "1.0", "1.5", '"1"', "null", "[1]", "-1", "0", "100", "1e2", "9" * 300])
def test_an_integer_takes_integers_within_bounds_only(client, value):
    response = post(client, f'{{"name": "x", "quantity": {value}}}')
    assert response.status_code == 422
    assert list(response.json["errors"]) == ["quantity"]


@pytest.mark.parametrize(
    "value", ["1", "1.5", '"-1"', '"1e3"', '"NaN"', '""', '" 1"', '"1."', '".5"', '"1.2345"', '"٣"', '"1,5"', '"05.00"',
              '"00"', "null"]
)  # fmt: skip
def test_money_takes_plain_decimal_strings_only(client, value):
    response = post(client, f'{{"name": "x", "price": {value}}}')
    assert response.status_code == 422
    assert list(response.json["errors"]) == ["price"]


@pytest.mark.parametrize("value", ["0", "25.99", "1200", "0.005"])
def test_money_takes_decimals(client, value):
    assert post(client, f'{{"name": "x", "price": "{value}"}}').json["price"] == value


@pytest.mark.parametrize("value", ["1", "0", '"true"', '"false"', '"yes"', "null", "[]", "{}"])
def test_a_flag_takes_true_and_false_only(client, value):
    assert post(client, f'{{"name": "x", "listed": {value}}}').status_code == 422


@pytest.mark.parametrize("value", ['"' + "x" * 21 + '"', '"a\\u0007b"', "7", "null"])
def test_a_text_is_bounded_and_holds_no_control_characters(client, value):
    assert post(client, f'{{"name": {value}}}').status_code == 422


def test_a_text_is_trimmed(client):
    assert post(client, '{"name": "  x  "}').json["name"] == "x"
