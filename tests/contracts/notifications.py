"""What every store of notifications and of preferences promises."""

from datetime import timedelta

import pytest

from marketplace.application.ports.pages import PageRequest
from marketplace.domain.notifications import Channel, Kind, Notification
from marketplace.domain.shared.errors import NotFound
from tests.builders import NOW, store_account


def a_notification(account_id, number=1, **changes) -> Notification:
    values = {
        "id": 20_000_000 + number,
        "account_id": account_id,
        "kind": Kind.SALE_MADE,
        "occasion": f"sale-{number}-made",
        "title": f"Vendu : {number} ✓",
        "body": "Merci de l'expédier bientôt.",
        "link": f"/sellers/me/sales/{number}/",
        "created_at": NOW + timedelta(minutes=number),
    }
    return Notification(**{**values, **changes})


def tell(unit_of_work, *notifications):
    with unit_of_work() as uow:
        told = [uow.notifications.add(notification) for notification in notifications]
        uow.commit()
    return told


class NotificationsContract:
    """Subclasses provide the fixtures ``unit_of_work``, a factory, and ``queries``, on the same store."""

    @pytest.fixture
    def member(self, unit_of_work):
        return store_account(unit_of_work)

    @pytest.fixture
    def read(self, unit_of_work):
        def mark(account_id, id, now=NOW):
            with unit_of_work() as uow:
                uow.notifications.mark_read(account_id, id, now=now)
                uow.commit()

        return mark

    def test_gives_back_what_was_told(self, unit_of_work, queries, member):
        assert tell(unit_of_work, a_notification(member)) == [True]
        (told,) = queries.notifications(member, PageRequest()).items
        assert (told.id, told.kind, told.title) == (20_000_001, "sale_made", "Vendu : 1 ✓")
        assert (told.body, told.link) == ("Merci de l'expédier bientôt.", "/sellers/me/sales/1/")
        assert (told.created_at, told.read_at) == (NOW + timedelta(minutes=1), None)
        assert queries.notification(member, told.id) == told

    def test_tells_of_an_occasion_once(self, unit_of_work, queries, member):
        again = {"occasion": "sale-1-made", "title": "Again"}
        assert tell(unit_of_work, a_notification(member), a_notification(member, 2, **again)) == [True, False]
        assert tell(unit_of_work, a_notification(member, 3, **again)) == [False]
        assert [told.title for told in queries.notifications(member, PageRequest()).items] == ["Vendu : 1 ✓"]

    def test_knows_when_an_occasion_was_told(self, unit_of_work, member):
        other = store_account(unit_of_work)
        tell(unit_of_work, a_notification(member))
        with unit_of_work() as uow:
            assert uow.notifications.told_at(member, "sale-1-made") == NOW + timedelta(minutes=1)
            assert uow.notifications.told_at(member, "sale-2-made") is None
            assert uow.notifications.told_at(other, "sale-1-made") is None

    def test_tells_each_member_of_the_same_occasion(self, unit_of_work, queries, member):
        other = store_account(unit_of_work)
        both = {"occasion": "the same"}
        assert tell(unit_of_work, a_notification(member, 1, **both), a_notification(other, 2, **both)) == [True, True]

    def test_lists_the_latest_first_a_page_at_a_time(self, unit_of_work, queries, member):
        tell(unit_of_work, *(a_notification(member, number) for number in (2, 3, 1)))
        tell(unit_of_work, a_notification(store_account(unit_of_work), 4))
        first = queries.notifications(member, PageRequest(size=2))
        assert [told.id - 20_000_000 for told in first.items] == [3, 2]
        assert (first.count, first.count_is_exact, first.previous) == (3, True, None)
        rest = queries.notifications(member, PageRequest(size=2, after=first.next))
        assert [told.id - 20_000_000 for told in rest.items] == [1]

    def test_knows_what_was_read(self, unit_of_work, queries, member, read):
        tell(unit_of_work, *(a_notification(member, number) for number in (1, 2, 3)))
        read(member, 20_000_002, NOW + timedelta(hours=1))
        read(member, 20_000_002, NOW + timedelta(hours=2))
        assert queries.notification(member, 20_000_002).read_at == NOW + timedelta(hours=1)
        unread = queries.notifications(member, PageRequest(), unread=True)
        assert [told.id - 20_000_000 for told in unread.items] == [3, 1]
        assert (unread.count, queries.unread_count(member)) == (2, 2)
        seen = queries.notifications(member, PageRequest(), unread=False)
        assert [told.id - 20_000_000 for told in seen.items] == [2]

    def test_reads_all_of_one_member(self, unit_of_work, queries, member, read):
        other = store_account(unit_of_work)
        tell(unit_of_work, a_notification(member, 1), a_notification(member, 2), a_notification(other, 3))
        read(member, 20_000_001)
        with unit_of_work() as uow:
            assert uow.notifications.mark_all_read(member, now=NOW) == 1
            uow.commit()
        assert (queries.unread_count(member), queries.unread_count(other)) == (0, 1)

    @pytest.mark.parametrize("theirs", [True, False])
    def test_has_none_of_another_member(self, unit_of_work, queries, member, read, theirs):
        other = store_account(unit_of_work)
        if theirs:
            tell(unit_of_work, a_notification(other))
        with pytest.raises(NotFound):
            queries.notification(member, 20_000_001)
        with pytest.raises(NotFound):
            read(member, 20_000_001)
        assert queries.unread_count(other) == theirs

    def test_forgets_the_oldest_first(self, unit_of_work, queries, member):
        tell(unit_of_work, *(a_notification(member, number) for number in (3, 1, 2, 4)))

        def purge(limit):
            with unit_of_work() as uow:
                gone = uow.notifications.purge(created_before=NOW + timedelta(minutes=4), limit=limit)
                uow.commit()
            return gone, [told.id - 20_000_000 for told in queries.notifications(member, PageRequest()).items]

        assert purge(2) == (2, [4, 3])
        assert purge(2) == (1, [4])
        assert purge(2) == (0, [4])

    def test_forgets_what_was_not_committed(self, unit_of_work, queries, member):
        with unit_of_work() as uow:
            uow.notifications.add(a_notification(member))
        assert queries.notifications(member, PageRequest()).count == 0


class PreferencesContract:
    """Subclasses provide the fixture ``unit_of_work``, a factory."""

    @pytest.fixture
    def chosen(self, unit_of_work):
        def read(account_id):
            with unit_of_work() as uow:
                return uow.notification_preferences.of(account_id).chosen

        return read

    def test_nothing_is_chosen_at_first(self, unit_of_work, chosen):
        assert chosen(store_account(unit_of_work)) == {}

    def test_keeps_the_last_choice_of_each_kind_and_channel(self, unit_of_work, chosen):
        member, other = store_account(unit_of_work), store_account(unit_of_work)
        for account, kind, channel, wanted in (
            (member, Kind.SALE_MADE, Channel.MAIL, False),
            (member, Kind.SALE_MADE, Channel.IN_APP, False),
            (member, Kind.ORDER_EXPIRED, Channel.MAIL, True),
            (other, Kind.SALE_MADE, Channel.MAIL, True),
            (member, Kind.SALE_MADE, Channel.IN_APP, True),
        ):
            with unit_of_work() as uow:
                uow.notification_preferences.put(account, kind, channel, wanted)
                uow.commit()
        assert chosen(member) == {
            (Kind.SALE_MADE, Channel.MAIL): False,
            (Kind.SALE_MADE, Channel.IN_APP): True,
            (Kind.ORDER_EXPIRED, Channel.MAIL): True,
        }
        assert chosen(other) == {(Kind.SALE_MADE, Channel.MAIL): True}
