"""What stores of payouts and recoveries promise. Subclasses provide the fixtures ``till`` and ``payout_queries``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from marketplace.application.ports.pages import PageRequest
from marketplace.application.ports.transfers import InsufficientBalance
from marketplace.domain.payout_states import HoldReason, PayoutStatus
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery, RecoveryStatus
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, NotFound
from marketplace.domain.shared.ids import AccountId, OrderId, PayoutId, RecoveryId, SaleId
from tests.cashier import Cashier

MINUTE = timedelta(minutes=1)
UNKNOWN = 987654321
NOBODY = AccountId(0)


def all_of(thing: Payout | Recovery) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in fields(thing) if field.name != "events"}


def in_debt(cashier: Cashier) -> tuple[Any, OrderId]:
    """A seller who owes 38.00 of an order that was paid out."""
    seller = cashier.seller()
    order_id = cashier.sent(seller)
    cashier.refund(order_id, "40.00")
    cashier.till.gateway.interrupt("reverse_transfer", when="before", by=InsufficientBalance("nothing there"))
    cashier.till.work()
    return seller, order_id


class PayoutStoreContract:
    @pytest.fixture
    def cashier(self, till) -> Cashier:
        return Cashier(till)

    def change(self, till, order_id: OrderId, how: Callable[[Payout], object]) -> Payout:
        with till.market.unit_of_work() as uow:
            payout = uow.payouts.of_order_for_update(order_id)[0]
            how(payout)
            uow.payouts.save(payout)
            uow.commit()
        return payout

    def test_gives_back_a_payout_with_all_that_it_has(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.paid(seller, cashier.seller())
        now = till.market.clock.now()

        def use_everything(payout: Payout) -> None:
            payout.fall_due(now=now)
            payout.take(10)
            payout.batch_id = 5
            payout.begin(destination="acct_1", source_charge="ch_1", now=now, until=now + MINUTE)
            payout.hold(key="dispute:1", reason=HoldReason.DISPUTE, now=now)
            payout.hold(key="operator", reason=HoldReason.OPERATOR, now=now + MINUTE)
            payout.release(key="operator", now=now + MINUTE)
            payout.cannot_be_received("restricted", now=now, tell=False)
            payout.netted_amount, payout.reclaimed_amount, payout.reversed_elsewhere = 3, 4, 2
            payout.failures, payout.refusals, payout.kept_long_told = 1, 2, True

        changed = self.change(till, order_id, use_everything)
        with till.market.unit_of_work() as uow:
            assert all_of(uow.payouts.get(changed.id)) == all_of(changed)
            assert all_of(uow.payouts.get_for_update(changed.id)) == all_of(changed)
            assert all_of(uow.payouts.of_sale_for_update(changed.sale_id)) == all_of(changed)
            of_order = uow.payouts.of_order_for_update(order_id)
            assert [payout.id for payout in of_order] == sorted(payout.id for payout in of_order)
            assert len(of_order) == 2
            assert uow.payouts.of_order_for_update(OrderId(UNKNOWN)) == []
            for read in (uow.payouts.get, uow.payouts.get_for_update, uow.payouts.of_sale_for_update):
                with pytest.raises(NotFound):
                    read(UNKNOWN)

    def test_finds_a_payout_by_its_transfer(self, till, cashier):
        payout = cashier.payout(cashier.sent(cashier.seller()))
        with till.market.unit_of_work() as uow:
            assert uow.payouts.find_by_transfer(payout.transfer_id).id == payout.id
            assert uow.payouts.find_by_transfer("tr_unknown") is None

    def test_keeps_one_payout_a_sale(self, till, cashier):
        payout = cashier.payout(cashier.paid(cashier.seller()))
        other = Payout.open(
            id=PayoutId(till.market.ids.next()),
            order_id=payout.order_id,
            sale_id=payout.sale_id,
            seller_id=payout.seller_id,
            amount=payout.amount,
            now=payout.created_at,
        )

        def add() -> None:
            with till.market.unit_of_work() as uow:
                uow.payouts.add(other)
                uow.commit()

        with pytest.raises(Conflict):
            add()

    def test_refuses_what_was_changed_meanwhile(self, till, cashier):
        order_id = cashier.paid(cashier.seller())
        stale = cashier.payout(order_id)
        self.change(till, order_id, lambda payout: payout.fall_due(now=payout.created_at))

        def save() -> None:
            with till.market.unit_of_work() as uow:
                uow.payouts.save(stale)
                uow.commit()

        with pytest.raises(ConcurrencyConflict):
            save()

    def test_gathers_what_is_due_and_gives_it_out_longest_overdue_first(self, till, cashier):
        seller, other = cashier.seller(), cashier.seller()
        cashier.paid(seller)
        first, second, third = cashier.due_together(seller, seller, other)
        now = till.market.clock.now()
        self.change(till, first, lambda payout: setattr(payout, "next_check_at", now - MINUTE))
        self.change(till, second, lambda payout: setattr(payout, "next_check_at", now - 2 * MINUTE))
        with till.market.unit_of_work() as uow:
            assert uow.payouts.next_due_for_update(now=now) is None
            due = uow.payouts.due_sellers(now=now, after=NOBODY, limit=5)
            assert [(each.seller_id, each.due, each.owed) for each in due] == [
                (seller.account_id, 19_000, 0),
                (other.account_id, 9_500, 0),
            ]
            assert uow.payouts.due_sellers(now=now, after=NOBODY, limit=1) == due[:1]
            assert uow.payouts.due_sellers(now=now, after=seller.account_id, limit=5) == due[1:]
            assert uow.payouts.due_sellers(now=now - 3 * MINUTE, after=NOBODY, limit=5) == []
            assert uow.payouts.gather(seller.account_id, batch_id=77, now=now) == 2
            assert uow.payouts.gather(seller.account_id, batch_id=78, now=now) == 0
            assert uow.payouts.due_sellers(now=now, after=NOBODY, limit=5) == due[1:]
            uow.commit()
        assert cashier.payout(first).batch_id == 77
        assert cashier.payout(third).batch_id is None
        with till.market.unit_of_work() as uow:
            assert uow.payouts.next_due_for_update(now=now).order_id == second
        self.change(till, second, lambda payout: setattr(payout, "locked_until", now + MINUTE))
        with till.market.unit_of_work() as uow:
            assert uow.payouts.next_due_for_update(now=now).order_id == first
            assert uow.payouts.next_due_for_update(now=now + MINUTE).order_id == second

    def test_tells_sellers_whose_account_cannot_receive(self, till, cashier):
        seller = cashier.seller(ready=False)
        order_id = cashier.sent(seller)
        now = till.market.clock.now()
        with till.market.unit_of_work() as uow:
            assert uow.payouts.has_blocked(seller.account_id)
            assert not uow.payouts.has_blocked(NOBODY)
            assert uow.payouts.make_due(NOBODY, now=now) == 0
            assert uow.payouts.make_due(seller.account_id, now=now) == 1
            uow.commit()
        assert cashier.payout(order_id).next_check_at == now

    def test_finds_what_a_suspension_holds_and_releases(self, till, cashier):
        seller = cashier.seller()
        order_id = cashier.paid(seller)
        with till.market.unit_of_work() as uow:
            assert uow.payouts.next_to_hold_for_update() is None
            assert uow.payouts.next_to_release_for_update() is None
        cashier.suspend(seller)
        with till.market.unit_of_work() as uow:
            assert uow.payouts.next_to_hold_for_update().order_id == order_id
        till.follow_suspensions()
        with till.market.unit_of_work() as uow:
            assert uow.payouts.next_to_hold_for_update() is None
            assert uow.payouts.next_to_release_for_update() is None
        cashier.reinstate(seller)
        with till.market.unit_of_work() as uow:
            assert uow.payouts.next_to_release_for_update().order_id == order_id

    def test_finds_what_is_kept_for_long(self, till, cashier):
        order_id = cashier.paid(cashier.seller())
        made = cashier.payout(order_id).created_at
        with till.market.unit_of_work() as uow:
            assert uow.payouts.next_kept_long_for_update(since=made) is None
            assert uow.payouts.next_kept_long_for_update(since=made + MINUTE).order_id == order_id
        self.change(till, order_id, lambda payout: payout.kept_too_long(now=made + MINUTE))
        with till.market.unit_of_work() as uow:
            assert uow.payouts.next_kept_long_for_update(since=made + MINUTE) is None

    def test_keeps_recoveries_with_all_that_they_have(self, till, cashier):
        seller, order_id = in_debt(cashier)
        payout = cashier.payout(order_id)
        (debt,) = till.recoveries(payout)
        with till.market.unit_of_work() as uow:
            assert all_of(uow.recoveries.get_for_update(debt.id)) == all_of(debt)
            assert all_of(uow.recoveries.owed_for_update(seller.account_id, limit=5)[0]) == all_of(debt)
            assert uow.recoveries.owed_for_update(seller.account_id, limit=0) == []
            assert uow.recoveries.owed_for_update(NOBODY, limit=5) == []
            assert uow.recoveries.of_payout_for_update(PayoutId(UNKNOWN)) == []
            with pytest.raises(NotFound):
                uow.recoveries.get_for_update(RecoveryId(UNKNOWN))
            debt.net(100, now=debt.decided_at)
            uow.recoveries.save(debt)
            uow.commit()
        assert all_of(till.recoveries(payout)[0]) == all_of(debt)
        again = Recovery.decide(
            id=RecoveryId(till.market.ids.next()),
            payout_id=debt.payout_id,
            order_id=debt.order_id,
            sale_id=debt.sale_id,
            seller_id=debt.seller_id,
            amount=debt.amount,
            cause=debt.cause,
            now=debt.decided_at,
        )

        def add() -> None:
            with till.market.unit_of_work() as uow:
                uow.recoveries.add(again)
                uow.commit()

        with pytest.raises(Conflict):
            add()

    def test_gives_out_the_recovery_that_is_longest_overdue(self, till, cashier):
        seller = cashier.seller()
        orders = [cashier.sent(seller) for _ in range(2)]
        for order_id in orders:
            cashier.refund(order_id, "40.00")
            till.market.clock.advance(MINUTE)
        now = till.market.clock.now()
        with till.market.unit_of_work() as uow:
            assert uow.recoveries.next_due_for_update(now=now - 5 * MINUTE) is None
            found = uow.recoveries.next_due_for_update(now=now)
            assert found.order_id == orders[0]
            found.lease(reversible=9_500, now=now, until=now + MINUTE)
            uow.recoveries.save(found)
            uow.commit()
        with till.market.unit_of_work() as uow:
            assert uow.recoveries.next_due_for_update(now=now).order_id == orders[1]
            assert uow.recoveries.next_due_for_update(now=now + MINUTE).order_id == orders[0]


class PayoutQueriesContract:
    @pytest.fixture
    def cashier(self, till) -> Cashier:
        return Cashier(till)

    def test_show_payouts_by_seller_status_and_time(self, till, cashier, payout_queries):
        seller = cashier.seller()
        pending, sent = cashier.paid(seller), cashier.sent(seller)
        held = cashier.paid(seller)
        cashier.hold(held)
        page = PageRequest(size=10)

        def shown(**filters: Any) -> list[OrderId]:
            found = payout_queries.payouts(page, seller_id=seller.account_id, **filters)
            return [payout.order_id for payout in found.items]

        assert shown() == [held, sent, pending]
        assert shown(statuses=[PayoutStatus.PAID]) == [sent]
        assert shown(statuses=[PayoutStatus.ON_HOLD, PayoutStatus.PENDING]) == [held, pending]
        made = cashier.payout(pending).created_at
        assert shown(since=made + MINUTE) == []
        assert shown(until=made) == []
        assert shown(since=made, until=till.market.clock.now() + MINUTE) == [held, sent, pending]
        everything = payout_queries.payouts(page)
        assert [each.order_id for each in everything.items][:3] == [held, sent, pending]
        payout = cashier.payout(held)
        assert payout_queries.payout(payout.id) == everything.items[0]
        one = payout_queries.payout(cashier.payout(sent).id)
        assert (one.sent.amount, one.is_blocked, one.hold_reason) == (9_500, False, None)
        assert one.sale_reference == till.order(sent).sale(SaleId(one.sale_id)).reference
        assert payout_queries.payout(payout.id).hold_reason is HoldReason.DISPUTE
        with pytest.raises(NotFound):
            payout_queries.payout(PayoutId(UNKNOWN))

    def test_show_a_balance_that_is_the_ledger_s(self, till, cashier, payout_queries):
        seller, _ = in_debt(cashier)
        cashier.paid(seller)
        held = cashier.paid(seller)
        cashier.hold(held)
        cashier.due(seller)
        balance = payout_queries.balance(seller.account_id, currency="EUR")
        assert (balance.pending, balance.on_hold, balance.due, balance.sending) == (9_500, 9_500, 9_500, 0)
        assert (balance.receivable, balance.paid_total, balance.currency) == (3_800, 9_500, "EUR")
        assert balance.next_payout_at == till.market.clock.now()
        books = cashier.books(seller)
        assert books == {"pending": 9_500, "on_hold": 9_500, "payable": 9_500, "receivable": 3_800}
        nobody = payout_queries.balance(NOBODY, currency="EUR")
        assert (nobody.pending, nobody.paid_total, nobody.receivable, nobody.next_payout_at) == (0, 0, 0, None)

    def test_show_recoveries(self, till, cashier, payout_queries):
        seller, order_id = in_debt(cashier)
        page = PageRequest(size=10)
        (debt,) = payout_queries.recoveries(page, seller_id=seller.account_id).items
        assert (debt.status, debt.amount.amount, debt.left.amount) == (RecoveryStatus.REFUSED, 3_800, 3_800)
        assert debt.cause.startswith("refund:")
        of = {"seller_id": seller.account_id}
        assert payout_queries.recoveries(page, **of, statuses=[RecoveryStatus.REFUSED]).items == [debt]
        assert payout_queries.recoveries(page, **of, statuses=[RecoveryStatus.SETTLED]).items == []
        assert payout_queries.recoveries(page, **of, before=debt.decided_at).items == []
        assert payout_queries.recoveries(page, payout_id=cashier.payout(order_id).id).items == [debt]
