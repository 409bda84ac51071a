"""ETag, If-None-Match, If-Match."""

import time

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


@pytest.mark.parametrize("given", ["W/{tag}", '"x", {tag}', ' , "x,y" ,W/{tag},', "*", '"",\t{tag}'])
def test_any_tag_of_a_list_will_do_for_a_reader_and_weak_ones_too(client, given):
    tag = client.get("/probe/things/7/").headers["ETag"]
    response = client.get("/probe/things/7/", headers={"If-None-Match": given.format(tag=tag)})
    assert (response.status_code, response.text) == (304, "")


@pytest.mark.parametrize("given", ['"x"', "w/{tag}", "{tag}x", "{bare}", "*, {tag}", '"', '"x" {tag}', ""])
def test_what_names_no_copy_that_is_right_is_answered_whole(client, given):
    tag = client.get("/probe/things/7/").headers["ETag"]
    given = given.format(tag=tag, bare=tag.strip('"'))
    response = client.get("/probe/things/7/", headers={"If-None-Match": given})
    assert (response.status_code, response.json["id"]) == (200, 7)


@pytest.mark.parametrize(("given", "status"), [("{tag}", 200), ("*", 200), ('"x", {tag}', 200), ('"x"', 412),
                                               ("W/{tag}", 412), ("nonsense", 412)])  # fmt: skip
def test_a_reader_may_insist_on_what_it_knows(client, given, status):
    tag = client.get("/probe/things/7/").headers["ETag"]
    response = client.get("/probe/things/7/", headers={"If-Match": given.format(tag=tag)})
    assert response.status_code == status
    assert status == 200 or response.json["code"] == "precondition_failed"


def test_a_list_of_very_many_tags_is_read_at_once(client):
    started = time.process_time()
    for given in ('"x",' * 50_000, "," * 200_000, "W/" * 100_000, '"' * 200_000):
        assert client.get("/probe/things/7/", headers={"If-None-Match": given}).status_code == 200
    assert time.process_time() - started < 5  # seconds


def test_a_change_may_name_the_version_it_is_based_on(client):
    tag = client.get("/probe/things/7/").headers["ETag"]
    assert client.patch("/probe/things/7/", headers={"If-Match": tag}).json == {"expected": [7]}


@pytest.mark.parametrize("given", ['"7.ab", "8.cd"', '"x,y" , "8.cd",W/"9.ef","7.ab",', '"7.ab","8.cd"'])
def test_a_change_may_name_several_versions(client, given):
    assert client.patch("/probe/things/7/", headers={"If-Match": given}).json == {"expected": [7, 8]}


@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}, {"If-Match": " * "}])
def test_a_change_need_not(client, headers):
    assert client.patch("/probe/things/7/", headers=headers).json == {"expected": None}


@pytest.mark.parametrize(
    "tag", ['"x"', "7", 'w/"7.ab"', 'W/"7.ab"', '"' + "9" * 40 + '.ab"', '*, "7.ab"', '"7.ab" "8.cd"', "", ","]
)
def test_a_tag_that_is_not_ours_or_weak_matches_nothing(client, tag):
    response = client.patch("/probe/things/7/", headers={"If-Match": tag})
    assert (response.status_code, response.json["code"]) == (412, "precondition_failed")
