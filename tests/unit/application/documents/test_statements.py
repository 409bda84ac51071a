"""Statements add up, and are what the ledger says."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.application.access import OPERATOR
from marketplace.application.documents.statements import safe_cell, statement_csv
from marketplace.application.payouts.recovering import WriteOff
from marketplace.application.ports.pages import PageRequest
from marketplace.domain import statements as domain
from marketplace.domain.ledger import accounts_of
from marketplace.domain.shared.errors import Conflict, Invalid, MarketplaceError, NotFound
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.statements import EntryKind, Month, StatementTooLong
from tests.cashier import Cashier
from tests.clerk import Clerk
from tests.unit.application.documents.conftest import clerk_in_memory


def amounts(statement) -> list[tuple[str, int]]:
    return [(entry.kind.value, entry.amount) for entry in statement.entries]


def balance_in_the_books(cashier: Cashier, seller) -> int:
    with cashier.till.audit.snapshot() as facts:
        found = {entry.account: entry.balance.amount for entry in facts.balances()}
    return -sum(found.get(account, 0) for account in accounts_of(seller.account_id))


def now(cashier: Cashier) -> Month:
    return Month.of(cashier.market.clock.now())


def test_a_month_of_a_sale_a_refund_and_a_payout(clerk: Clerk, cashier: Cashier) -> None:
    seller = cashier.seller()
    cashier.paid(cashier.seller())
    first = cashier.paid(seller, price=10_000)
    cashier.refund(first, "20.00")
    cashier.complete(first)
    cashier.till.work()
    statement = clerk.statement(seller, now(cashier))
    assert amounts(statement) == [
        ("sale", 10_000),
        ("commission", -500),
        ("refund", -2000),
        ("commission_back", 100),
        ("payout", -7600),
    ]
    assert (statement.opening, statement.closing, statement.is_final) == (0, 0, False)
    assert statement.total(EntryKind.COMMISSION, EntryKind.COMMISSION_BACK) == -400
    assert {entry.reference for entry in statement.entries} == {cashier.till.order(first).sales[0].reference}


def test_debts_are_carried_over_netted_and_written_off(clerk: Clerk, cashier: Cashier) -> None:
    seller = cashier.seller()
    first = cashier.sent(seller, price=10_000)
    begun = now(cashier)
    cashier.onboard(seller, succeed=False)
    cashier.refund(first)
    cashier.market.clock.advance(begun.ends - cashier.market.clock.now() + timedelta(hours=1))
    cashier.onboard(seller, succeed=True)
    opening = clerk.statement(seller, begun.following)
    assert opening.opening == clerk.statement(seller, begun).closing
    cashier.till.work()
    cashier.due(seller, price=5_000)
    cashier.till.work()
    statement = clerk.statement(seller, begun.following)
    assert statement.closing == balance_in_the_books(cashier, seller)
    assert sum(statement.standing.values()) == statement.closing
    assert clerk.months(seller) == [begun, begun.following]


def test_netting_is_told_twice_and_changes_nothing(clerk: Clerk, cashier: Cashier) -> None:
    seller = cashier.seller()
    first = cashier.sent(seller, price=10_000)
    cashier.refund(first)
    with cashier.market.unit_of_work() as uow:
        (recovery,) = uow.recoveries.of_payout_for_update(cashier.payout(first).id)
        recovery.refuse("the account is empty", now=cashier.market.clock.now())
        uow.recoveries.save(recovery)
        uow.commit()
    cashier.due(seller, price=4_000)
    cashier.till.work()
    statement = clerk.statement(seller, now(cashier))
    assert ("kept_from_payout", -3800) in amounts(statement)
    assert ("debt_paid", 3800) in amounts(statement)
    assert statement.standing["receivable"] == statement.closing == -5700
    write_off = WriteOff(unit_of_work=cashier.market.unit_of_work, clock=cashier.market.clock, after=timedelta(0))
    write_off(actor=OPERATOR, recovery_id=recovery.id, reason="They are gone.")
    after = clerk.statement(seller, now(cashier))
    assert (amounts(after)[-1], after.closing) == (("written_off", 5700), 0)


def test_of_a_month_in_which_nothing_moved(clerk: Clerk, cashier: Cashier) -> None:
    seller = cashier.seller()
    cashier.paid(seller)
    statement = clerk.statement(seller, Month(2019, 12))
    assert (statement.opening, statement.entries, statement.closing, statement.is_final) == (0, (), 0, True)
    after = clerk.statement(seller, now(cashier).following)
    assert (after.opening, after.entries) == (9500, ())


def test_of_nobody(clerk: Clerk) -> None:
    with pytest.raises(NotFound):
        clerk.statement(type("Nobody", (), {"account_id": AccountId(9_999_999)}), Month(2026, 1))


def test_more_than_a_statement_holds_is_refused(
    clerk: Clerk, cashier: Cashier, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller = cashier.seller()
    cashier.due(seller)
    monkeypatch.setattr("marketplace.application.documents.statements.MAX_MOVES", 1)
    with pytest.raises(StatementTooLong) as refused:
        clerk.statement(seller, now(cashier))
    assert isinstance(refused.value, Conflict)


class TestAsATable:
    def test_adds_up_line_by_line(self, clerk: Clerk, cashier: Cashier) -> None:
        seller = cashier.seller()
        cashier.refund(cashier.paid(seller), "10.00")
        statement = clerk.statement(seller, now(cashier))
        rows = list(csv.DictReader(io.StringIO(statement_csv(statement))))
        assert [row["entry"] for row in rows[:2]] == ["opening_balance", "sale"]
        assert (rows[-1]["entry"], rows[-1]["balance"]) == ("closing_balance", "85.50")
        assert sum(round(float(row["amount"]) * 100) for row in rows[1:-1]) == statement.closing

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"])
    def test_holds_no_formula(self, text: str) -> None:
        assert safe_cell(text) == f"'{text}"
        assert safe_cell(f"x{text}") == f"x{text}"


class TestMonths:
    def test_are_paged_like_every_list(self, clerk: Clerk, cashier: Cashier) -> None:
        seller = cashier.seller()
        for _ in range(5):
            cashier.paid(seller)
            cashier.market.later(days=31)
        months = [str(month) for month in clerk.months(seller)][::-1]

        def page(**asked):
            found = clerk.statements.months(PageRequest(size=2, **asked), seller_id=seller.account_id)
            return [str(summary.month) for summary in found.items], found

        seen, at = [], {}
        while True:
            names, found = page(**at)
            seen += names
            if found.next is None:
                break
            at = {"after": found.next}
        assert seen == months
        assert (found.count, page(number=9)[0]) == (5, [])
        back, found = page(before=found.previous)
        assert back == months[2:4]
        back, found = page(before=found.previous)
        assert (back, found.previous) == (months[:2], None)
        assert page(after=("2000-01",))[0] == []
        assert page(before=("2000-01",))[0] == months[3:]

    def test_follow_one_another(self, clerk: Clerk, cashier: Cashier) -> None:
        seller = cashier.seller()
        for _ in range(3):
            cashier.refund(cashier.paid(seller), "1.00")
            cashier.market.later(days=31)
        found = clerk.statements.months(PageRequest(size=100), seller_id=seller.account_id).items[::-1]
        assert [each.opening for each in found] == [0, *(each.closing for each in found[:-1])]
        assert all(each.is_final for each in found)


# What may happen to an order, by name; each is tried, and refused where it makes no sense.
ACTIONS = ("pay", "complete", "refund some", "refund all", "hold", "release", "work", "later", "close", "reopen")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 3), st.integers(101, 30_000)), max_size=14))
def test_whatever_happens_each_statement_is_what_the_ledger_says(steps) -> None:
    clerk = clerk_in_memory()
    cashier = clerk.cashier
    sellers = [cashier.seller(), cashier.seller()]
    orders = [cashier.paid(*sellers, price=7_777)]
    for name, which, amount in steps:
        order, sale = orders[which % len(orders)], which % 2
        try:
            act(cashier, orders, sellers, name, order, sale, amount)
        except MarketplaceError:
            continue
    for seller in sellers:
        closing = 0
        for month in clerk.months(seller):
            statement = clerk.statement(seller, month)
            assert statement.opening == closing
            closing = statement.closing
            assert closing == sum(statement.standing.values())
            assert EntryKind.OTHER not in {entry.kind for entry in statement.entries}
        assert closing == balance_in_the_books(cashier, seller)


def act(cashier: Cashier, orders, sellers, name, order, sale, amount) -> None:
    match name:
        case "pay":
            orders.append(cashier.paid(*sellers, price=amount))
        case "complete":
            cashier.complete(order, sale)
        case "refund some":
            cashier.refund(order, f"{amount // 100}.{amount % 100:02d}", sale)
        case "refund all":
            cashier.refund(order, None, sale)
        case "hold":
            cashier.hold(order, sale)
        case "release":
            cashier.release(order, sale)
        case "work":
            cashier.till.work()
        case "later":
            cashier.market.later(days=20)
        case _:
            cashier.onboard(sellers[sale], succeed=name == "reopen")


def test_a_months_bounds() -> None:
    assert (Month.parse("2026-12").following, str(Month(2026, 2))) == (Month(2027, 1), "2026-02")
    assert Month.of(Month(2026, 3).begins) == Month(2026, 3)
    assert Month.parse("2099-12").ends.year == 2100
    assert domain.MAX_PRINTED < domain.MAX_MOVES


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-00", "2026-1", "1999-12", "2026-01-01", "\uff12\uff10\uff12\uff16-01", "2026-01\n"]
)
def test_a_month_is_written_in_one_way(text: str) -> None:
    with pytest.raises(Invalid, match="such as 2026-11"):
        Month.parse(text)
