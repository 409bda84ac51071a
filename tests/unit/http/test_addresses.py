"""One's own addresses over HTTP."""

import pytest

URL = "/api/v1/users/me/addresses/"
HOME = {
    "name": "Ash Ketchum",
    "street_number": "12 bis",
    "street": "Rue de la Paix",
    "city": "Paris",
    "state": "",
    "postal_code": "75002",
    "country": "fr",
    "phone_number": "+33 1 23 45 67 89",
    "address_type": "delivery",
}


@pytest.fixture
def member(client):
    def join(name):
        body = {
            "username": name,
            "email": f"{name}@example.com",
            "password": "a good long one",
            "confirm_password": "a good long one",
            "first_name": "A",
            "last_name": "B",
            "accept_terms": True,
        }
        token = client.post("/api/v1/auth/register/", json=body).json["access_token"]
        return {"Authorization": f"Bearer {token}"}

    return join


@pytest.fixture
def ash(member):
    return member("ash")


@pytest.fixture
def home(client, ash):
    return client.post(URL, json=HOME, headers=ash).json


class TestAddresses:
    def test_keeps_one(self, client, ash):
        answer = client.post(URL, json=HOME, headers=ash)
        assert answer.status_code == 201
        kept = answer.json
        assert {name: kept[name] for name in HOME} == {**HOME, "country": "FR"}
        assert client.get(f"{URL}{kept['id']}/", headers=ash).json == kept

    def test_needs_no_more_than_a_name_a_street_a_city_and_a_country(self, client, ash):
        body = {name: HOME[name] for name in ("name", "street", "city", "country")}
        answer = client.post(URL, json=body, headers=ash)
        assert answer.status_code == 201
        assert (answer.json["address_type"], answer.json["postal_code"]) == ("both", "")

    def test_lists_them_a_page_at_a_time(self, client, ash):
        for number in range(3):
            client.post(URL, json={**HOME, "street_number": str(number)}, headers=ash)
        first = client.get(URL, query_string={"page_size": 2, "fields": "street_number"}, headers=ash).json
        assert (first["count"], first["count_is_exact"]) == (3, True)
        second = client.get(first["next"], headers=ash).json
        assert [row["street_number"] for row in first["results"] + second["results"]] == ["0", "1", "2"]
        assert second["next"] is None

    def test_changes_one(self, client, ash, home):
        answer = client.patch(f"{URL}{home['id']}/", json={"city": "Lyon", "address_type": "company"}, headers=ash)
        assert answer.status_code == 200
        assert answer.json == {**home, "city": "Lyon", "address_type": "company"}

    def test_forgets_one(self, client, ash, home):
        assert client.delete(f"{URL}{home['id']}/", headers=ash).status_code == 204
        assert client.get(f"{URL}{home['id']}/", headers=ash).status_code == 404
        assert client.delete(f"{URL}{home['id']}/", headers=ash).status_code == 404

    @pytest.mark.parametrize("method", ["get", "patch", "delete"])
    def test_somebody_elses_does_not_exist(self, client, member, home, method):
        body = {"json": {"city": "Lyon"}} if method == "patch" else {}
        answer = getattr(client, method)(f"{URL}{home['id']}/", headers=member("gary"), **body)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"country": "XX"}, "country"),
            ({"country": "France"}, "country"),
            ({"street": ""}, "street"),
            ({"name": None}, "name"),
            ({"city": "x" * 121}, "city"),
            ({"phone_number": "call me"}, "phone_number"),
            ({"address_type": "holiday"}, "address_type"),
            ({"account_id": 7}, "account_id"),
        ],
    )
    def test_refuses_bad_input_and_names_the_field(self, client, ash, home, changes, field):
        for answer in (
            client.post(URL, json={**HOME, **changes}, headers=ash),
            client.patch(f"{URL}{home['id']}/", json=changes, headers=ash),
        ):
            assert (answer.status_code, answer.json["code"]) == (422, "validation_error")
            assert list(answer.json["errors"]) == [field]

    def test_keeps_fifty_at_most(self, client, ash):
        for _ in range(50):
            assert client.post(URL, json=HOME, headers=ash).status_code == 201
        answer = client.post(URL, json=HOME, headers=ash)
        assert (answer.status_code, answer.json["code"]) == (409, "too_many_addresses")
