"""Lists."""

import base64
import json

import pytest

from tests.unit.http.habits.conftest import shared_client


@pytest.fixture(scope="module")
def client():
    return shared_client()


def get(client, **query):
    return client.get("/probe/things/", query_string=query)


def ids(response):
    return [item["id"] for item in response.json["results"]]


def refused(response, field):
    assert response.status_code == 422, response.text
    assert list(response.json["errors"]) == [field]


def test_the_first_page_has_twenty_and_says_how_many_there_are(client):
    response = get(client)
    assert ids(response) == list(range(1, 21))
    assert (response.json["count"], response.json["count_is_exact"]) == (45, True)
    assert response.json["previous"] is None


def test_following_next_walks_through_everything_once(client):
    seen, response = [], get(client, page_size=7)
    while True:
        seen += ids(response)
        if response.json["next"] is None:
            break
        assert response.json["next"].startswith("/probe/things/?")
        response = client.get(response.json["next"])
    assert seen == list(range(1, 46))


def test_following_previous_walks_back(client):
    last = get(client, page=3)
    middle = client.get(last.json["previous"])
    assert ids(middle) == list(range(21, 41))
    first = client.get(middle.json["previous"])
    assert ids(first) == list(range(1, 21))
    assert first.json["previous"] is None


def test_next_carries_the_filters_and_the_ordering(client):
    response = get(client, quantity=1, ordering="-name", page_size=5)
    following = client.get(response.json["next"])
    assert following.status_code == 200
    assert all(item["quantity"] == 1 for item in following.json["results"])
    names = [item["name"] for item in response.json["results"] + following.json["results"]]
    assert names == sorted(names, reverse=True)


def test_a_page_by_its_number(client):
    assert ids(get(client, page=2, page_size=10)) == list(range(11, 21))


def test_a_page_past_the_end_is_empty(client):
    response = get(client, page=9)
    assert (response.status_code, response.json["results"], response.json["next"]) == (200, [], None)


def test_more_than_a_hundred_is_clamped(client):
    assert get(client, page_size=1000).status_code == 200
    assert len(ids(get(client, page_size=1000))) == 45


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.0", "", "9" * 400, "٣", "true"])
@pytest.mark.parametrize("name", ["page", "page_size"])
def test_what_is_no_number_of_a_page_is_refused(client, name, value):
    refused(get(client, **{name: value}), name)


def test_page_numbers_end_at_ten_thousand_rows(client):
    assert get(client, page=100, page_size=100).status_code == 200
    refused(get(client, page=101, page_size=100), "page")


def test_a_cursor_excludes_a_page(client):
    following = get(client).json["next"]
    refused(client.get(f"{following}&page=2"), "cursor")


def forged(cursor, **changes):
    content = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    return base64.urlsafe_b64encode(json.dumps({**content, **changes}).encode()).decode().rstrip("=")


@pytest.fixture
def cursor(client):
    return get(client).json["next"].partition("cursor=")[2]


@pytest.mark.parametrize(
    "changes", [{"key": [30]}, {"key": ["x"]}, {"key": None}, {"direction": "before"}, {"direction": 7},
                {"ordering": "-id"}, {"fingerprint": "0" * 20}, {"fingerprint": None}, {"fingerprint": "é"}], ids=str
)  # fmt: skip
def test_a_forged_cursor_is_refused(client, cursor, changes):
    refused(get(client, cursor=forged(cursor, **changes)), "cursor")


@pytest.mark.parametrize("text", ["x", "é", "", "=", "bnVsbA", "W10", "e30", "!!!!", "AAAA" * 400])
def test_what_is_no_cursor_is_refused(client, text):
    refused(get(client, cursor=text), "cursor")


def test_a_cursor_that_is_too_long_is_refused(client):
    refused(get(client, cursor="A" * 2001), "cursor")


def test_a_cursor_belongs_to_its_filters_and_its_ordering(client, cursor):
    refused(get(client, cursor=cursor, quantity=1), "cursor")
    refused(get(client, cursor=cursor, ordering="name"), "cursor")
    assert get(client, cursor=cursor, page_size=3).status_code == 200


@pytest.mark.parametrize("ordering", ["price", "--name", "name,id", ""])
def test_only_documented_orderings_are_taken(client, ordering):
    refused(get(client, ordering=ordering), "ordering")


def test_fields_keeps_only_those_named(client):
    assert get(client, fields="id, name", page_size=1).json["results"] == [{"id": 1, "name": "n1"}]


@pytest.mark.parametrize("fields", ["colour", "id,colour", "", ",", "__class__"])
def test_fields_takes_known_names_only(client, fields):
    refused(get(client, fields=fields), "fields")


@pytest.mark.parametrize(("query", "name"), [({"colour": "red"}, "colour"), ({"quantity": "1.5"}, "quantity"),
                                              ({"listed": "1"}, "listed")])  # fmt: skip
def test_unknown_and_wrong_filters_are_refused(client, query, name):
    refused(get(client, **query), name)


@pytest.mark.parametrize(("value", "status"), [("true", 200), ("false", 200), ("True", 422), ("", 422)])
def test_a_flag_is_spelled_as_in_json(client, value, status):
    assert get(client, listed=value).status_code == status


def test_a_parameter_is_given_once(client):
    response = client.get("/probe/things/?page=1&quantity=1&quantity=2")
    refused(response, "quantity")
    assert response.json["errors"] == {"quantity": ["Given more than once."]}
