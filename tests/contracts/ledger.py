"""What every ledger promises."""

from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier, Thread

from marketplace.application.ports.pages import PageRequest
from marketplace.domain import journals
from marketplace.domain.ledger import Journal, JournalKind
from marketplace.domain.shared.money import Money

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)


def a_capture(number: int = 1, *, order_id: int = 7, seller_id: int = 42) -> Journal:
    return journals.payment_captured(
        charge_id=f"ch_{number}",
        order_id=order_id,
        currency="EUR",
        total=12100,
        sellers=[(seller_id, 9500, 500, 0)],
        commission=500,
        processing=600,
        shipping=1000,
        at=AT,
    )


def a_fee(number: int = 1, *, order_id: int = 7) -> Journal:
    return journals.stripe_fee(
        balance_transaction_id=f"txn_{number}", order_id=order_id, currency="EUR", fee=207, at=AT
    )


def post(unit_of_work, *journals: Journal) -> list[bool]:
    with unit_of_work() as uow:
        posted = [uow.ledger.post(journal) for journal in journals]
        uow.commit()
    return posted


class LedgerContract:
    """Subclasses provide the fixtures ``unit_of_work``, a factory, and ``queries``, on the same store."""

    def test_gives_back_what_was_posted(self, unit_of_work, queries):
        assert post(unit_of_work, a_capture()) == [True]
        (entry,) = queries.entries(PageRequest()).items
        assert (entry.kind, entry.source_key, entry.order_id) == ("payment_captured", "charge:ch_1", 7)
        assert (entry.currency, entry.occurred_at) == ("EUR", AT)
        assert [(line.account, line.amount) for line in entry.lines] == [
            ("assets:stripe_balance", Money(12100, "EUR")),
            ("liabilities:seller:42:pending", Money(-9500, "EUR")),
            ("revenue:commission_seller", Money(-500, "EUR")),
            ("revenue:commission_buyer", Money(-500, "EUR")),
            ("revenue:processing_fee", Money(-600, "EUR")),
            ("liabilities:shipping", Money(-1000, "EUR")),
        ]

    def test_writes_a_fact_once(self, unit_of_work, queries):
        assert post(unit_of_work, a_capture(), a_capture()) == [True, False]
        assert post(unit_of_work, a_capture(order_id=8)) == [False]
        assert [entry.order_id for entry in queries.entries(PageRequest()).items] == [7]

    def test_the_same_key_may_name_another_kind_of_fact(self, unit_of_work):
        fact = a_fee()
        assert post(unit_of_work, fact, replace(fact, kind=JournalKind.REFUND_CREATED)) == [True, True]

    def test_forgets_what_was_not_committed(self, unit_of_work, queries):
        with unit_of_work() as uow:
            uow.ledger.post(a_capture())
        assert queries.entries(PageRequest()).count == 0
        assert post(unit_of_work, a_capture()) == [True]

    def test_two_that_post_the_same_fact_at_once_write_it_once(self, unit_of_work, queries):
        barrier = Barrier(6)
        posted: list[bool] = []

        def run() -> None:
            barrier.wait()
            posted.extend(post(unit_of_work, a_capture()))

        threads = [Thread(target=run) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(posted) == [False] * 5 + [True]
        assert queries.entries(PageRequest()).count == 1

    def test_lists_the_last_posted_first_a_page_at_a_time(self, unit_of_work, queries):
        post(unit_of_work, *(a_fee(number) for number in range(5)))
        first = queries.entries(PageRequest(size=2))
        assert [entry.source_key for entry in first.items] == ["fee:txn_4", "fee:txn_3"]
        assert (first.count, first.count_is_exact, first.previous) == (5, True, None)
        second = queries.entries(PageRequest(size=2, after=first.next))
        assert [entry.source_key for entry in second.items] == ["fee:txn_2", "fee:txn_1"]
        back = queries.entries(PageRequest(size=2, before=second.previous))
        assert [entry.source_key for entry in back.items] == ["fee:txn_4", "fee:txn_3"]

    def test_lists_by_account_order_and_kind(self, unit_of_work, queries):
        post(unit_of_work, a_capture(1), a_fee(1), a_capture(2, order_id=8, seller_id=43))

        def keys(**wanted) -> list[str]:
            return [entry.source_key for entry in queries.entries(PageRequest(), **wanted).items]

        assert keys(account="liabilities:seller:42:pending") == ["charge:ch_1"]
        assert keys(account="assets:stripe_balance") == ["charge:ch_2", "fee:txn_1", "charge:ch_1"]
        assert keys(account="assets:stripe_balance", order_id=7) == ["fee:txn_1", "charge:ch_1"]
        assert keys(kind=JournalKind.STRIPE_FEE) == ["fee:txn_1"]
        assert keys(order_id=9) == []

    def test_adds_up_each_account(self, unit_of_work, queries):
        post(unit_of_work, a_capture(1), a_fee(1), a_capture(2, order_id=8, seller_id=43))
        assert {b.account: b.balance for b in queries.balances()} == {
            "assets:stripe_balance": Money(23993, "EUR"),
            "expenses:stripe_fees": Money(207, "EUR"),
            "liabilities:seller:42:pending": Money(-9500, "EUR"),
            "liabilities:seller:43:pending": Money(-9500, "EUR"),
            "liabilities:shipping": Money(-2000, "EUR"),
            "revenue:commission_buyer": Money(-1000, "EUR"),
            "revenue:commission_seller": Money(-1000, "EUR"),
            "revenue:processing_fee": Money(-1200, "EUR"),
        }
        assert [b.account for b in queries.balances()] == sorted(b.account for b in queries.balances())

    def test_adds_up_what_one_seller_is_owed(self, unit_of_work, queries):
        post(unit_of_work, a_capture(1, seller_id=4), a_capture(2, seller_id=42))
        assert [(b.account, b.balance) for b in queries.balances(seller_id=4)] == [
            ("liabilities:seller:4:pending", Money(-9500, "EUR"))
        ]
        assert queries.balances(seller_id=5) == []

    def test_gives_balances_a_page_at_a_time(self, unit_of_work, queries):
        post(unit_of_work, a_capture(1, seller_id=4), a_capture(2, seller_id=42), a_fee())
        accounts = [balance.account for balance in queries.balances()]
        first = queries.balances_page(PageRequest(size=3))
        assert [balance.account for balance in first.items] == accounts[:3]
        assert first.count == len(accounts)
        rest = queries.balances_page(PageRequest(size=100, after=first.next))
        assert [balance.account for balance in rest.items] == accounts[3:]
        assert rest.next is None
        assert queries.balances_page(PageRequest(), seller_id=4).items == queries.balances(seller_id=4)
