"""A desk where the books are compared with those of a provider that lists whatever a test wants."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from types import SimpleNamespace

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.ledger import InMemoryLedgerQueries
from marketplace.adapters.memory.provider_books import InMemoryReconciliationQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.ledger import operating
from marketplace.application.ledger.platform_payouts import PlatformPayoutCheck
from marketplace.application.ledger.reconciling import ReconcileLedger
from marketplace.application.ports.pages import PageRequest
from marketplace.application.ports.payment_gateway import (
    BalanceTransaction,
    OutcomeUnknown,
    PlatformPayout,
    PlatformPayoutStatus,
    ProviderBalance,
    ProviderObjectUnknown,
)
from marketplace.domain.payments.payment import ProviderAlarm
from tests.contracts.ledger import a_capture, a_fee

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class Provider:
    """Lists ``movements`` and holds what they add up to, and ``extra``."""

    clock: FixedClock
    movements: list[BalanceTransaction] = field(default_factory=list)
    payouts: dict[str, PlatformPayout] = field(default_factory=dict)
    extra: int = 0
    silent: bool = False
    arriving: list[BalanceTransaction] = field(default_factory=list)

    def moves(self, id: str, type: str, amount: int, *, fee: int = 0, source: str = "", category: str = "", ago=None):
        at = self.clock.now() - (ago or 2 * HOUR)
        self.movements.append(
            BalanceTransaction(
                id=id,
                type=type,
                reporting_category=category or type,
                source=source,
                amount=amount,
                fee=fee,
                net=amount - fee,
                currency="EUR",
                created_at=at,
                available_at=at,
            )
        )
        self.movements.sort(key=lambda movement: movement.created_at)

    def balance_transactions(self, *, since, after, limit):
        if self.silent:
            raise OutcomeUnknown("The provider did not answer.")
        found = [movement for movement in self.movements if movement.created_at >= since]
        if after is not None:
            found = found[[movement.id for movement in found].index(after) + 1 :]
        return found[: min(limit, 2)]

    def balance(self, currency):
        self.movements += [self.arriving.pop()] if self.arriving else []
        held = sum(movement.net for movement in self.movements)
        return ProviderBalance(currency=currency, available=held, pending=self.extra)

    def get_platform_payout(self, payout_id):
        if payout_id not in self.payouts:
            raise ProviderObjectUnknown(payout_id)
        return self.payouts[payout_id]

    def pays_out(self, status: PlatformPayoutStatus, amount: int = 1000) -> None:
        self.payouts["po_1"] = PlatformPayout(
            id="po_1",
            amount=amount,
            currency="EUR",
            status=status,
            balance_transaction_id="txn_po",
            failure_balance_transaction_id=None,
            failure_code="account_closed" if status is PlatformPayoutStatus.FAILED else "",
            created_at=self.clock.now(),
        )


class Desk:
    def __init__(self) -> None:
        self.store = InMemoryStore()
        self.clock = FixedClock()
        self.unit_of_work = partial(InMemoryUnitOfWork, self.store)
        self.provider = Provider(self.clock)
        self.books = InMemoryLedgerQueries(self.store)
        self.queries = InMemoryReconciliationQueries(self.store)
        numbers = count(1)
        ids = SimpleNamespace(next=lambda: next(numbers))
        writing = {"unit_of_work": self.unit_of_work, "clock": self.clock}
        self.check_payout = PlatformPayoutCheck(**writing, gateway=self.provider)
        self.reconcile = ReconcileLedger(
            **writing, gateway=self.provider, queries=self.books, ids=ids, check_payout=self.check_payout
        )
        self.explain = operating.ExplainDifference(**writing)
        self.to_suspense = operating.BookToSuspense(**writing)
        self.carrier_paid = operating.BookCarrierPaid(**writing)
        self.topup = operating.BookTopup(**writing)

    def post(self, *facts) -> None:
        with self.unit_of_work() as uow:
            for fact in facts:
                uow.ledger.post(fact)
            uow.commit()

    def sells(self, *, ago: timedelta = 2 * HOUR) -> None:
        """A purchase of 12100 with a fee of 207 that both sides know."""
        self.post(a_capture(1), a_fee(1))
        self.provider.moves("txn_1", "charge", 12100, fee=207, source="ch_1", ago=ago)

    def run(self, **options):
        return self.reconcile(force=True, **options)

    def open(self) -> list[tuple[str, str]]:
        page = self.queries.differences(PageRequest(size=100), is_open=True)
        return sorted((difference.kind.value, difference.subject) for difference in page.items)

    def first(self):
        return self.queries.differences(PageRequest(size=100)).items[-1]

    def balance(self, account: str) -> int:
        return sum(entry.balance.amount for entry in self.books.balances() if entry.account == account)

    def alarms(self) -> list[str]:
        return [event.reason for event in self.store.events if isinstance(event, ProviderAlarm)]
