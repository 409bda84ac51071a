"""What every audit trail promises."""

from datetime import timedelta

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import OPERATOR, PROGRAM, Actor
from marketplace.application.ports.audit import AuditFilter
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.audit import AuditEntry
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId

AT = FixedClock().now()
ADMIN = Actor(account_id=AccountId(7), roles=frozenset({Role.ADMIN, Role.BUYER}), origin="192.0.2.7")


def an_act(number: int = 0, *, actor: Actor = ADMIN, action: str = "seller.approved", **about) -> AuditEntry:
    subject = about.pop("subject", ("seller", 42))
    return actor.did(action, *subject, now=AT + timedelta(minutes=number), **about)


def record(unit_of_work, *entries: AuditEntry) -> None:
    with unit_of_work() as uow:
        for entry in entries:
            uow.audit.add(entry)
        uow.commit()


class AuditTrailContract:
    """Subclasses provide the fixtures ``unit_of_work``, a factory, and ``queries``, on the same store."""

    def test_gives_back_what_was_recorded(self, unit_of_work, queries):
        record(
            unit_of_work,
            an_act(reason="Papers seen", before={"status": "pending", "n": 1}, after={"status": "approved", "n": 1}),
        )
        (entry,) = queries.entries(PageRequest(), wanted=AuditFilter()).items
        assert entry.id > 0
        assert (entry.actor_id, entry.roles, entry.origin) == (7, ("admin", "buyer"), "192.0.2.7")
        assert (entry.action, entry.subject_type, entry.subject_id) == ("seller.approved", "seller", "42")
        assert (entry.occurred_at, entry.reason) == (AT, "Papers seen")
        assert (entry.before, entry.after) == ({"status": "pending"}, {"status": "approved"})

    def test_the_operator_and_the_program_have_no_account(self, unit_of_work, queries):
        record(unit_of_work, an_act(0, actor=OPERATOR), an_act(1, actor=PROGRAM))
        found = queries.entries(PageRequest(), wanted=AuditFilter()).items
        assert [(entry.actor_id, entry.origin) for entry in found] == [(None, "worker"), (None, "command line")]

    def test_forgets_what_was_not_committed(self, unit_of_work, queries):
        with unit_of_work() as uow:
            uow.audit.add(an_act())
        assert queries.entries(PageRequest(), wanted=AuditFilter()).count == 0

    def test_lists_the_newest_first_a_page_at_a_time(self, unit_of_work, queries):
        record(unit_of_work, *(an_act(number, subject=("order", number)) for number in (0, 1, 2, 2, 3)))

        def page(**where):
            return queries.entries(PageRequest(size=2, **where), wanted=AuditFilter())

        first = page()
        assert [entry.subject_id for entry in first.items] == ["3", "2"]
        assert (first.count, first.count_is_exact, first.previous) == (5, True, None)
        second = page(after=first.next)
        assert [entry.subject_id for entry in second.items] == ["2", "1"]
        assert [entry.subject_id for entry in page(after=second.next).items] == ["0"]
        assert [entry.id for entry in page(before=second.previous).items] == [entry.id for entry in first.items]

    def test_an_id_alone_names_nothing(self):
        with pytest.raises(Invalid) as refused:
            AuditFilter(subject_id="2")
        assert "subject_type" in refused.value.facts["errors"]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (AuditFilter(actor_id=AccountId(7)), ["2", "0"]),
            (AuditFilter(actor_id=AccountId(8)), []),
            (AuditFilter(subject_type="seller"), ["1", "0"]),
            (AuditFilter(subject_type="seller", subject_id="1"), ["1"]),
            (AuditFilter(action="order.refunded"), ["2"]),
            (AuditFilter(action="order"), []),
            (AuditFilter(since=AT + timedelta(minutes=1)), ["2", "1"]),
            (AuditFilter(until=AT + timedelta(minutes=1)), ["0"]),
            (AuditFilter(actor_id=AccountId(7), since=AT + timedelta(minutes=1)), ["2"]),
        ],
    )
    def test_finds_by_actor_subject_action_and_time(self, unit_of_work, queries, wanted, found):
        record(
            unit_of_work,
            an_act(0, subject=("seller", 0)),
            an_act(1, subject=("seller", 1), actor=OPERATOR),
            an_act(2, subject=("order", 2), action="order.refunded"),
        )
        page = queries.entries(PageRequest(), wanted=wanted)
        assert [entry.subject_id for entry in page.items] == found
        assert page.count == len(found)
