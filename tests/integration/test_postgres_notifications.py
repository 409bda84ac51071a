"""Notifications and preferences in PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.notifications import PostgresNotificationQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.notifications import Channel, Kind
from tests.builders import store_account
from tests.contracts.notifications import NotificationsContract, PreferencesContract, a_notification, tell


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return partial(PostgresUnitOfWork, engine)


@pytest.fixture
def queries(engine):
    return PostgresNotificationQueries(engine)


class TestPostgresNotifications(NotificationsContract):
    def test_two_workers_at_once_tell_of_an_occasion_once(self, unit_of_work, queries):
        member = store_account(unit_of_work)
        same = [a_notification(member, number, occasion="the same") for number in range(8)]
        with ThreadPoolExecutor(8) as workers:
            told = list(workers.map(lambda each: tell(unit_of_work, each), same))
        assert sorted(told) == [[False]] * 7 + [[True]]
        assert queries.notifications(member, PageRequest()).count == 1

    @pytest.mark.parametrize("condition", ["account_id = 5", "account_id = 5 and read_at is null"])
    def test_every_list_is_read_from_an_index_in_its_order(self, engine, condition):
        """With so few rows the planner would sort, if an index did not give them in order already."""
        with engine.begin() as connection:
            connection.exec_driver_sql("set local enable_seqscan = off")
            connection.exec_driver_sql("set local enable_bitmapscan = off")
            plan = "\n".join(
                connection.exec_driver_sql(
                    f"explain select * from notifications where {condition} order by created_at desc, id desc limit 21"
                ).scalars()
            )
        assert "Index" in plan
        assert "Sort" not in plan


class TestPostgresPreferences(PreferencesContract):
    def test_a_choice_of_another_version_is_none_of_ours(self, engine, unit_of_work):
        member = store_account(unit_of_work)
        with unit_of_work() as uow:
            uow.notification_preferences.put(member, Kind.SALE_MADE, Channel.MAIL, False)
            uow.commit()
        with engine.begin() as connection:
            connection.execute(
                sa.text("insert into notification_preferences values (:id, 'sale_framed', 'mail', false)"),
                {"id": member},
            )
        with unit_of_work() as uow:
            assert uow.notification_preferences.of(member).chosen == {(Kind.SALE_MADE, Channel.MAIL): False}
