"""The paying side of a ``Till``: sellers with accounts, sales that complete, transfers that go wrong."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.application.access import OPERATOR, Actor
from marketplace.application.payments.returns import RefundWish
from marketplace.application.payouts import positions
from marketplace.domain import ledger
from marketplace.domain.payments.refund import RefundCause
from marketplace.domain.payout_accounts import AccountRequest, EntityType, PayoutAccount
from marketplace.domain.payout_states import HoldReason
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery
from marketplace.domain.shared.ids import OrderId, PayoutId
from tests.till import Till


class Cashier:
    """``sale`` is counted from 0, by ascending id, in the order that a call names."""

    def __init__(self, till: Till) -> None:
        self.till, self.market = till, till.market

    def seller(self, *, ready: bool = True) -> Actor:
        """Somebody who may sell and has an account at the provider, which can receive money if it is ``ready``."""
        seller = self.market.seller()
        request = AccountRequest(
            seller_id=seller.account_id,
            email=f"{seller.account_id}@example.com",
            display_name="A shop",
            entity_type=EntityType.INDIVIDUAL,
            country="FR",
        )
        now = self.market.clock.now()
        account = PayoutAccount.ask(request, provider="simulated", now=now)
        made = self.till.provider.create_account(request, key=account.create_key)
        account.made(made.id, now=now)
        with self.market.unit_of_work() as uow:
            uow.payout_accounts.add(account)
            uow.commit()
        if ready:
            self.onboard(seller, succeed=True)
        return seller

    def onboard(self, seller: Actor, *, succeed: bool, told: bool = True) -> None:
        """The provider lets the seller be paid, or not any more; ``told``: and we have read it."""
        name = self.account(seller)
        self.till.provider.finish_onboarding(name, link=None, succeed=succeed)
        if told:
            self.till.check_account(name)

    def account(self, seller: Actor) -> str:
        with self.market.unit_of_work() as uow:
            account = uow.payout_accounts.find(seller.account_id)
        assert account is not None
        return str(account.provider_account_id)

    def paid(self, *sellers: Actor, price: int = 10_000) -> OrderId:
        """An order of one card of each seller, paid: 95 % of the price is for its seller."""
        buyer = self.market.buyer()
        order_id = self.till.ordered(buyer, *[self.market.listing(seller, price=price) for seller in sellers])
        self.till.pay(buyer, order_id)
        self.till.work()
        return order_id

    def due(self, *sellers: Actor, price: int = 10_000) -> OrderId:
        """The same, and all of its sales complete."""
        order_id = self.paid(*sellers, price=price)
        for sale in range(len(sellers)):
            self.complete(order_id, sale)
        return order_id

    def due_together(self, *sellers: Actor) -> list[OrderId]:
        """An order of each, all of them complete at once."""
        orders = [self.paid(seller) for seller in sellers]
        for order_id in orders:
            self.complete(order_id)
        return orders

    def sent(self, *sellers: Actor, price: int = 10_000) -> OrderId:
        """The same, and its sellers are paid."""
        order_id = self.due(*sellers, price=price)
        self.till.work()
        return order_id

    def complete(self, order_id: OrderId, sale: int = 0) -> None:
        with self.market.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            positions.fall_due(uow, order.sales[sale], order, now=self.market.clock.now())
            uow.commit()

    def hold(
        self, order_id: OrderId, sale: int = 0, *, key: str = "dispute:1", reason: HoldReason = HoldReason.DISPUTE
    ) -> None:
        with self.market.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            positions.hold(uow, order, order.sales[sale].id, key=key, reason=reason, now=self.market.clock.now())
            uow.commit()

    def release(self, order_id: OrderId, sale: int = 0, *, key: str = "dispute:1") -> None:
        with self.market.unit_of_work() as uow:
            order = uow.orders.get_for_update(order_id)
            positions.release(uow, order, order.sales[sale].id, key=key, now=self.market.clock.now())
            uow.commit()

    def refund(self, order_id: OrderId, amount: str | None = None, sale: int = 0) -> None:
        """Of a sale whole, fees included, or an amount of it; the job has not sent it yet."""
        sale_id = self.till.order(order_id).sales[sale].id
        self.till.refund_order(
            actor=OPERATOR,
            order_id=order_id,
            wish=RefundWish(sale_id=sale_id, amount=amount),
            reason="a test",
            cause=RefundCause.SELLER,
        )

    def suspend(self, seller: Actor) -> None:
        with self.market.unit_of_work() as uow:
            profile = uow.sellers.get_for_update(seller.account_id)
            profile.suspend("a test", now=self.market.clock.now())
            uow.sellers.save(profile)
            uow.commit()

    def reinstate(self, seller: Actor) -> None:
        with self.market.unit_of_work() as uow:
            profile = uow.sellers.get_for_update(seller.account_id)
            profile.reinstate(now=self.market.clock.now())
            uow.sellers.save(profile)
            uow.commit()

    # --- what is there now

    def payout(self, order_id: OrderId, sale: int = 0) -> Payout:
        return self.till.payouts(order_id)[sale]

    def recovery(self, order_id: OrderId, sale: int = 0) -> Recovery:
        (found,) = self.till.recoveries(self.payout(order_id, sale))
        return found

    def books(self, seller: Actor) -> Mapping[str, int]:
        """What stands on the seller's accounts in the ledger, in minor units, those of nothing left out."""
        names = dict(
            zip(("pending", "on_hold", "payable", "receivable"), ledger.accounts_of(seller.account_id), strict=True)
        )
        with self.till.audit.snapshot() as facts:
            found = {entry.account: entry.balance.amount for entry in facts.balances()}
        return {name: abs(found[account]) for name, account in names.items() if found.get(account)}

    def transfers(self, order_id: OrderId, payout_id: PayoutId | None = None) -> int:
        """How often the provider has paid a payout of the order."""
        id = payout_id or self.payout(order_id).id
        with self.till.state.begin() as state:
            found = state.children("transfer", str(order_id))
        return sum(each["metadata"]["payout_id"] == str(id) for each in found)
