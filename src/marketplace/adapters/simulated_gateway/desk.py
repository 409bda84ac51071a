"""The back office of the simulated provider: its lists, sellers' payouts, and our own money in and out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from marketplace.adapters.simulated_gateway.accounts import state_of
from marketplace.adapters.simulated_gateway.disputes import chargeback_of
from marketplace.adapters.simulated_gateway.objects import Object, moment_of, payment_of
from marketplace.adapters.simulated_gateway.provider import Provider
from marketplace.adapters.simulated_gateway.sessions import Sessions
from marketplace.application.ports.payment_gateway import PlatformPayout, PlatformPayoutStatus, ProviderObjectUnknown
from marketplace.application.ports.provider_desk import DeskPayment, DeskSeller
from marketplace.application.ports.provider_state import OUR_BALANCE
from marketplace.application.ports.transfers import InsufficientBalance
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.money import Money


class SimulatedBackOffice(Sessions):
    def get_platform_payout(self, payout_id: str) -> PlatformPayout:
        with self._provider() as provider:
            payout = provider.state.read(payout_id)
        if payout is None or payout["object"] != "payout" or payout["account"] != OUR_BALANCE:
            raise ProviderObjectUnknown(f"The provider has no payout {payout_id!r} of ours.")
        return payout_of(payout)

    # --- lists

    def desk_payments(self, *, limit: int) -> Sequence[DeskPayment]:
        with self._provider() as provider:
            return [_desk_payment(provider, each) for each in provider.state.latest("payment_intent", limit=limit)]

    def desk_payment(self, intent_id: str) -> DeskPayment:
        with self._provider() as provider:
            intent = provider.state.read(intent_id)
            if intent is None or intent["object"] != "payment_intent":
                raise NotFound(f"There is no payment {intent_id}.")
            return _desk_payment(provider, intent)

    def desk_sellers(self, *, limit: int) -> Sequence[DeskSeller]:
        with self._provider() as provider:
            return [_desk_seller(provider, each) for each in provider.state.latest("account", limit=limit)]

    def desk_seller(self, account: str) -> DeskSeller:
        with self._provider() as provider:
            return _desk_seller(provider, _account_in(provider.state.read(account), account))

    # --- sellers

    def pay_seller_out(self, account: str, *, with_pending: bool = False) -> Sequence[PlatformPayout]:
        with self._provider() as provider:
            _account_in(provider.state.get(account), account)
            payouts = []
            for funds in provider.state.funds(account, now=provider.now):
                amount = funds.available + (funds.pending if with_pending else 0)
                if amount > 0:
                    payouts.append(_pay_seller(provider, account, funds.currency, amount))
        return [payout_of(payout) for payout in payouts]

    def fail_seller_payout(self, payout_id: str) -> PlatformPayout:
        with self._provider() as provider:
            known = provider.state.read(payout_id)
            if known is None or known["object"] != "payout" or known["account"] == OUR_BALANCE:
                raise NotFound(f"There is no payout {payout_id} of a seller.")
            account = _account_in(provider.state.get(known["account"]), known["account"])
            payout = provider.state.get(payout_id) or known
            if payout["status"] != PlatformPayoutStatus.PAID:
                raise Conflict(f"The payout {payout_id} is {payout['status']}.")
            payout.update(status="failed", failure_code="account_closed")
            _keep(provider, payout)
            provider.move_seller(
                account["id"], currency=payout["currency"], net=payout["amount"], available_on=provider.seconds
            )
            account.update(payouts_enabled=False)
            account["requirements"]["currently_due"] = ["external_account"]
            provider.keep_account(account)
            provider.tell("payout.failed", payout, account=account["id"])
            provider.tell("account.updated", account, account=account["id"])
        return payout_of(payout)

    def cut_off(self, account: str) -> None:
        with self._provider() as provider:
            known = _account_in(provider.state.get(account), account)
            known["is_cut_off"] = True
            provider.keep_account(known)
            application = {"id": "ca_sim", "object": "application", "name": "Marketplace"}
            provider.tell("account.application.deauthorized", application, account=account)

    # --- our own money

    def pay_out(self, amount: Money) -> PlatformPayout:
        with self._provider() as provider:
            provider.state.lock_balance(OUR_BALANCE)
            available, _ = provider.funds(OUR_BALANCE, amount.currency)
            if not 0 < amount.amount <= available:
                raise InsufficientBalance(f"{amount} cannot be paid out: {available} minor units are available.")
            payout = _new_payout(provider, OUR_BALANCE, amount.currency.lower(), amount.amount, "in_transit")
            movement = provider.move(
                "payout",
                payout["id"],
                currency=payout["currency"],
                amount=-payout["amount"],
                available_on=provider.seconds,
            )
            payout["balance_transaction"] = movement["id"]
            _keep(provider, payout)
            provider.tell("payout.created", payout)
        return payout_of(payout)

    def end_payout(self, payout_id: str, *, is_paid: bool) -> PlatformPayout:
        with self._provider() as provider:
            payout = provider.state.get(payout_id)
            if payout is None or payout["object"] != "payout" or payout["account"] != OUR_BALANCE:
                raise NotFound(f"There is no payout {payout_id} of ours.")
            if payout["status"] not in (("in_transit",) if is_paid else ("in_transit", "paid")):
                raise Conflict(f"The payout {payout_id} is {payout['status']}.")
            payout["status"] = "paid" if is_paid else "failed"
            if not is_paid:
                _come_back(provider, payout)
            _keep(provider, payout)
            provider.tell(f"payout.{payout['status']}", payout)
        return payout_of(payout)

    def top_up(self, amount: Money) -> str:
        return self._move_ours(amount, "topup", lambda provider: provider.name("tu"), "topup")

    def adjust(self, amount: Money) -> str:
        return self._move_ours(amount, "adjustment", lambda provider: "", "other_adjustment")

    def _move_ours(self, amount: Money, type: str, source: Callable[[Provider], str], category: str) -> str:
        with self._provider() as provider:
            movement = provider.move(
                type,
                source(provider),
                currency=amount.currency.lower(),
                amount=amount.amount,
                category=category,
                available_on=provider.seconds,
            )
        id: str = movement["id"]
        return id


def payout_of(payout: Object) -> PlatformPayout:
    return PlatformPayout(
        id=payout["id"],
        amount=payout["amount"],
        currency=payout["currency"].upper(),
        status=PlatformPayoutStatus(payout["status"]),
        balance_transaction_id=payout["balance_transaction"],
        failure_balance_transaction_id=payout["failure_balance_transaction"],
        failure_code=payout["failure_code"] or "",
        created_at=moment_of(payout["created"]),
    )


def _pay_seller(provider: Provider, account: str, currency: str, amount: int) -> Object:
    payout = _new_payout(provider, account, currency, amount, "paid")
    provider.move_seller(account, currency=currency, net=-amount, available_on=provider.seconds)
    _keep(provider, payout)
    provider.tell("payout.paid", payout, account=account)
    return payout


def _new_payout(provider: Provider, account: str, currency: str, amount: int, status: str) -> Object:
    return {
        "id": provider.name("po"),
        "object": "payout",
        "account": account,
        "amount": amount,
        "automatic": account != OUR_BALANCE,
        "balance_transaction": None,
        "created": provider.seconds,
        "currency": currency,
        "failure_balance_transaction": None,
        "failure_code": None,
        "livemode": False,
        "metadata": {},
        "status": status,
    }


def _come_back(provider: Provider, payout: Object) -> None:
    payout["failure_code"] = "account_closed"
    movement = provider.move(
        "payout_failure",
        payout["id"],
        currency=payout["currency"],
        amount=payout["amount"],
        category="payout_reversal",
        available_on=provider.seconds,
    )
    payout["failure_balance_transaction"] = movement["id"]


def _keep(provider: Provider, payout: Object) -> None:
    provider.state.put(payout, kind="payout", parent=payout["account"], at=provider.now)


def _account_in(account: Object | None, id: str) -> Object:
    if account is None or account["object"] != "account":
        raise NotFound(f"There is no account {id}.")
    return account


def _desk_payment(provider: Provider, intent: Object) -> DeskPayment:
    charge = provider.state.read(intent["latest_charge"] or "")
    disputes = provider.state.children("dispute", charge["id"]) if charge is not None and charge["disputed"] else []
    return DeskPayment(
        payment=payment_of(intent, None),
        description=intent["description"],
        refunded=charge["amount_refunded"] if charge is not None else 0,
        chargebacks=[chargeback_of(dispute) for dispute in disputes],
    )


def _desk_seller(provider: Provider, account: Object) -> DeskSeller:
    payouts = provider.state.children("payout", account["id"])
    return DeskSeller(
        account=account["id"],
        seller_id=AccountId(int(account["metadata"]["seller_id"])),
        state=state_of(account),
        is_cut_off=account.get("is_cut_off", False),
        funds=provider.state.funds(account["id"], now=provider.now),
        payouts=[payout_of(payout) for payout in reversed(payouts)][:10],
    )
