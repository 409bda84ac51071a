"""The simulated payment provider's back office: what banks, sellers and time do at a real one, for development and
tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from marketplace.application.ports.chargebacks import ProviderChargeback
from marketplace.application.ports.payment_gateway import PlatformPayout, ProviderPayment
from marketplace.application.ports.provider_state import Funds
from marketplace.application.ports.saved_cards import SavedCard
from marketplace.domain.payout_accounts import AccountState
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.money import Money


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskPayment:
    """A payment with the chargebacks on it, the oldest first, and what was given back, in minor units."""

    payment: ProviderPayment
    description: str
    refunded: int
    chargebacks: Sequence[ProviderChargeback]


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskSeller:
    """A seller's account with what is on it, by currency, and its payouts to the seller's bank, the newest first."""

    account: str
    seller_id: AccountId
    state: AccountState
    is_cut_off: bool
    funds: Sequence[Funds]
    payouts: Sequence[PlatformPayout]


class SimulatedDesk(Protocol):
    """Every method that is given a name raises NotFound when nothing is called that, and Conflict when it makes no
    sense (any more)."""

    # --- buyers and their banks

    def desk_payments(self, *, limit: int) -> Sequence[DeskPayment]:
        """Those that were begun last."""
        ...

    def desk_payment(self, intent_id: str) -> DeskPayment: ...

    def open_chargeback(
        self, intent_id: str, *, is_inquiry: bool = False, amount: int | None = None, reason: str = "fraudulent"
    ) -> ProviderChargeback:
        """The buyer's bank takes back ``amount`` of a payment, or what is left of it; with ``is_inquiry`` it asks."""
        ...

    def escalate_chargeback(self, chargeback_id: str) -> ProviderChargeback:
        """An inquiry becomes a chargeback: the money is withdrawn."""
        ...

    def decide_chargeback(self, chargeback_id: str, *, is_won: bool, with_fee: bool = False) -> ProviderChargeback:
        """The bank decides; also an appeal. An inquiry that is won is closed, one that is lost becomes a chargeback.

        What is won comes back, ``with_fee`` the provider's fee too.
        """
        ...

    def reinstate_chargeback(self, chargeback_id: str, *, with_fee: bool = False) -> ProviderChargeback:
        """The money comes back although nothing is decided, or although it was decided otherwise."""
        ...

    def appeal_chargeback(self, chargeback_id: str) -> ProviderChargeback:
        """One that was lost is looked at again. No money moves."""
        ...

    def prevent_chargeback(self, chargeback_id: str) -> ProviderChargeback:
        """An inquiry is settled before it becomes one."""
        ...

    def finish_setup(self, setup_id: str, *, payment_method: str) -> SavedCard:
        """What the buyer's client does with the client secret: save the test card called ``payment_method``.

        Raises PaymentDeclined for one that is declined.
        """
        ...

    def setup_customer(self, setup_id: str) -> str | None:
        """Whose setup waits for a card; None when it is finished."""
        ...

    # --- sellers

    def desk_sellers(self, *, limit: int) -> Sequence[DeskSeller]:
        """Those whose accounts were opened last."""
        ...

    def desk_seller(self, account: str) -> DeskSeller: ...

    def pay_seller_out(self, account: str, *, with_pending: bool = False) -> Sequence[PlatformPayout]:
        """What is available goes to the seller's bank, a payout for each currency; ``with_pending`` all there is."""
        ...

    def fail_seller_payout(self, payout_id: str) -> PlatformPayout:
        """The seller's bank sends it back to their balance, and the account is paid out no more."""
        ...

    def cut_off(self, account: str) -> None:
        """The seller takes our access to their account away."""
        ...

    # --- our own money

    def pay_out(self, amount: Money) -> PlatformPayout:
        """Send it to our bank. Raises InsufficientBalance when that is not available."""
        ...

    def end_payout(self, payout_id: str, *, is_paid: bool) -> PlatformPayout:
        """It arrives, or comes back: also, some days later, one that had arrived."""
        ...

    def top_up(self, amount: Money) -> str:
        """We pay in; available at once. Gives the name of the movement on our balance."""
        ...

    def adjust(self, amount: Money) -> str:
        """The provider corrects our balance, for reasons of its own. Gives the name of the movement."""
        ...
