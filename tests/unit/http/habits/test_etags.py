"""ETag, If-None-Match, If-Match."""

import pytest

from tests.unit.http.habits.conftest import shared_client


@pytest.fixture(scope="module")
def client():
    return shared_client()


def test_what_a_reader_has_is_not_sent_again(client):
    tag = client.get("/probe/things/7/").headers["ETag"]
    response = client.get("/probe/things/7/", headers={"If-None-Match": tag})
    assert (response.status_code, response.text) == (304, "")
    assert response.headers["ETag"] == tag


def test_something_else_is_sent(client):
    tag = client.get("/probe/things/7/").headers["ETag"]
    assert client.get("/probe/things/8/", headers={"If-None-Match": tag}).status_code == 200


def test_a_change_may_name_the_version_it_is_based_on(client):
    tag = client.get("/probe/things/7/").headers["ETag"]
    assert client.patch("/probe/things/7/", headers={"If-Match": tag}).json == {"expected": 7}


def test_a_tag_that_was_weakened_on_the_way_still_names_its_version(client):
    assert client.patch("/probe/things/7/", headers={"If-Match": 'W/"7.ab"'}).json == {"expected": 7}


@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}])
def test_a_change_need_not(client, headers):
    assert client.patch("/probe/things/7/", headers=headers).json == {"expected": None}


@pytest.mark.parametrize("tag", ['"x"', "7", 'w/"7.ab"', '"7.ab", "8.cd"', '"' + "9" * 40 + '.ab"'])
def test_a_tag_that_is_not_ours_matches_nothing(client, tag):
    response = client.patch("/probe/things/7/", headers={"If-Match": tag})
    assert (response.status_code, response.json["code"]) == (412, "precondition_failed")
