"""What the devices of an account, its codes and its password resets promise, whatever keeps them."""

import json
from datetime import timedelta

import pytest

from marketplace.application.ports.pages import PageRequest
from marketplace.domain.identity.codes import LIFETIME, CodePurpose
from marketplace.domain.identity.devices import Device
from marketplace.domain.identity.password_resets import TOKEN_LIFETIME, PasswordReset
from marketplace.domain.shared.errors import ConcurrencyConflict, NotFound
from marketplace.domain.shared.ids import AccountId, CodeId, SessionId
from tests.contracts.identity import DAY, NOW, a_code, a_session, an_account, put

HOUR = timedelta(hours=1)
PHONE = Device(name="Chrome on Android", address="192.0.2.7")


def through_json(place):
    """Where a page begins, as a cursor keeps it."""
    return tuple(json.loads(json.dumps(place)))


def a_reset(id: int = 40, account_id: int | None = 1, **changes) -> PasswordReset:
    values = {"address_hash": f"address-{id}", "sealed_address": f"sealed-{id}", "requested_at": NOW}
    account = None if account_id is None else AccountId(account_id)
    return PasswordReset(id=CodeId(id), account_id=account, **{**values, **changes})


def put_reset(unit_of_work, *resets) -> None:
    with unit_of_work() as uow:
        for reset in resets:
            uow.password_resets.add(reset)
        uow.commit()


class DeviceContract:
    """Subclasses provide the fixtures ``unit_of_work``, a factory, and ``queries``, on the same empty store."""

    @pytest.fixture(autouse=True)
    def _members(self, unit_of_work):
        put(unit_of_work, an_account(1), an_account(2))

    @staticmethod
    def open_ones(queries, account_id=1, now=NOW):
        page = queries.sessions(AccountId(account_id), now=now, page=PageRequest(size=100))
        return [view.id for view in page.items]

    def test_remember_which_one_it_is_and_which_one_refreshed_last(self, unit_of_work, queries):
        put(unit_of_work, a_session(10, device=PHONE))
        with unit_of_work() as uow:
            session = uow.sessions.get_for_update(SessionId(10))
            assert session.device == PHONE
            at_home = Device(name="Firefox on Linux", address="2001:db8::1")
            later = NOW + HOUR
            session.refresh(presented="token-10", fresh="token-11", now=later, lifetime=DAY, device=at_home)
            uow.sessions.save(session)
            uow.commit()
        (view,) = queries.sessions(AccountId(1), now=NOW, page=PageRequest()).items
        assert (view.id, view.device, view.started_at) == (10, at_home, NOW)
        assert (view.last_used_at, view.expires_at) == (later, later + DAY)

    def test_a_session_that_never_was_is_not_found(self, unit_of_work):
        with unit_of_work() as uow, pytest.raises(NotFound):
            uow.sessions.get_for_update(SessionId(99))

    def test_lists_the_open_ones_of_one_account_the_newest_first(self, unit_of_work, queries):
        mine = [
            # Processes take their ids in blocks: a later session may have a lower one.
            a_session(10, started_at=NOW),
            a_session(11, started_at=NOW - HOUR),
            a_session(12, revoked_at=NOW),
            a_session(13, expires_at=NOW),
        ]
        put(unit_of_work, *mine, a_session(14, account_id=2))
        assert self.open_ones(queries) == [10, 11]
        first = queries.sessions(AccountId(1), now=NOW, page=PageRequest(size=1))
        rest = queries.sessions(AccountId(1), now=NOW, page=PageRequest(size=1, after=through_json(first.next)))
        assert [view.id for view in (*first.items, *rest.items)] == [10, 11]
        assert (first.count, rest.next) == (2, None)

    def test_ends_every_one_but_one(self, unit_of_work, queries):
        put(unit_of_work, a_session(10), a_session(11), a_session(12), a_session(14, account_id=2))
        with unit_of_work() as uow:
            assert uow.sessions.revoke_all(AccountId(1), now=NOW, but=SessionId(11)) == 2
            uow.commit()
        assert (self.open_ones(queries), self.open_ones(queries, account_id=2)) == ([11], [14])

    def test_ends_those_that_were_refreshed_least_lately(self, unit_of_work, queries):
        ages = {10: 3, 11: 0, 12: 2, 13: 1}
        put(unit_of_work, *(a_session(id, refreshed_at=NOW - age * HOUR) for id, age in ages.items()))
        put(unit_of_work, a_session(14, account_id=2, refreshed_at=NOW - 9 * HOUR))
        with unit_of_work() as uow:
            assert uow.sessions.revoke_oldest(AccountId(1), keep=2, now=NOW) == 2
            assert uow.sessions.revoke_oldest(AccountId(1), keep=2, now=NOW) == 0
            uow.commit()
        assert (self.open_ones(queries), self.open_ones(queries, account_id=2)) == ([13, 11], [14])

    def test_forgets_spent_tokens_long_after_they_would_have_expired(self, unit_of_work):
        put(unit_of_work, a_session(10))
        later = NOW + HOUR
        with unit_of_work() as uow:
            session = uow.sessions.by_token("token-10")
            session.refresh(presented="token-10", fresh="token-11", now=later, lifetime=DAY)
            uow.sessions.save(session)
            uow.commit()
        with unit_of_work() as uow:
            assert uow.sessions.purge_tokens(expired_before=NOW + DAY, limit=10) == 0
            assert uow.sessions.purge_tokens(expired_before=NOW + DAY + HOUR, limit=10) == 1
            uow.commit()
        with unit_of_work() as uow:
            assert uow.sessions.by_token("token-10") is None
            assert uow.sessions.by_token("token-11").id == 10

    def test_forgets_no_more_spent_tokens_at_once_than_asked(self, unit_of_work):
        put(unit_of_work, a_session(10), a_session(11), a_session(12))
        with unit_of_work() as uow:
            assert uow.sessions.purge_tokens(expired_before=NOW + 2 * DAY, limit=2) == 2
            uow.commit()


class PasswordResetContract:
    """As above, without ``queries``."""

    @pytest.fixture(autouse=True)
    def _members(self, unit_of_work):
        put(unit_of_work, an_account(1), an_account(2))

    @pytest.mark.parametrize("account_id", [1, None])
    def test_gives_back_what_was_added_and_saved(self, unit_of_work, account_id):
        put_reset(unit_of_work, a_reset(40, account_id), a_reset(41, 2))
        with unit_of_work() as uow:
            reset = uow.password_resets.by_address("address-40")
            assert reset == a_reset(40, account_id)
            reset.issue("code", now=NOW)
            reset.redeem("code", now=NOW)
            reset.grant("token", now=NOW)
            uow.password_resets.save(reset)
            uow.commit()
        with unit_of_work() as uow:
            resets = uow.password_resets
            assert resets.by_address("address-40") == resets.by_token("token") == resets.find(CodeId(40)) == reset

    def test_finds_none_that_nobody_asked_for(self, unit_of_work):
        put_reset(unit_of_work, a_reset(40))
        with unit_of_work() as uow:
            resets = uow.password_resets
            found = [resets.by_address("address-41"), resets.by_token("token"), resets.find(CodeId(41))]
        assert found == [None, None, None]

    def test_keeps_one_for_each_address(self, unit_of_work):
        put_reset(unit_of_work, a_reset(40))
        with pytest.raises(ConcurrencyConflict):
            put_reset(unit_of_work, a_reset(41, address_hash="address-40"))

    def test_voids_what_was_sent_to_an_account(self, unit_of_work):
        resets = [a_reset(40), a_reset(41), a_reset(42, 2), a_reset(43, None)]
        for reset in resets:
            reset.issue(f"code-{reset.id}", now=NOW)
            reset.grant(f"token-{reset.id}", now=NOW)
        put_reset(unit_of_work, *resets)
        with unit_of_work() as uow:
            uow.password_resets.void_of(AccountId(1))
            uow.commit()
        with unit_of_work() as uow:
            good = [
                id for id in (40, 41, 42, 43) if uow.password_resets.find(CodeId(id)).accepts(f"token-{id}", now=NOW)
            ]
            assert good == [42, 43]
            assert uow.password_resets.find(CodeId(40)).redeem("code-40", now=NOW) is False
            assert uow.password_resets.by_token("token-41") is None

    def test_forgets_those_of_which_nothing_is_good_any_more(self, unit_of_work):
        asked, coded, granted = a_reset(40), a_reset(41), a_reset(42, None)
        coded.issue("code", now=NOW + HOUR)
        granted.grant("token", now=NOW + 2 * HOUR)
        put_reset(unit_of_work, asked, coded, granted)
        left = []
        for before in (NOW, NOW + HOUR, NOW + 2 * HOUR, NOW + 3 * HOUR):
            with unit_of_work() as uow:
                uow.password_resets.purge(before=before, limit=10)
                uow.commit()
            with unit_of_work() as uow:
                left.append([id for id in (40, 41, 42) if uow.password_resets.find(CodeId(id)) is not None])
        assert LIFETIME < HOUR > TOKEN_LIFETIME
        assert left == [[40, 41, 42], [41, 42], [42], []]

    def test_forgets_no_more_at_once_than_asked(self, unit_of_work):
        put_reset(unit_of_work, a_reset(40), a_reset(41, 2), a_reset(42, None))
        with unit_of_work() as uow:
            assert uow.password_resets.purge(before=NOW + DAY, limit=2) == 2
            uow.commit()
        with unit_of_work() as uow:
            assert uow.password_resets.purge(before=NOW + DAY, limit=2) == 1

    def test_forgets_codes_of_which_nothing_is_good_any_more(self, unit_of_work):
        mailed = a_code(21, 2)
        mailed.issue("code", now=NOW + HOUR)
        put(unit_of_work, a_code(20, 1), mailed)
        with unit_of_work() as uow:
            gone = [uow.codes.purge(before=NOW + hours * HOUR, limit=10) for hours in (0, 1, 1, 2)]
            uow.commit()
        assert gone == [0, 1, 0, 1]
        with unit_of_work() as uow:
            assert uow.codes.of(AccountId(2), CodePurpose.VERIFY_EMAIL) is None
