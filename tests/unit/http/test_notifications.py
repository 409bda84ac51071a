"""What one is told, over HTTP, and what one chooses to be told."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from marketplace.application.identity.registration import NewMember
from marketplace.domain.notifications import RULES, Channel, Kind, Rule, may_be_refused
from marketplace.entrypoints.http.unsubscribe_pages import ABOUT
from tests.letters import SAMPLES

ALL = "/api/v1/users/me/notifications/"
PREFERENCES = "/api/v1/users/me/notification-preferences/"


@pytest.fixture
def join(container, client):
    """Register somebody; gives their id and their header."""

    def register(username, **details):
        member = NewMember(
            username=username, email=f"{username}@example.com", password="a good long one", accept_terms=True, **details
        )
        account = container.register()(member=member).account_id
        tokens = client.post(
            "/api/v1/auth/login/", json={"username": username, "password": "a good long one"}
        ).get_json()
        return account, {"Authorization": f"Bearer {tokens['access_token']}"}

    return register


@pytest.fixture
def ash(join):
    return join("ash")


@pytest.fixture
def tell(container, clock):
    def notify(account, kind=Kind.REFUND_FAILED, occasion="", **options):
        clock.advance(timedelta(seconds=1))
        container.notifications.notify()(
            kind, account=account, occasion=occasion or f"{kind}-{clock.now():%H%M%S}", **options, **SAMPLES[kind]
        )

    return notify


@pytest.fixture
def mailbox(container):
    return container.backend.mailbox()


def choose(client, header, kind, wanted, channel="mail"):
    choice = {"kind": kind, "channel": channel, "wanted": wanted}
    return client.patch(PREFERENCES, headers=header, json={"preferences": [choice]})


def switch(client, header, kind, channel="mail"):
    (found,) = [
        (each["wanted"], each["necessary"])
        for each in client.get(PREFERENCES, headers=header).get_json()["preferences"]
        if (each["kind"], each["channel"]) == (kind, channel)
    ]
    return found


class TestReading:
    def test_shows_the_latest_first_with_what_it_is_about(self, client, ash, tell):
        account, header = ash
        tell(account, Kind.SELLER_APPROVED)
        tell(account, Kind.REFUND_DECIDED, link="/orders/7/")
        body = client.get(ALL, headers=header).get_json()
        assert (body["count"], body["unread_count"]) == (2, 2)
        latest, first = body["results"]
        assert latest["kind"] == "refund_decided"
        assert latest["title"] == "€52.56 of your order MP-7K3F-9Q2X go back to you"
        assert latest["body"] == "We are giving you back €52.56 of your order MP-7K3F-9Q2X."
        assert (latest["link"], latest["read_at"]) == ("/api/v1/orders/7/", None)
        assert (first["kind"], first["link"]) == ("seller_approved", None)

    def test_speaks_the_language_of_the_account(self, client, join, tell):
        account, header = join("sacha", language="fr")
        tell(account, Kind.REFUND_FAILED)
        (told,) = client.get(ALL, headers=header).get_json()["results"]
        assert told["title"] == "Nous n\u2019avons pas encore pu vous rembourser 52,56\u00a0€"

    def test_pages_and_narrows(self, client, ash, tell):
        account, header = ash
        for _ in range(3):
            tell(account)
        first = client.get(f"{ALL}?page_size=2&fields=id", headers=header).get_json()
        rest = client.get(first["next"], headers=header).get_json()
        ids = [told["id"] for told in first["results"] + rest["results"]]
        assert len(set(ids)) == 3
        client.post(f"{ALL}{ids[1]}/read/", headers=header)
        unread = client.get(f"{ALL}?unread=true", headers=header).get_json()
        assert [told["id"] for told in unread["results"]] == [ids[0], ids[2]]
        assert (unread["count"], unread["unread_count"]) == (2, 2)
        seen = client.get(f"{ALL}?unread=false", headers=header).get_json()
        assert [told["id"] for told in seen["results"]] == [ids[1]]

    def test_reading_again_changes_nothing(self, client, ash, tell, clock):
        account, header = ash
        tell(account)
        (told,) = client.get(ALL, headers=header).get_json()["results"]
        once = client.post(f"{ALL}{told['id']}/read/", headers=header)
        clock.advance(timedelta(minutes=5))
        again = client.post(f"{ALL}{told['id']}/read/", headers=header)
        assert (once.status_code, again.status_code) == (200, 200)
        assert once.get_json()["read_at"] is not None
        assert once.get_json() == again.get_json()

    def test_reads_everything_at_once(self, client, ash, tell):
        account, header = ash
        tell(account)
        tell(account)
        assert client.post(f"{ALL}read-all/", headers=header).get_json() == {"marked": 2}
        assert client.post(f"{ALL}read-all/", headers=header).get_json() == {"marked": 0}
        assert client.get(ALL, headers=header).get_json()["unread_count"] == 0

    def test_another_members_do_not_exist(self, client, ash, join, tell):
        account, header = ash
        tell(account)
        (told,) = client.get(ALL, headers=header).get_json()["results"]
        _, theirs = join("misty")
        assert client.get(ALL, headers=theirs).get_json()["results"] == []
        assert client.post(f"{ALL}{told['id']}/read/", headers=theirs).status_code == 404
        client.post(f"{ALL}read-all/", headers=theirs)
        assert client.get(ALL, headers=header).get_json()["unread_count"] == 1

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", ALL),
            ("POST", f"{ALL}1/read/"),
            ("POST", f"{ALL}read-all/"),
            ("GET", PREFERENCES),
            ("PATCH", PREFERENCES),
        ],
    )
    def test_strangers_see_nothing(self, client, method, path):
        assert client.open(path, method=method).status_code == 401

    def test_what_was_told_long_ago_is_forgotten(self, client, container, ash, tell, clock):
        account, _ = ash
        tell(account)
        clock.advance(timedelta(days=179))
        tell(account, Kind.SELLER_APPROVED)
        assert container.jobs()["purge notifications"]() == 0
        clock.advance(timedelta(days=2))
        assert container.jobs()["purge notifications"]() == 1
        with container.backend.unit_of_work() as uow:
            assert uow.notifications.mark_all_read(account, now=clock.now()) == 1


class TestChoosing:
    def test_shows_every_switch_that_there_is(self, client, ash):
        _, header = ash
        body = client.get(PREFERENCES, headers=header).get_json()
        shown = {(each["kind"], each["channel"]) for each in body["preferences"]}
        assert shown == {
            (kind, channel) for kind, rules in RULES.items() for channel, rule in rules.items() if rule != Rule.NEVER
        }
        assert switch(client, header, "order_confirmed") == (True, True)
        assert switch(client, header, "sale_made") == (True, False)
        assert switch(client, header, "sale_made", "in_app") == (True, True)
        assert switch(client, header, "newsletter") == (False, False)

    def test_what_is_switched_off_comes_no_more_by_that_channel(self, client, ash, tell, mailbox):
        account, header = ash
        answer = choose(client, header, "order_expired", wanted=False)
        assert answer.status_code == 200
        assert {"kind": "order_expired", "channel": "mail", "wanted": False, "necessary": False} in (
            answer.get_json()["preferences"]
        )
        tell(account, Kind.ORDER_EXPIRED)
        assert mailbox.messages(limit=5) == []
        assert client.get(ALL, headers=header).get_json()["count"] == 1
        choose(client, header, "order_expired", wanted=True)
        choose(client, header, "order_expired", wanted=False, channel="in_app")
        tell(account, Kind.ORDER_EXPIRED)
        assert len(mailbox.messages(limit=5)) == 1
        assert client.get(ALL, headers=header).get_json()["count"] == 1

    @pytest.mark.parametrize(
        "kind", ["email_verification", "order_confirmed", "refund_decided", "refund_failed", "seller_suspended"]
    )
    def test_what_is_necessary_cannot_be_switched_off(self, client, ash, kind):
        _, header = ash
        answer = choose(client, header, kind, wanted=False)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "necessary_notification")
        assert kind in answer.get_json()["errors"]["preferences"][0]
        assert switch(client, header, kind) == (True, True)
        assert choose(client, header, kind, wanted=True).status_code == 200

    def test_all_choices_count_or_none(self, client, ash):
        _, header = ash
        choices = [
            {"kind": "sale_made", "channel": "mail", "wanted": False},
            {"kind": "newsletter", "channel": "mail", "wanted": True},
            {"kind": "order_confirmed", "channel": "mail", "wanted": False},
        ]
        assert client.patch(PREFERENCES, headers=header, json={"preferences": choices}).status_code == 422
        assert switch(client, header, "sale_made") == (True, False)
        assert switch(client, header, "newsletter") == (False, False)

    @pytest.mark.parametrize(
        "choice",
        [
            {"kind": "nonsense", "channel": "mail", "wanted": True},
            {"kind": "sale_made", "channel": "pigeon", "wanted": True},
            {"kind": "sale_made", "channel": "mail", "wanted": "no"},
            {"kind": "sale_made", "channel": "mail"},
            {"kind": "sale_made", "channel": "mail", "wanted": True, "account_id": 1},
            {"kind": "email_verification", "channel": "in_app", "wanted": True},
            {"kind": "email_verification", "channel": "in_app", "wanted": False},
        ],
    )
    def test_refuses_what_is_no_switch(self, client, ash, choice):
        _, header = ash
        assert client.patch(PREFERENCES, headers=header, json={"preferences": [choice]}).status_code == 422

    @pytest.mark.parametrize("body", [{}, {"preferences": []}, {"preferences": "all"}, []])
    def test_refuses_what_chooses_nothing(self, client, ash, body):
        _, header = ash
        assert client.patch(PREFERENCES, headers=header, json=body).status_code == 422

    def test_the_newsletter_is_the_subscription_of_the_account(self, client, ash):
        _, header = ash

        def subscribed():
            return client.get("/api/v1/users/me/", headers=header).get_json()["subscribed_to_newsletter"]

        assert choose(client, header, "newsletter", wanted=True).status_code == 200
        assert switch(client, header, "newsletter") == (True, False)
        assert subscribed()
        client.patch("/api/v1/users/me/", headers=header, json={"subscribed_to_newsletter": False})
        assert switch(client, header, "newsletter") == (False, False)
        assert not subscribed()


@pytest.fixture
def way_out(container):
    """The path behind the link of a letter."""

    def path(account, kind=Kind.SALE_MADE):
        return container.notifications.links().link(account, kind).removeprefix(container.settings().public_url)

    return path


class TestUnsubscribing:
    def test_what_is_not_necessary_is_mailed_with_a_way_out(self, container, ash, tell, mailbox, way_out):
        account, _ = ash
        tell(account, Kind.SALE_MADE)
        (mail,) = mailbox.messages(limit=2)
        assert way_out(account) in mail.text
        assert way_out(account) in mail.html
        assert mail.unsubscribe_url == container.settings().public_url + way_out(account)

    def test_what_is_necessary_has_none(self, ash, tell, mailbox):
        account, _ = ash
        tell(account, Kind.ORDER_CONFIRMED)
        (mail,) = mailbox.messages(limit=2)
        assert "unsubscribe" not in (mail.text + mail.html).lower()
        assert mail.unsubscribe_url == ""

    def test_opening_it_asks_and_changes_nothing(self, client, ash, way_out):
        account, header = ash
        page = client.get(way_out(account))
        assert page.status_code == 200
        assert "You will get no more mail about each sale of your shop." in page.text
        assert '<form method="post">' in page.text
        assert page.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert switch(client, header, "sale_made") == (True, False)

    def test_one_click_ends_it_as_often_as_one_clicks_and_for_that_kind_alone(
        self, client, ash, tell, mailbox, way_out
    ):
        account, header = ash
        for _ in range(3):
            answer = client.post(way_out(account), data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200
            assert "Unsubscribed" in answer.text
        assert switch(client, header, "sale_made") == (False, False)
        assert switch(client, header, "order_expired") == (True, False)
        tell(account, Kind.SALE_MADE)
        assert mailbox.messages(limit=5) == []
        assert client.get(ALL, headers=header).get_json()["count"] == 1

    @pytest.mark.parametrize("sent", [{}, {"data": b""}, {"json": {}}, {"data": "x=1", "content_type": "text/plain"}])
    def test_needs_nothing_but_the_link(self, client, ash, way_out, sent):
        account, header = ash
        assert client.post(way_out(account), **sent).status_code == 200
        assert switch(client, header, "sale_made") == (False, False)

    def test_ends_the_newsletter_where_the_account_keeps_it(self, client, join, way_out):
        account, header = join("sacha", language="fr", subscribed_to_newsletter=True)
        page = client.post(way_out(account, Kind.NEWSLETTER))
        assert "Vous ne recevrez plus de courriel d\u2019actualités." in page.get_data(as_text=True).replace(
            "&#39;", "'"
        )
        assert switch(client, header, "newsletter") == (False, False)
        assert not client.get("/api/v1/users/me/", headers=header).get_json()["subscribed_to_newsletter"]

    def test_the_log_does_not_tell_the_link(self, client, ash, way_out):
        account, _ = ash
        with capture_logs() as logged:
            client.get(way_out(account))
            client.post(way_out(account))
        assert [line["path"] for line in logged if line["event"] == "request"] == ["/unsubscribe/<token>/"] * 2
        assert way_out(account) not in str(logged)

    def test_can_be_taken_back_by_its_owner(self, client, ash, way_out):
        account, header = ash
        client.post(way_out(account))
        choose(client, header, "sale_made", wanted=True)
        assert switch(client, header, "sale_made") == (True, False)

    @pytest.mark.parametrize(
        "forge",
        [
            lambda own, other: own.replace(own.split(".")[-1][0], "0" if own.split(".")[-1][0] != "0" else "1", 1),
            lambda own, other: f"{own.rsplit('.', 1)[0]}.{'0' * 64}/",
            lambda own, other: f"{other.rsplit('.', 1)[0]}.{own.rsplit('.', 1)[1]}",
            lambda own, other: own.replace("sale_made", "order_expired"),
            lambda own, other: own.replace("sale_made", "order_confirmed"),
            lambda own, other: "/unsubscribe/x/",
            lambda own, other: "/unsubscribe/1.sale_made./",
            lambda own, other: f"/unsubscribe/{'9' * 16}.sale_made.{'a' * 64}/",
            lambda own, other: "/unsubscribe/" + "é" * 300 + "/",
        ],
    )
    def test_a_forged_link_ends_nothing(self, client, ash, join, way_out, forge):
        account, header = ash
        another, theirs = join("misty")
        path = forge(way_out(account), way_out(another))
        assert client.get(path).status_code == 404
        assert client.post(path).status_code == 404
        for each in (header, theirs):
            assert switch(client, each, "sale_made") == (True, False)
            assert switch(client, each, "order_expired") == (True, False)

    def test_a_link_for_what_is_necessary_ends_nothing(self, client, ash, way_out):
        account, header = ash
        assert client.post(way_out(account, Kind.ORDER_CONFIRMED)).status_code == 404
        assert switch(client, header, "order_confirmed") == (True, True)

    def test_a_link_of_an_account_that_is_gone_is_lost(self, client, way_out):
        assert client.get(way_out(123_456_789)).status_code == 404
        assert client.post(way_out(123_456_789)).status_code == 404

    def test_the_page_can_name_whatever_can_be_ended(self):
        endable = {kind for kind in Kind if may_be_refused(kind, Channel.MAIL)}
        assert {language: set(named) for language, named in ABOUT.items()} == {"en": endable, "fr": endable}
