"""What stores of payments, refunds and provider events promise. Subclasses provide the fixture ``till``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from marketplace.application.ports.payment_gateway import ProviderEvent
from marketplace.application.ports.payments import InboxStatus
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.payments.payment import CancelWish, Payment, PaymentStatus
from marketplace.domain.payments.refund import Refund, RefundCause, RefundStatus
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, NotFound
from marketplace.domain.shared.ids import OrderId, PaymentId, RefundId
from tests.till import Till

MINUTE = timedelta(minutes=1)
UNKNOWN = 987654321


def all_of(thing: Payment | Refund) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in fields(thing) if field.name != "events"}


def an_order(till: Till) -> OrderId:
    """An order whose payment nobody has started."""
    return till.placed(till.market.buyer(), till.market.listing(till.market.seller(), stock=5))


def paid(till: Till) -> OrderId:
    buyer, cards = till.market.buyer(), [till.market.listing(till.market.seller(), stock=5) for _ in range(2)]
    order_id = till.ordered(buyer, *cards)
    till.pay(buyer, order_id)
    till.work()
    return order_id


def change(till: Till, order_id: OrderId, how: Callable[[Payment], None]) -> Payment:
    with till.market.unit_of_work() as uow:
        payment = uow.payments.of_order_for_update(order_id)
        how(payment)
        uow.payments.save(payment)
        uow.commit()
    return payment


def commit(till: Till, work: Callable[[UnitOfWork], None]) -> None:
    with till.market.unit_of_work() as uow:
        work(uow)
        uow.commit()


class PaymentStoreContract:
    def test_gives_back_a_payment_with_all_that_it_has(self, till):
        order_id = an_order(till)
        now = till.market.clock.now()
        full: dict[str, Any] = {
            "status": PaymentStatus.SUCCEEDED,
            "intent_id": "pi_1",
            "charge_id": "ch_1",
            "balance_transaction_id": "txn_1",
            "confirm_attempts": 3,
            "cancel_refusals": 2,
            "last_decline_code": "insufficient_funds",
            "cancel_wanted": CancelWish.BUYER,
            "cancel_wanted_by": till.payment(order_id).buyer_id,
            "quarantine": "paid in USD",
            "failures": 4,
            "next_check_at": now + MINUTE,
            "locked_until": now + 2 * MINUTE,
            "succeeded_at": now,
        }

        def fill(payment: Payment) -> None:
            for name, value in full.items():
                setattr(payment, name, value)

        saved = change(till, order_id, fill)
        read = till.payment(order_id)
        assert all_of(read) == all_of(saved)
        assert {name: getattr(read, name) for name in full} == full
        with till.market.unit_of_work() as uow:
            assert all_of(uow.payments.get(read.id)) == all_of(read)
            assert all_of(uow.payments.get_for_update(read.id)) == all_of(read)

    def test_knows_no_payment_that_is_not_there(self, till):
        with till.market.unit_of_work() as uow:
            for ask in (
                lambda: uow.payments.get(PaymentId(UNKNOWN)),
                lambda: uow.payments.get_for_update(PaymentId(UNKNOWN)),
                lambda: uow.payments.of_order(OrderId(UNKNOWN)),
                lambda: uow.payments.of_order_for_update(OrderId(UNKNOWN)),
                lambda: uow.refunds.get(RefundId(UNKNOWN)),
                lambda: uow.refunds.get_for_update(RefundId(UNKNOWN)),
            ):
                with pytest.raises(NotFound):
                    ask()
            assert uow.payments.find(intent_id="pi_unknown", order_id=OrderId(UNKNOWN)) is None
            assert uow.refunds.find(refund_id=RefundId(UNKNOWN), provider_refund_id="re_unknown") is None

    def test_has_one_payment_an_order(self, till):
        first = till.payment(an_order(till))
        second = Payment.open(
            id=PaymentId(till.market.ids.next()),
            order_id=first.order_id,
            buyer_id=first.buyer_id,
            amount=first.amount,
            provider="simulated",
            due_at=first.due_at,
            now=first.created_at,
        )
        with pytest.raises(Conflict):
            commit(till, lambda uow: uow.payments.add(second))

    def test_has_one_payment_an_intent(self, till):
        change(till, an_order(till), lambda payment: payment.started("pi_1"))
        with pytest.raises(Conflict):
            change(till, an_order(till), lambda payment: payment.started("pi_1"))

    def test_refuses_a_stale_save(self, till):
        order_id = an_order(till)
        stale = till.payment(order_id)
        change(till, order_id, lambda payment: payment.started("pi_1"))
        with pytest.raises(ConcurrencyConflict):
            commit(till, lambda uow: uow.payments.save(stale))

    def test_finds_a_payment_by_the_provider_s_name_before_its_order(self, till):
        named, other = an_order(till), an_order(till)
        change(till, named, lambda payment: payment.started("pi_1"))
        with till.market.unit_of_work() as uow:
            assert uow.payments.find(intent_id="pi_1", order_id=other).order_id == named
            assert uow.payments.find(intent_id="pi_2", order_id=other).order_id == other
            assert uow.payments.find(intent_id=None, order_id=other).order_id == other
            assert uow.payments.find(intent_id=None, order_id=None) is None

    def test_gives_the_payment_whose_check_is_longest_overdue_and_not_leased(self, till):
        late, later, leased, future = (an_order(till) for _ in range(4))
        now = till.market.clock.now() + timedelta(hours=1)

        def due(at: datetime, lease: datetime | None = None) -> Callable[[Payment], None]:
            def set_due(payment: Payment) -> None:
                payment.next_check_at, payment.locked_until = at, lease

            return set_due

        change(till, later, due(now - MINUTE))
        change(till, late, due(now - 2 * MINUTE, now - MINUTE))
        change(till, leased, due(now - 3 * MINUTE, now + MINUTE))
        change(till, future, due(now + MINUTE))
        with till.market.unit_of_work() as uow:
            assert uow.payments.next_due_for_update(now=now).order_id == late
        change(till, late, due(now + MINUTE))
        change(till, later, due(now + MINUTE))
        with till.market.unit_of_work() as uow:
            assert uow.payments.next_due_for_update(now=now) is None

    def test_shows_payments_to_those_who_list_orders(self, till):
        first, second = paid(till), an_order(till)
        shown = till.queries.of_orders([first, second, OrderId(UNKNOWN)])
        assert set(shown) == {first, second}
        assert (shown[first].status, shown[first].provider) == (PaymentStatus.SUCCEEDED, "simulated")
        assert shown[first].intent_id == till.payment(first).intent_id
        assert (shown[second].status, shown[second].intent_id) == (PaymentStatus.CREATING, None)
        assert shown[second].amount == till.order(second).total


class RefundStoreContract:
    def test_gives_back_a_refund_with_all_that_it_has(self, till):
        order_id = paid(till)
        first, second = till.order(order_id).sales
        ids = [till.refund(order_id, sale.id, RefundCause.SELLER).id for sale in (first, second)]
        till.work()
        refunds = till.refunds(order_id)
        assert [refund.id for refund in refunds] == ids
        (part,) = refunds[0].parts
        assert (part.sale_id, part.seller_id) == (first.id, first.seller_id)
        assert part.pieces == {line.id: line.quantity for line in first.lines}
        assert part.components.refund == refunds[0].amount.amount
        assert refunds[0].status is RefundStatus.SUCCEEDED
        assert refunds[0].provider_refund_id is not None
        with till.market.unit_of_work() as uow:
            assert all_of(uow.refunds.get(ids[0])) == all_of(refunds[0])
            assert all_of(uow.refunds.get_for_update(ids[0])) == all_of(refunds[0])
            assert uow.refunds.find(refund_id=ids[1], provider_refund_id=None).id == ids[1]
            named = uow.refunds.find(refund_id=None, provider_refund_id=refunds[0].provider_refund_id)
            assert named.id == ids[0]

    def test_gives_the_refund_whose_check_is_longest_overdue_and_not_leased(self, till):
        order_id = paid(till)
        refund = till.refund(order_id)
        now = till.market.clock.now()
        with till.market.unit_of_work() as uow:
            assert uow.refunds.next_due_for_update(now=now).id == refund.id
            assert uow.refunds.next_due_for_update(now=now - MINUTE) is None
            refund.lease(now=now, until=now + MINUTE)
            uow.refunds.save(refund)
            assert uow.refunds.next_due_for_update(now=now) is None
            assert uow.refunds.next_due_for_update(now=now + MINUTE).id == refund.id

    def test_shows_the_refunds_of_an_order(self, till):
        order_id = paid(till)
        refund = till.refund(order_id)
        (shown,) = till.queries.refunds(order_id)
        assert (shown.id, shown.order_id, shown.status) == (refund.id, order_id, RefundStatus.DECIDED)
        assert (shown.amount, shown.cause, shown.reason) == (refund.amount, RefundCause.PLATFORM, "a test")
        assert till.queries.refunds(OrderId(UNKNOWN)) == []


def an_event(id: str = "evt_1", **changes: Any) -> ProviderEvent:
    values: dict[str, Any] = {
        "type": "payment_intent.succeeded",
        "object_id": "pi_1",
        "intent_id": "pi_1",
        "order_id": OrderId(7),
        "refund_id": None,
        "account": None,
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "created_at": datetime(2026, 1, 15, 12, tzinfo=UTC),
        "payload": {"id": id, "data": {"object": {"id": "pi_1", "amount": 1}}},
    }
    return ProviderEvent(id=id, **{**values, **changes})


class WebhookInboxContract:
    """Also the fixture ``inbox``."""

    def store(self, inbox, *ids: str, at: datetime, status: InboxStatus = InboxStatus.WAITING) -> list[bool]:
        return [inbox.store(an_event(id), status=status, now=at) for id in ids]

    def leased(self, inbox, *, at: datetime, limit: int = 10) -> list[str]:
        return [item.event.id for item in inbox.lease(now=at, lease_for=MINUTE, limit=limit)]

    @pytest.fixture
    def now(self) -> datetime:
        return datetime(2026, 1, 15, 12, tzinfo=UTC)

    def test_gives_back_an_event_as_it_came(self, inbox, now):
        event = an_event(account="acct_1", refund_id=RefundId(9), livemode=True)
        inbox.store(event, status=InboxStatus.WAITING, now=now)
        (item,) = inbox.lease(now=now, lease_for=MINUTE, limit=10)
        assert (item.event, item.received_at, item.attempts) == (event, now, 1)

    def test_stores_an_event_once(self, inbox, now):
        assert self.store(inbox, "evt_1", "evt_1", "evt_2", at=now) == [True, False, True]
        assert self.leased(inbox, at=now) == ["evt_1", "evt_2"]

    def test_lets_one_of_many_who_store_the_same_event_at_once(self, inbox, now):
        barrier, stored = Barrier(6), []

        def run() -> None:
            barrier.wait()
            stored.extend(self.store(inbox, "evt_1", at=now))

        threads = [Thread(target=run) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(stored) == [False] * 5 + [True]

    def test_leases_what_is_due_to_one_worker_at_a_time_oldest_first(self, inbox, now):
        self.store(inbox, "evt_2", at=now + timedelta(seconds=1))
        self.store(inbox, "evt_1", at=now)
        self.store(inbox, "evt_3", at=now + timedelta(hours=1))
        later = now + timedelta(seconds=2)
        assert self.leased(inbox, at=later, limit=1) == ["evt_1"]
        assert self.leased(inbox, at=later) == ["evt_2"]
        assert self.leased(inbox, at=later) == []
        assert self.leased(inbox, at=later + MINUTE) == ["evt_1", "evt_2"]

    def test_leases_nothing_that_is_closed(self, inbox, now):
        self.store(inbox, "ignored", at=now, status=InboxStatus.IGNORED)
        self.store(inbox, "rejected", at=now, status=InboxStatus.REJECTED)
        self.store(inbox, "done", "dead", at=now)
        inbox.close("done", status=InboxStatus.DONE, error="", now=now)
        inbox.close("dead", status=InboxStatus.DEAD, error="no", now=now)
        assert self.leased(inbox, at=now + timedelta(days=1)) == []
        assert {status.value: number for status, number in inbox.counts().items()} == {
            "waiting": 0,
            "done": 1,
            "ignored": 1,
            "unmatched": 0,
            "rejected": 1,
            "dead": 1,
        }

    @pytest.mark.parametrize("status", [InboxStatus.WAITING, InboxStatus.UNMATCHED])
    def test_gives_an_event_out_again_at_its_time(self, inbox, now, status):
        self.store(inbox, "evt_1", at=now)
        self.leased(inbox, at=now)
        inbox.retry("evt_1", status=status, error="later", at=now + MINUTE / 2)
        assert inbox.counts()[status] == 1
        assert self.leased(inbox, at=now + MINUTE / 3) == []
        (item,) = inbox.lease(now=now + MINUTE / 2, lease_for=MINUTE, limit=10)
        assert (item.attempts, item.received_at) == (2, now)

    def test_forgets_what_was_done_with_long_ago_but_nothing_that_was_given_up(self, inbox, now):
        self.store(inbox, "waiting", "done", "late", "dead", at=now)
        self.store(inbox, "ignored", at=now, status=InboxStatus.IGNORED)
        inbox.close("done", status=InboxStatus.DONE, error="", now=now)
        inbox.close("dead", status=InboxStatus.DEAD, error="no", now=now)
        inbox.close("late", status=InboxStatus.DONE, error="", now=now + MINUTE)
        assert inbox.purge(closed_before=now, limit=10) == 0
        assert inbox.purge(closed_before=now + MINUTE, limit=1) == 1
        assert inbox.purge(closed_before=now + MINUTE, limit=10) == 1
        left = {status.value: number for status, number in inbox.counts().items() if number}
        assert left == {"waiting": 1, "done": 1, "dead": 1}

    def test_shows_and_replays_what_was_given_up(self, inbox, now):
        self.store(inbox, "evt_1", "evt_2", at=now)
        self.leased(inbox, at=now)
        for id in ("evt_1", "evt_2"):
            inbox.close(id, status=InboxStatus.DEAD, error="no luck", now=now)
        first, second = inbox.dead(limit=10)
        assert (first.id, first.type, first.object_id) == ("evt_1", "payment_intent.succeeded", "pi_1")
        assert (first.received_at, first.attempts, first.last_error) == (now, 1, "no luck")
        assert second.id == "evt_2"
        assert [event.id for event in inbox.dead(limit=1)] == ["evt_1"]
        later = now + timedelta(days=3)
        assert inbox.replay(["evt_2", "evt_3"], now=later) == 1
        (item,) = inbox.lease(now=later, lease_for=MINUTE, limit=10)
        assert (item.event.id, item.attempts, item.received_at) == ("evt_2", 1, later)
        assert inbox.replay(None, now=later) == 1
