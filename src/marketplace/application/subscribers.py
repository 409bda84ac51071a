"""Who reacts to which event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from marketplace.application.cards.customers import ForgetCustomer
from marketplace.application.documents.issuing import IssueDocuments
from marketplace.application.identity.attempts import NoteLock
from marketplace.application.identity.email_change import IssueEmailChangeCode
from marketplace.application.identity.erasure import FinishErasure
from marketplace.application.identity.passwords import IssueResetCode
from marketplace.application.identity.registration import IssueVerificationCode
from marketplace.application.notifications.disputes import TellDisputeNews
from marketplace.application.notifications.fulfilment import TellFulfilmentNews
from marketplace.application.notifications.notify import Notify
from marketplace.application.notifications.orders import TellOrderNews
from marketplace.application.notifications.payouts import TellPayoutNews
from marketplace.application.payments.alarms import RaiseAlarm
from marketplace.application.payouts.keeping import TryBlockedPayouts
from marketplace.application.sellers.applying import FollowSellerEmail, OpenSellerProfile
from marketplace.domain.disputes import DisputeOpened, DisputeResolved
from marketplace.domain.identity.attempts import AttemptPurpose, AttemptsLocked
from marketplace.domain.identity.codes import LIFETIME
from marketplace.domain.identity.events import (
    AccountErased,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
    PasswordChanged,
    PasswordResetRequested,
    VendorRegistered,
)
from marketplace.domain.identity.second_factors import FactorChange, SecondFactorChanged
from marketplace.domain.notifications import Kind
from marketplace.domain.orders.events import (
    CancellationRequested,
    ItemsMissing,
    OrderEndedUnpaid,
    OrderPaid,
    SaleCancelled,
    SaleCompleted,
    SaleDelivered,
    SaleMade,
    SaleShipped,
    TrackingCorrected,
)
from marketplace.domain.payments.chargebacks import ChargebackDecided, ChargebackOpened
from marketplace.domain.payments.payment import PaymentQuarantined, ProviderAlarm
from marketplace.domain.payments.refund import RefundDecided, RefundFailed
from marketplace.domain.payout_accounts import SellerBankFailed
from marketplace.domain.payout_states import PayoutFailed, PayoutHeld, PayoutSent
from marketplace.domain.recoveries import RecoveryRefused, RecoveryReversed
from marketplace.domain.sellers import (
    SellerApproved,
    SellerIdentityChecked,
    SellerOnboarded,
    SellerReinstated,
    SellerRejected,
    SellerRestricted,
    SellerSuspended,
)
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import AccountId, CodeId

_SELLER_NEWS: Mapping[type[Event], Kind] = {
    SellerApproved: Kind.SELLER_APPROVED,
    SellerReinstated: Kind.SELLER_REINSTATED,
    SellerOnboarded: Kind.SELLER_ONBOARDED,
    SellerRestricted: Kind.SELLER_RESTRICTED,
    SellerBankFailed: Kind.SELLER_BANK_FAILED,
}
_SECOND_FACTOR_NEWS: Mapping[FactorChange, Kind] = {
    FactorChange.ENABLED: Kind.SECOND_FACTOR_ENABLED,
    FactorChange.RECOVERY_CODES_RENEWED: Kind.RECOVERY_CODES_RENEWED,
    FactorChange.DISABLED: Kind.SECOND_FACTOR_REMOVED,
    FactorChange.RESET: Kind.SECOND_FACTOR_REMOVED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscribers:
    """The handler that the relay calls. Every reaction may be repeated: an event can come more than once.

    When an event has several reactions and a later one fails, all of them are repeated.
    """

    issue_verification_code: IssueVerificationCode
    issue_reset_code: IssueResetCode
    issue_email_change_code: IssueEmailChangeCode
    finish_erasure: FinishErasure
    forget_customer: ForgetCustomer
    note_lock: NoteLock
    notify: Notify
    open_seller_profile: OpenSellerProfile
    follow_seller_email: FollowSellerEmail
    issue_documents: IssueDocuments
    tell_order_news: TellOrderNews
    tell_fulfilment_news: TellFulfilmentNews
    tell_payout_news: TellPayoutNews
    tell_dispute_news: TellDisputeNews
    try_blocked_payouts: TryBlockedPayouts
    raise_alarm: RaiseAlarm

    def __call__(self, event: Event, delivery_id: int) -> None:
        match event:
            case EmailVerificationRequested(account_id=account_id, occurred_at=requested_at):
                issued = self.issue_verification_code(account_id=AccountId(account_id), requested_at=requested_at)
                if issued is not None:
                    self.notify(
                        Kind.EMAIL_VERIFICATION,
                        account=AccountId(account_id),
                        occasion=f"verify-email-{delivery_id}",
                        to=issued.email,
                        digits=issued.code,
                        minutes=LIFETIME // timedelta(minutes=1),
                    )
            case EmailChangeRequested(account_id=account_id, occurred_at=requested_at):
                self._tell_of_email_change(AccountId(account_id), requested_at, delivery_id)
            case PasswordResetRequested(reset_id=reset_id, occurred_at=requested_at):
                reset = self.issue_reset_code(reset_id=CodeId(reset_id), requested_at=requested_at)
                if reset is not None:
                    self.notify(
                        Kind.PASSWORD_RESET,
                        account=reset.account_id,
                        occasion=f"password-reset-{delivery_id}",
                        to=reset.issued.email,
                        digits=reset.issued.code,
                        minutes=LIFETIME // timedelta(minutes=1),
                    )
            case PasswordChanged(account_id=account_id, by_reset=by_reset, occurred_at=changed_at):
                self.notify(
                    Kind.PASSWORD_CHANGED,
                    account=AccountId(account_id),
                    occasion=f"password-changed-{delivery_id}",
                    by_reset=by_reset,
                    changed_at=changed_at,
                )
            case AttemptsLocked(account_id=0):
                pass  # of a name that nobody has
            case AttemptsLocked():
                self._tell_of_lock(event)
            case SecondFactorChanged():
                self._tell_of_second_factor(event, delivery_id)
            case VendorRegistered(account_id=account_id, shop_name=shop_name):
                self.open_seller_profile(account_id=AccountId(account_id), shop_name=shop_name)
            case EmailVerified(account_id=account_id) | EmailChanged(account_id=account_id):
                self.follow_seller_email(account_id=AccountId(account_id))
            case AccountErased(account_id=account_id):
                self.finish_erasure(account_id=AccountId(account_id))
                self.forget_customer(account_id=AccountId(account_id))
            case SellerApproved() | SellerReinstated() | SellerOnboarded() | SellerRestricted() | SellerBankFailed():
                self._tell_seller(_SELLER_NEWS[type(event)], event.account_id, delivery_id)
                if isinstance(event, SellerOnboarded):
                    self.try_blocked_payouts(seller_id=AccountId(event.account_id))
            case SellerIdentityChecked(account_id=account_id, verified=True):
                self._tell_seller(Kind.SELLER_IDENTITY_VERIFIED, account_id, delivery_id)
            case SellerIdentityChecked(account_id=account_id, reason=reason):
                self._tell_seller(Kind.SELLER_IDENTITY_WITHDRAWN, account_id, delivery_id, reason=reason)
            case SellerRejected(account_id=account_id, reason=reason):
                self._tell_seller(Kind.SELLER_REJECTED, account_id, delivery_id, reason=reason)
            case SellerSuspended(account_id=account_id, reason=reason):
                self._tell_seller(Kind.SELLER_SUSPENDED, account_id, delivery_id, reason=reason)
            case RefundFailed():
                self.tell_order_news(event)
                self.raise_alarm(event)
            case OrderPaid() | SaleMade() | OrderEndedUnpaid() | ItemsMissing() | RefundDecided():
                self.tell_order_news(event)
                self._document(event)
            case (
                SaleShipped()
                | TrackingCorrected()
                | SaleDelivered()
                | SaleCompleted()
                | SaleCancelled()
                | CancellationRequested()
            ):
                self.tell_fulfilment_news(event)
                self._document(event)
            case PayoutSent() | PayoutHeld() | PayoutFailed() | RecoveryReversed() | RecoveryRefused():
                self.tell_payout_news(event)
            case DisputeOpened() | DisputeResolved():
                self.tell_dispute_news(event)
            case PaymentQuarantined() | ProviderAlarm() | ChargebackOpened() | ChargebackDecided():
                self.raise_alarm(event)
            case _:
                pass  # a fact that nobody reacts to yet

    def _document(self, event: Event) -> None:
        """After the letters, so that a storage that is silent keeps nobody waiting for theirs."""
        if isinstance(event, OrderPaid | SaleCompleted | RefundDecided):
            self.issue_documents(event)

    def _tell_seller(self, kind: Kind, account_id: int, delivery_id: int, **values: Any) -> None:
        self.notify(kind, account=AccountId(account_id), occasion=f"seller-news-{delivery_id}", **values)

    def _tell_of_lock(self, event: AttemptsLocked) -> None:
        self.notify(
            Kind.ATTEMPTS_LOCKED,
            account=AccountId(event.account_id),
            # Whoever keeps guessing locks a name again and again: once a day its owner is told.
            occasion=f"attempts-locked-{event.occurred_at:%Y-%m-%d}",
            happened_at=event.occurred_at,
            locked_at=event.occurred_at,
            of_password=event.purpose in (AttemptPurpose.LOG_IN, AttemptPurpose.CONFIRM_PASSWORD),
        )
        self.note_lock(event)

    def _tell_of_second_factor(self, event: SecondFactorChanged, delivery_id: int) -> None:
        change = FactorChange(event.change)
        self.notify(
            _SECOND_FACTOR_NEWS[change],
            account=AccountId(event.account_id),
            occasion=f"second-factor-{delivery_id}",
            changed_at=event.occurred_at,
            by_us=change is FactorChange.RESET,
        )

    def _tell_of_email_change(self, account_id: AccountId, requested_at: datetime, delivery_id: int) -> None:
        news = self.issue_email_change_code(account_id=account_id, requested_at=requested_at)
        if news is None:
            return
        if news.taken_by is not None:
            self.notify(Kind.EMAIL_ALREADY_USED, account=news.taken_by, occasion=f"email-already-used-{delivery_id}")
        else:
            self.notify(
                Kind.EMAIL_CHANGE_CODE,
                account=account_id,
                occasion=f"email-change-code-{delivery_id}",
                to=news.new_email,
                digits=news.code,
                minutes=LIFETIME // timedelta(minutes=1),
            )
        if news.told_email:
            self.notify(
                Kind.EMAIL_CHANGE_REQUESTED,
                account=account_id,
                occasion=f"email-change-requested-{delivery_id}",
                to=news.told_email,
            )
