"""The payment side of a ``Market``: the simulated provider, its courier, the jobs, and faults on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from marketplace.adapters.memory.ledger_audit import InMemoryLedgerAudit
from marketplace.adapters.memory.payments import InMemoryPaymentQueries
from marketplace.adapters.memory.provider_events import InMemoryEventSweeps, InMemoryWebhookRefusals
from marketplace.adapters.memory.provider_state import InMemoryProviderState
from marketplace.adapters.memory.webhook_inbox import InMemoryWebhookInbox
from marketplace.adapters.simulated_gateway.gateway import SimulatedGateway
from marketplace.application.access import OPERATOR, Actor
from marketplace.application.disputes.opening import OpenDispute, WithdrawDispute
from marketplace.application.disputes.resolving import ResolveDispute
from marketplace.application.ledger import VerifyLedger
from marketplace.application.payments.answering import AcceptChargeback, SubmitEvidence
from marketplace.application.payments.cancelling import Cancellation, CancelOrder
from marketplace.application.payments.chargebacks import ChargebackCheck, CheckChargebacks
from marketplace.application.payments.checking import CheckPayments, PaymentCheck
from marketplace.application.payments.deciding import RefundOrder
from marketplace.application.payments.missed_events import SweepEvents
from marketplace.application.payments.paying import PaymentProgress, PayOrder
from marketplace.application.payments.refunding import RefundCheck, RetryRefund, SendRefunds, SettleRefund
from marketplace.application.payments.returns import RefundWish
from marketplace.application.payments.settlement import Settlement
from marketplace.application.payments.starting import ReadClientSecret, StartedPayment, StartPayment
from marketplace.application.payments.webhooks import (
    DeliverSimulatedEvents,
    KeepEvent,
    ProcessWebhooks,
    ReceiveWebhook,
)
from marketplace.application.payout_accounts import AccountCheck
from marketplace.application.payouts.checking import TransferCheck
from marketplace.application.payouts.keeping import FollowSuspensions, TryBlockedPayouts, WatchKeptMoney
from marketplace.application.payouts.operating import HoldPayout, ReleasePayout, RetryPayout
from marketplace.application.payouts.recovering import RecoveryCheck, SendRecoveries, WriteOff
from marketplace.application.payouts.sending import PayoutCheck, SendPayouts
from marketplace.application.ports.ledger import LedgerAudit
from marketplace.application.ports.payment_gateway import PaymentGateway, ProviderPayment
from marketplace.application.ports.payments import PaymentQueries, WebhookInbox
from marketplace.application.ports.provider_events import EventSweeps, WebhookRefusals
from marketplace.application.ports.provider_state import ProviderState, SignedDelivery
from marketplace.domain.disputes import Dispute
from marketplace.domain.listings import ListingStatus
from marketplace.domain.orders.order import Order
from marketplace.domain.payments.chargebacks import Chargeback
from marketplace.domain.payments.payment import Payment
from marketplace.domain.payments.refund import Refund, RefundCause
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import DisputeId, ListingId, OrderId, SaleId
from tests.market import Market
from tests.wallet import Wallet

SECRET = "whsec_test_secret"
PUBLIC_URL = "https://cards.example"


class FaultyGateway:
    """A gateway whose next calls fail on demand, before the provider has done anything or after."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.calls: list[str] = []
        self.interruptions: dict[str, list[tuple[str, Callable[..., Any]]]] = {}

    def interrupt(self, method: str, *, when: str, by: Exception | Callable[..., Any]) -> None:
        """At the next call of ``method``, raise or call ``by``: ``before`` the provider acts, or ``after``.

        ``instead``: what ``by`` makes of the answer is the answer.
        """

        def act(*answer: Any) -> Any:
            if isinstance(by, Exception):
                raise by
            return by(*answer)

        self.interruptions.setdefault(method, []).append((when, act))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not callable(found):
            return found

        def called(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            waiting = self.interruptions.get(name)
            when, act = waiting.pop(0) if waiting else ("", lambda: None)
            if when == "before":
                act()
            answer = found(*args, **kwargs)
            if when == "after":
                act()
            return act(answer) if when == "instead" else answer

        return called


@dataclass(kw_only=True)
class Till:
    """``gateway`` is the simulated one behind a ``FaultyGateway``; ``provider`` the simulated one itself."""

    market: Market
    state: ProviderState
    inbox: WebhookInbox
    queries: PaymentQueries
    audit: LedgerAudit
    events: Callable[..., list[Event]]
    refusals: WebhookRefusals
    sweeps: EventSweeps
    tokens: count[int] = field(default_factory=lambda: count(1))

    @classmethod
    def in_memory(cls) -> Till:
        return cls.remembering()[0]

    @classmethod
    def remembering(cls) -> tuple[Till, Callable[[], Callable[[], None]]]:
        """A till in memory, and what takes a snapshot of everything that is stored: call that to go back to it."""
        market, store = Market.in_memory()
        state = InMemoryProviderState()
        till = cls(
            market=market,
            state=state,
            inbox=InMemoryWebhookInbox(store),
            queries=InMemoryPaymentQueries(store),
            audit=InMemoryLedgerAudit(store),
            events=lambda: store.events,
            refusals=InMemoryWebhookRefusals(store),
            sweeps=InMemoryEventSweeps(store),
        )

        def snapshot() -> Callable[[], None]:
            # What is stored is replaced, never changed, but for the inbox, which has to be empty here.
            tables = {name: dict(table) for name, table in store.tables.items()}
            contents, now = state.contents, market.clock.now()

            def go_back() -> None:
                store.tables = {name: dict(table) for name, table in tables.items()}
                state.contents = contents
                market.clock.set(now)

            return go_back

        return till, snapshot

    def __post_init__(self) -> None:
        clock = self.market.clock
        self.provider = self.make_provider()
        self.gateway: Any = FaultyGateway(self.provider)
        gateway: PaymentGateway = self.gateway
        writing: dict[str, Any] = {"unit_of_work": self.market.unit_of_work, "clock": clock}
        self.settlement = Settlement(**writing, ids=self.market.ids, livemode=False)
        self.check_payment = PaymentCheck(**writing, gateway=gateway, settlement=self.settlement)
        self.check_refund = RefundCheck(**writing, gateway=gateway)
        self.start_payment = StartPayment(unit_of_work=self.market.unit_of_work, check=self.check_payment)
        self.read_client_secret = ReadClientSecret(unit_of_work=self.market.unit_of_work, gateway=gateway)
        self.wallet = Wallet.of(unit_of_work=self.market.unit_of_work, gateway=gateway, clock=clock)
        self.pay_order = PayOrder(
            **writing,
            gateway=gateway,
            check=self.check_payment,
            owner=self.wallet.owner,
            return_url=f"{PUBLIC_URL}/return/?order={{order_id}}",
        )
        self.cancel_order = CancelOrder(**writing, check=self.check_payment)
        self.refund_order = RefundOrder(**writing, ids=self.market.ids)
        self.check_chargeback = ChargebackCheck(**writing, gateway=gateway, ids=self.market.ids)
        self.check_chargebacks = CheckChargebacks(check=self.check_chargeback)
        answering: dict[str, Any] = {**writing, "gateway": gateway, "check": self.check_chargeback}
        self.submit_evidence = SubmitEvidence(**answering)
        self.accept_chargeback = AcceptChargeback(**answering)
        self.open_dispute = OpenDispute(
            **writing, ids=self.market.ids, unshipped_after=timedelta(days=7), seller_has=timedelta(days=5)
        )
        self.withdraw_dispute = WithdrawDispute(**writing)
        self.resolve_dispute = ResolveDispute(**writing, ids=self.market.ids)
        self.retry_refund = RetryRefund(**writing)
        self.settle_refund = SettleRefund(**writing)
        self.keep_event = KeepEvent(unit_of_work=self.market.unit_of_work, inbox=self.inbox, livemode=False)
        self.receive_webhook = ReceiveWebhook(
            gateway=gateway, keep=self.keep_event, refusals=self.refusals, clock=clock
        )
        self.sweep_events = SweepEvents(**writing, gateway=gateway, sweeps=self.sweeps, keep=self.keep_event)
        self.check_account = AccountCheck(**writing, gateway=gateway)
        self.check_transfer = TransferCheck(**writing, gateway=gateway)
        self.process_webhooks = ProcessWebhooks(
            **writing,
            inbox=self.inbox,
            check_payment=self.check_payment,
            check_refund=self.check_refund,
            check_chargeback=self.check_chargeback,
            check_account=self.check_account,
            check_transfer=self.check_transfer,
            check_card=self.wallet.check,
        )
        self.deliver = DeliverSimulatedEvents(courier=self.provider, receive=self.receive_webhook)
        self.check_payments = CheckPayments(check=self.check_payment)
        self.send_refunds = SendRefunds(check=self.check_refund)
        self.check_payout = PayoutCheck(**writing, gateway=gateway)
        self.send_payouts = SendPayouts(check=self.check_payout, ids=self.market.ids, minimum=0)
        self.check_recovery = RecoveryCheck(**writing, gateway=gateway)
        self.send_recoveries = SendRecoveries(check=self.check_recovery)
        self.write_off = WriteOff(**writing, after=timedelta(days=180))
        self.hold_payout = HoldPayout(**writing)
        self.release_payout = ReleasePayout(**writing)
        self.retry_payout = RetryPayout(**writing)
        self.try_blocked_payouts = TryBlockedPayouts(**writing)
        self.follow_suspensions = FollowSuspensions(**writing)
        self.watch_kept_money = WatchKeptMoney(**writing)
        self.verify_ledger = VerifyLedger(audit=self.audit, gateway=gateway)

    def make_provider(self) -> Any:
        """The gateway that everything speaks to, and its courier; another till may have another one."""
        return SimulatedGateway(
            self.state,
            clock=self.market.clock,
            secrets=[SECRET],
            public_url=PUBLIC_URL,
            token=lambda: f"{next(self.tokens):06}",
        )

    # --- what buyers and operators do

    def placed(self, buyer: Actor, *listings: ListingId, quantity: int = 1) -> OrderId:
        """An order of these listings that the provider has not heard of."""
        for listing_id in listings:
            self.market.add(buyer, listing_id, quantity)
        return self.market.order(buyer)

    def ordered(self, buyer: Actor, *listings: ListingId, quantity: int = 1) -> OrderId:
        """An order of these listings, its payment started."""
        order_id = self.placed(buyer, *listings, quantity=quantity)
        self.start(order_id)
        return order_id

    def start(self, order_id: OrderId) -> StartedPayment:
        with self.market.unit_of_work() as uow:
            buyer = Actor(account_id=uow.orders.get(order_id).buyer_id)
        return self.start_payment(actor=buyer, order_id=order_id)

    def pay(self, buyer: Actor, order_id: OrderId, payment_method: str | None = "pm_card_visa") -> PaymentProgress:
        return self.pay_order(actor=buyer, order_id=order_id, payment_method=payment_method)

    def cancel(self, buyer: Actor, order_id: OrderId) -> Cancellation:
        return self.cancel_order(actor=buyer, order_id=order_id)

    def refund(
        self,
        order_id: OrderId,
        sale_id: SaleId | None = None,
        cause: RefundCause = RefundCause.PLATFORM,
        **what: Any,
    ) -> Refund:
        wish = RefundWish(sale_id=sale_id, **what)
        done = self.refund_order(actor=OPERATOR, order_id=order_id, wish=wish, reason="a test", cause=cause)
        with self.market.unit_of_work() as uow:
            return uow.refunds.get(done.id)

    # --- what workers do

    def work(self) -> None:
        """Run every job until none finds anything to do at this moment."""
        for _ in range(100):
            done = self.deliver() + self.process_webhooks() + self.check_payments() + self.send_refunds()
            done += self.follow_suspensions() + self.send_payouts() + self.send_recoveries() + self.check_chargebacks()
            if not done:
                return
        raise AssertionError("The jobs do not come to an end.")

    def work_for(self, **duration: float) -> None:
        """Let time go by, the jobs running every half minute."""
        end = self.market.clock.now() + timedelta(**duration)
        self.work()
        while self.market.clock.now() < end:
            self.market.clock.advance(min(timedelta(seconds=30), end - self.market.clock.now()))
            self.work()

    # --- what the provider does by itself

    def at_the_provider(self, order_id: OrderId, **changes: Any) -> Mapping[str, Any]:
        """Change the provider's payment behind everybody's back; gives what it was."""
        with self.state.begin() as state:
            (intent,) = state.children("payment_intent", str(order_id))
            state.put({**intent, **changes}, kind="payment_intent", parent=str(order_id), at=self.market.clock.now())
        return intent

    def payments_at_the_provider(self, order_id: OrderId) -> int:
        with self.state.begin() as state:
            return len(state.children("payment_intent", str(order_id)))

    def hide_the_fee(self) -> None:
        """The next time that the provider is asked for a payment, it does not know its fee yet."""

        def without(provider: ProviderPayment) -> ProviderPayment:
            return replace(provider, fee=None, balance_transaction_id=None)

        self.gateway.interrupt("get_payment", when="instead", by=without)

    def late_money(self, order_id: OrderId) -> None:
        """The provider takes the money of a payment that it had cancelled, and says so."""
        now = self.market.clock.now()
        self.at_the_provider(order_id, status="requires_action", payment_method="pm_card_visa", next_action=_A_PAGE)
        self.provider.answer(self.payment(order_id).intent_id or "", succeed=True)
        assert now == self.market.clock.now()

    def outgoing(self) -> list[SignedDelivery]:
        """The provider's events that are due, taken from its courier: for a test to deliver as it likes."""
        taken = list(self.provider.due_deliveries(lease_for=timedelta(days=1), limit=1000))
        for delivery in taken:
            self.provider.delivered(delivery)
        return taken

    # --- what is there now

    def payment(self, order_id: OrderId) -> Payment:
        with self.market.unit_of_work() as uow:
            return uow.payments.of_order(order_id)

    def order(self, order_id: OrderId) -> Order:
        return self.market.order_now(order_id)

    def refunds(self, order_id: OrderId) -> list[Refund]:
        with self.market.unit_of_work() as uow:
            return list(uow.refunds.of_order(order_id))

    def payouts(self, order_id: OrderId) -> list[Payout]:
        with self.market.unit_of_work() as uow:
            return list(uow.payouts.of_order_for_update(order_id))

    def recoveries(self, payout: Payout) -> list[Recovery]:
        with self.market.unit_of_work() as uow:
            return list(uow.recoveries.of_payout_for_update(payout.id))

    def chargebacks(self, order_id: OrderId) -> list[Chargeback]:
        with self.market.unit_of_work() as uow:
            return list(uow.chargebacks.of_order(order_id))

    def dispute(self, dispute_id: DisputeId) -> Dispute:
        with self.market.unit_of_work() as uow:
            return uow.disputes.get(dispute_id)

    def stock(self, listing_id: ListingId) -> tuple[int, int, ListingStatus]:
        return self.market.stock(listing_id)

    def outcome(self, order_id: OrderId) -> Mapping[str, Any]:
        """Everything that must not depend on the way there."""
        order, payment = self.order(order_id), self.payment(order_id)
        return {
            "order": order.status,
            "sales": [sale.status for sale in order.sales],
            "payment": payment.status,
            "stock": [self.stock(line.listing_id) for sale in order.sales for line in sale.lines],
            "refunds": [(refund.status, refund.amount) for refund in self.refunds(order_id)],
            "books": self.findings(),
        }

    def findings(self) -> list[str]:
        """What is wrong with the books: nothing, one hopes."""
        return [f"{c.name}: {f.subject} {f.detail}" for c in self.verify_ledger().checks for f in c.findings]


_A_PAGE = {"type": "redirect_to_url", "redirect_to_url": {"return_url": "", "url": ""}}
