"""Transfers to sellers, tied to the charge that the money came by, and reversals of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketplace.adapters.stripe_gateway.client import PAGE, Object, StripeApi, named, reading
from marketplace.adapters.stripe_gateway.currencies import from_stripe, to_stripe
from marketplace.adapters.stripe_gateway.errors import Subject
from marketplace.adapters.stripe_gateway.payments import transfer_group
from marketplace.adapters.stripe_gateway.shapes import moment, name_of, remembered
from marketplace.application.ports.payment_gateway import AlreadyInState, InvalidRequest, ProviderObjectUnknown
from marketplace.application.ports.transfers import ProviderReversal, ProviderTransfer, TransferRequest
from marketplace.domain.shared.ids import OrderId, PayoutId, RecoveryId
from marketplace.domain.shared.money import Money

if TYPE_CHECKING:
    from stripe.params import (
        TransferCreateParams,
        TransferListParams,
        TransferReversalCreateParams,
        TransferReversalListParams,
    )


class Transfers:
    _api: StripeApi

    def create_transfer(self, request: TransferRequest, *, key: str) -> ProviderTransfer:
        what = "pay a seller"
        params: TransferCreateParams = {
            "amount": to_stripe(request.amount),
            "currency": request.amount.currency.lower(),
            "destination": request.destination,
            "description": request.description,
            "transfer_group": transfer_group(request.order_id),
            "metadata": {
                "order_id": str(request.order_id),
                "payout_id": str(request.payout_id),
                "seller_id": str(request.seller_id),
            },
        }
        if request.source_charge is not None:
            params["source_transaction"] = request.source_charge
        try:
            made = self._api.send(
                what,
                lambda client, options: client.v1.transfers.create(params, options),
                key=key,
                subject=Subject.SELLER,
            )
        except ProviderObjectUnknown as error:
            # The charge: one that we have a name for and the provider has not is a fault of ours.
            raise InvalidRequest(str(error)) from error
        return _transfer_of(made, what)

    def get_transfer(self, transfer_id: str) -> ProviderTransfer:
        name, what = named(transfer_id), "read a transfer"
        return _transfer_of(self._api.read(what, lambda client: client.v1.transfers.retrieve(name)), what)

    def find_transfer(self, order_id: OrderId, payout_id: PayoutId) -> ProviderTransfer | None:
        what = "look for a transfer"
        for made in self._api.pages(what, lambda client, after: client.v1.transfers.list(_page(order_id, after))):
            if remembered(made, "payout_id", PayoutId) == payout_id:
                return _transfer_of(made, what)
        return None

    def reverse_transfer(
        self, transfer_id: str, *, amount: Money, recovery_id: RecoveryId, description: str, key: str
    ) -> ProviderReversal:
        name, what = named(transfer_id), "take money back from a seller"
        params: TransferReversalCreateParams = {
            "amount": to_stripe(amount),
            "description": description,
            "metadata": {"recovery_id": str(recovery_id)},
        }
        try:
            made = self._api.send(
                what,
                lambda client, options: client.v1.transfers.reversals.create(name, params, options),
                key=key,
                subject=Subject.SELLER,
            )
        except InvalidRequest as error:
            transfer = self.get_transfer(name)
            if transfer.currency != amount.currency or transfer.amount - transfer.amount_reversed >= amount.amount:
                raise
            raise AlreadyInState(str(error)) from error
        return _reversal_of(made, name, what)

    def find_reversal(self, transfer_id: str, recovery_id: RecoveryId) -> ProviderReversal | None:
        name, what = named(transfer_id), "look for a reversal"
        for made in self._api.pages(
            what, lambda client, after: client.v1.transfers.reversals.list(name, _reversals(after))
        ):
            if remembered(made, "recovery_id", RecoveryId) == recovery_id:
                return _reversal_of(made, name, what)
        return None


def _page(order_id: OrderId, after: str | None) -> TransferListParams:
    params: TransferListParams = {"transfer_group": transfer_group(order_id), "limit": PAGE}
    return params if after is None else {**params, "starting_after": after}


def _reversals(after: str | None) -> TransferReversalListParams:
    return {"limit": PAGE} if after is None else {"limit": PAGE, "starting_after": after}


def _transfer_of(transfer: Object, what: str) -> ProviderTransfer:
    with reading(what):
        currency = transfer["currency"]
        return ProviderTransfer(
            id=transfer["id"],
            amount=from_stripe(transfer["amount"], currency),
            amount_reversed=from_stripe(transfer["amount_reversed"], currency),
            currency=currency.upper(),
            destination=name_of(transfer["destination"]) or "",
            payout_id=remembered(transfer, "payout_id", PayoutId),
            balance_transaction_id=name_of(transfer.get("balance_transaction")),
            created_at=moment(transfer["created"]),
        )


def _reversal_of(reversal: Object, transfer_id: str, what: str) -> ProviderReversal:
    with reading(what):
        return ProviderReversal(
            id=reversal["id"],
            transfer_id=name_of(reversal.get("transfer")) or transfer_id,
            amount=from_stripe(reversal["amount"], reversal["currency"]),
            currency=reversal["currency"].upper(),
            recovery_id=remembered(reversal, "recovery_id", RecoveryId),
            balance_transaction_id=name_of(reversal.get("balance_transaction")),
        )
