"""What every payment gateway promises of transfers to sellers, and of taking them back. See ``provider_control``."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    InvalidRequest,
    KeyReused,
    ProviderObjectUnknown,
    WebhookSource,
)
from marketplace.application.ports.transfers import InsufficientBalance, SellerNotPayable
from marketplace.domain.shared.ids import OrderId, PayoutId, RecoveryId
from tests.contracts.provider_control import GatewayScenes


class TransferGatewayContract(GatewayScenes):
    def test_pays_a_seller_of_what_a_charge_brought_before_it_is_available(self, gateway, control, clock):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        made = self.transfer(gateway, account, charge)
        assert (made.amount, made.amount_reversed, made.currency, made.destination) == (4754, 0, "EUR", account)
        assert (made.payout_id, made.created_at) == (1, clock.now())
        assert gateway.get_transfer(made.id) == made
        (moved,) = gateway.balance_transactions(since=clock.now(), after=None, limit=10)[1:]
        assert (moved.id, moved.type, moved.source, moved.net) == (
            made.balance_transaction_id,
            "transfer",
            made.id,
            -4754,
        )
        assert (gateway.balance("EUR").available, gateway.balance("EUR").pending) == (0, 11905 - 4754)

    def test_pays_once_for_a_key_and_finds_what_it_paid(self, gateway, control):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        barrier, made = Barrier(4), []

        def run() -> None:
            barrier.wait()
            made.append(self.transfer(gateway, account, charge).id)

        threads = [Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 4
        assert len(set(made)) == 1
        assert self.balance(gateway) == 11905 - 4754
        found = gateway.find_transfer(OrderId(7), PayoutId(1))
        assert found is not None
        assert found.id == made[0]
        assert gateway.find_transfer(OrderId(7), PayoutId(2)) is None
        assert gateway.find_transfer(OrderId(8), PayoutId(1)) is None

    def test_the_same_key_for_another_transfer_is_refused(self, gateway, control):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        self.transfer(gateway, account, charge)
        with pytest.raises(KeyReused):
            self.transfer(gateway, account, charge, 4755)

    def test_never_transfers_more_of_a_charge_than_it_brought(self, gateway, control):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        first = self.transfer(gateway, account, charge, 12000, payout_id=1)
        with pytest.raises(InvalidRequest):
            self.transfer(gateway, account, charge, 113, payout_id=2)
        self.reverse(gateway, first.id, 12000)
        with pytest.raises(InvalidRequest):
            self.transfer(gateway, account, charge, 113, payout_id=2, attempt=2)
        self.transfer(gateway, account, charge, 112, payout_id=2, attempt=3)
        assert self.balance(gateway) == 11905 - 112

    @pytest.mark.parametrize(("amount", "currency"), [(0, "EUR"), (-1, "EUR"), (100, "USD")])
    def test_refuses_to_transfer_nothing_or_another_currency(self, gateway, control, amount, currency):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        with pytest.raises(InvalidRequest):
            self.transfer(gateway, account, charge, amount, currency=currency)

    def test_without_a_charge_transfers_what_is_available(self, gateway, control):
        account = self.seller(gateway, control)
        self.paid(gateway)
        with pytest.raises(InsufficientBalance):
            self.transfer(gateway, account, None)
        control.make_available()
        # The refusal stays with its key.
        with pytest.raises(InsufficientBalance):
            self.transfer(gateway, account, None)
        self.transfer(gateway, account, None, attempt=2)
        with pytest.raises(InsufficientBalance):
            self.transfer(gateway, account, None, 11905 - 4754 + 1, payout_id=2)
        self.transfer(gateway, account, None, 11905 - 4754, payout_id=2, attempt=2)
        assert gateway.balance("EUR").available == 0

    def test_a_card_can_bring_money_that_is_available_at_once(self, gateway, control):
        account = self.seller(gateway, control)
        self.paid(gateway, method="pm_card_bypassPending")
        assert gateway.balance("EUR").available == 11905
        self.transfer(gateway, account, None)

    def test_transfers_nothing_to_a_seller_who_cannot_be_paid(self, gateway, control):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        control.restrict(account)
        with pytest.raises(SellerNotPayable):
            self.transfer(gateway, account, charge)
        control.activate(account)
        self.transfer(gateway, account, charge, attempt=2)
        control.cut_off(account)
        with pytest.raises(SellerNotPayable):
            self.transfer(gateway, account, charge, payout_id=2)
        with pytest.raises(ProviderObjectUnknown):
            gateway.get_account(account)
        assert self.balance(gateway) == 11905 - 4754

    def test_takes_back_once_for_a_key_and_never_more_than_was_paid(self, gateway, control):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        transfer = self.transfer(gateway, account, charge)
        control.make_available()
        made = self.reverse(gateway, transfer.id, 2000)
        assert self.reverse(gateway, transfer.id, 2000) == made
        assert (made.transfer_id, made.amount, made.currency, made.recovery_id) == (transfer.id, 2000, "EUR", 1)
        assert gateway.get_transfer(transfer.id).amount_reversed == 2000
        assert gateway.find_reversal(transfer.id, RecoveryId(1)) == made
        assert gateway.find_reversal(transfer.id, RecoveryId(2)) is None
        with pytest.raises(AlreadyInState):
            self.reverse(gateway, transfer.id, 2755, recovery_id=2)
        self.reverse(gateway, transfer.id, 2754, recovery_id=3)
        with pytest.raises(AlreadyInState):
            self.reverse(gateway, transfer.id, 1, recovery_id=4)
        assert self.balance(gateway) == 11905

    def test_what_was_taken_back_is_a_movement_of_its_own(self, gateway, control, clock):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        transfer = self.transfer(gateway, account, charge)
        control.make_available()
        now = clock.now()
        made = self.reverse(gateway, transfer.id, 2000)
        (moved,) = gateway.balance_transactions(since=now, after=None, limit=10)
        assert (moved.id, moved.type, moved.net) == (made.balance_transaction_id, "transfer_refund", 2000)
        assert gateway.balance("EUR").available == 11905 - 2754

    def test_takes_nothing_back_from_a_seller_who_has_nothing_left(self, gateway, control):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        transfer = self.transfer(gateway, account, charge)
        control.make_available()
        control.empty(account)
        for _ in range(2):
            with pytest.raises(InsufficientBalance):
                self.reverse(gateway, transfer.id, 1)
        self.transfer(gateway, account, charge, 500, payout_id=2)
        self.reverse(gateway, transfer.id, 500, attempt=2)
        assert gateway.get_transfer(transfer.id).amount_reversed == 500

    def test_takes_nothing_back_from_a_seller_out_of_our_reach(self, gateway, control):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        transfer = self.transfer(gateway, account, charge)
        control.make_available()
        control.restrict(account)
        self.reverse(gateway, transfer.id, 1)
        control.cut_off(account)
        with pytest.raises(SellerNotPayable):
            self.reverse(gateway, transfer.id, 1, recovery_id=2)

    def test_does_not_know_a_transfer_that_it_never_had(self, gateway):
        for call in (
            lambda: gateway.get_transfer("tr_unknown"),
            lambda: self.reverse(gateway, "tr_unknown", 1),
            lambda: gateway.find_reversal("tr_unknown", RecoveryId(1)),
        ):
            with pytest.raises(ProviderObjectUnknown):
                call()

    def test_tells_of_transfers_to_us_and_of_accounts_where_they_are(self, gateway, control, clock):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        transfer = self.transfer(gateway, account, charge)
        self.reverse(gateway, transfer.id, 1)
        control.cut_off(account)
        told = self.types_told(gateway, control, clock)
        assert (WebhookSource.PLATFORM, "transfer.created") in told
        assert (WebhookSource.PLATFORM, "transfer.reversed") in told
        assert (WebhookSource.CONNECT, "account.application.deauthorized") in told
