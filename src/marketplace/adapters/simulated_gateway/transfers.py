"""Money moved to sellers' balances at the simulated provider, taken back, and sent on to their banks."""

from __future__ import annotations

from marketplace.adapters.simulated_gateway.objects import Object, moment_of
from marketplace.adapters.simulated_gateway.provider import Provider
from marketplace.adapters.simulated_gateway.sessions import Answer, Sessions, refusal
from marketplace.application.ports.payment_gateway import InvalidRequest, ProviderObjectUnknown
from marketplace.application.ports.provider_state import OUR_BALANCE
from marketplace.application.ports.transfers import ProviderReversal, ProviderTransfer, TransferRequest
from marketplace.domain.shared.ids import OrderId, PayoutId, RecoveryId
from marketplace.domain.shared.money import MAX_AMOUNT, Money


class SimulatedTransfers(Sessions):
    def create_transfer(self, request: TransferRequest, *, key: str) -> ProviderTransfer:
        _check_amount(request.amount)
        parameters = {
            "payout_id": request.payout_id,
            "order_id": request.order_id,
            "seller_id": request.seller_id,
            "amount": request.amount.amount,
            "currency": request.amount.currency,
            "destination": request.destination,
            "source_charge": request.source_charge,
            "description": request.description,
        }

        def create(provider: Provider) -> Answer:
            source = charge_in(provider, request.source_charge) if request.source_charge is not None else None
            account = provider.state.get(request.destination)
            refused = _refused_by(account, request) or (
                _refused_by_balance(provider, request.amount)
                if source is None
                else _refused_by_source(source, request.amount)
            )
            return refused or {"object": _transfer(provider, request, source)}

        return transfer_of(self._once("create_transfer", key, parameters, create)["object"])

    def get_transfer(self, transfer_id: str) -> ProviderTransfer:
        with self._provider() as provider:
            return transfer_of(_known(provider.state.read(transfer_id), transfer_id))

    def find_transfer(self, order_id: OrderId, payout_id: PayoutId) -> ProviderTransfer | None:
        with self._provider() as provider:
            made = [transfer_of(each) for each in provider.state.children("transfer", str(order_id))]
        return next((transfer for transfer in made if transfer.payout_id == payout_id), None)

    def reverse_transfer(
        self, transfer_id: str, *, amount: Money, recovery_id: RecoveryId, description: str, key: str
    ) -> ProviderReversal:
        _check_amount(amount)
        parameters = {
            "transfer_id": transfer_id,
            "amount": amount.amount,
            "currency": amount.currency,
            "recovery_id": recovery_id,
            "description": description,
        }

        def reverse(provider: Provider) -> Answer:
            transfer = _known(provider.state.get(transfer_id), transfer_id)
            account = provider.state.get(transfer["destination"])
            refused = _refused_reversal(provider, transfer, account, amount)
            return refused or {"object": _reverse(provider, transfer, amount.amount, recovery_id)}

        return reversal_of(self._once("reverse_transfer", key, parameters, reverse)["object"])

    def find_reversal(self, transfer_id: str, recovery_id: RecoveryId) -> ProviderReversal | None:
        with self._provider() as provider:
            _known(provider.state.read(transfer_id), transfer_id)
            made = [reversal_of(each) for each in provider.state.children("transfer_reversal", transfer_id)]
        return next((reversal for reversal in made if reversal.recovery_id == recovery_id), None)


def charge_in(provider: Provider, id: str) -> Object:
    """Locked. Raises ProviderObjectUnknown."""
    charge = provider.state.get(id)
    if charge is None or charge["object"] != "charge":
        raise ProviderObjectUnknown(f"The provider has no charge {id!r}.")
    return charge


def transfer_of(transfer: Object) -> ProviderTransfer:
    return ProviderTransfer(
        id=transfer["id"],
        amount=transfer["amount"],
        amount_reversed=transfer["amount_reversed"],
        currency=transfer["currency"].upper(),
        destination=transfer["destination"],
        payout_id=PayoutId(int(transfer["metadata"]["payout_id"])),
        balance_transaction_id=transfer["balance_transaction"],
        created_at=moment_of(transfer["created"]),
    )


def reversal_of(reversal: Object) -> ProviderReversal:
    return ProviderReversal(
        id=reversal["id"],
        transfer_id=reversal["transfer"],
        amount=reversal["amount"],
        currency=reversal["currency"].upper(),
        recovery_id=RecoveryId(int(reversal["metadata"]["recovery_id"])),
        balance_transaction_id=reversal["balance_transaction"],
    )


def _check_amount(amount: Money) -> None:
    if not 0 < amount.amount <= MAX_AMOUNT:
        raise InvalidRequest(f"{amount} cannot be moved: from the smallest unit to {MAX_AMOUNT} of them.")


def _known(transfer: Object | None, id: str) -> Object:
    if transfer is None or transfer["object"] != "transfer":
        raise ProviderObjectUnknown(f"The provider has no transfer {id!r}.")
    return transfer


def _refused_by(account: Object | None, request: TransferRequest) -> Answer | None:
    if account is None or account["object"] != "account" or account.get("is_cut_off"):
        return refusal("seller", f"The provider has no account {request.destination!r} that we can pay to.")
    if account["capabilities"]["transfers"] != "active":
        return refusal("seller", f"The account {request.destination} cannot receive money now.")
    return None


def _refused_by_source(source: Object, amount: Money) -> Answer | None:
    """What was reversed still counts: it was this charge's money once."""
    if source["status"] != "succeeded" or source["balance_transaction"] is None:
        return refusal("invalid", f"The charge {source['id']} has brought no money (yet).")
    if source["currency"] != amount.currency.lower():
        return refusal("invalid", f"{amount} cannot come from a charge in {source['currency'].upper()}.")
    left = source["amount"] - source.get("transferred", 0)
    if amount.amount > left:
        return refusal("invalid", f"{amount} is more than the {left} minor units that were not transferred yet.")
    return None


def _refused_by_balance(provider: Provider, amount: Money) -> Answer | None:
    provider.state.lock_balance(OUR_BALANCE)
    available, _ = provider.funds(OUR_BALANCE, amount.currency)
    if amount.amount > available:
        return refusal("balance", f"{amount} is more than the {available} minor units that are available to us.")
    return None


def _refused_reversal(provider: Provider, transfer: Object, account: Object | None, amount: Money) -> Answer | None:
    """What a transfer brought can be taken back before it is available to the seller: it is still here."""
    left = transfer["amount"] - transfer["amount_reversed"]
    if amount.currency.lower() != transfer["currency"]:
        return refusal("invalid", f"{amount} cannot go back of a transfer in {transfer['currency'].upper()}.")
    if amount.amount > left:
        return refusal("in_state", f"{amount} cannot go back: {left} minor units of {transfer['id']} are left.")
    if account is None or account.get("is_cut_off"):
        return refusal("seller", f"The account {transfer['destination']} is out of our reach.")
    available, pending = provider.funds(transfer["destination"], amount.currency)
    there = available + pending if transfer["available_on"] > provider.seconds else available
    if amount.amount > there:
        return refusal("balance", f"The seller has {Money(there, amount.currency)}, not {amount}.")
    return None


def _transfer(provider: Provider, request: TransferRequest, source: Object | None) -> Object:
    currency, amount = request.amount.currency.lower(), request.amount.amount
    available_on = provider.available_on(source) if source is not None else provider.seconds
    transfer: Object = {
        "id": provider.name("tr"),
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "available_on": available_on,
        "balance_transaction": None,
        "created": provider.seconds,
        "currency": currency,
        "description": request.description,
        "destination": request.destination,
        "livemode": False,
        "metadata": {
            "order_id": str(request.order_id),
            "payout_id": str(request.payout_id),
            "seller_id": str(request.seller_id),
        },
        "reversed": False,
        "source_transaction": request.source_charge,
        "transfer_group": f"order_{request.order_id}",
    }
    movement = provider.move("transfer", transfer["id"], currency=currency, amount=-amount, available_on=available_on)
    transfer["balance_transaction"] = movement["id"]
    provider.move_seller(request.destination, currency=currency, net=amount, available_on=available_on)
    if source is not None:
        source["transferred"] = source.get("transferred", 0) + amount
        provider.keep_charge(source)
    _keep(provider, transfer)
    provider.tell("transfer.created", transfer)
    return transfer


def _reverse(provider: Provider, transfer: Object, amount: int, recovery_id: RecoveryId) -> Object:
    currency = transfer["currency"]
    available_on = max(transfer["available_on"], provider.seconds)
    reversal: Object = {
        "id": provider.name("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": provider.seconds,
        "currency": currency,
        "metadata": {"recovery_id": str(recovery_id)},
        "transfer": transfer["id"],
    }
    movement = provider.move(
        "transfer_refund",
        reversal["id"],
        currency=currency,
        amount=amount,
        category="transfer_reversal",
        available_on=available_on,
    )
    reversal["balance_transaction"] = movement["id"]
    provider.move_seller(transfer["destination"], currency=currency, net=-amount, available_on=available_on)
    provider.state.put(reversal, kind="transfer_reversal", parent=transfer["id"], at=provider.now)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    _keep(provider, transfer)
    provider.tell("transfer.reversed", transfer)
    return reversal


def _keep(provider: Provider, transfer: Object) -> None:
    provider.state.put(transfer, kind="transfer", parent=transfer["metadata"]["order_id"], at=provider.now)
