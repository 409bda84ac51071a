"""Who reacts to which event."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from marketplace.application.access import PROGRAM
from marketplace.application.identity.registration import IssueVerificationCode
from marketplace.application.notifications import MailSellerNews, MailVerificationCode
from marketplace.application.order_notifications import MailOrderNews
from marketplace.application.payments.alarms import RaiseAlarm
from marketplace.application.sellers import ConfirmSellerEmail, OpenSellerProfile, SuspendSeller
from marketplace.domain.identity.events import (
    AccountSuspended,
    EmailVerificationRequested,
    EmailVerified,
    VendorRegistered,
)
from marketplace.domain.orders.events import ItemsMissing, OrderEndedUnpaid, OrderPaid, SaleMade
from marketplace.domain.payments.payment import PaymentQuarantined, ProviderAlarm
from marketplace.domain.payments.refund import RefundDecided, RefundFailed
from marketplace.domain.sellers import SellerApproved, SellerRejected, SellerSuspended
from marketplace.domain.shared.errors import IllegalTransition, NotFound
from marketplace.domain.shared.events import Event
from marketplace.domain.shared.ids import AccountId


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscribers:
    """The handler that the relay calls. Every reaction may be repeated: an event can come more than once.

    When an event has several reactions and a later one fails, all of them are repeated.
    """

    issue_verification_code: IssueVerificationCode
    mail_verification_code: MailVerificationCode
    mail_seller_news: MailSellerNews
    open_seller_profile: OpenSellerProfile
    confirm_seller_email: ConfirmSellerEmail
    suspend_seller: SuspendSeller
    mail_order_news: MailOrderNews
    raise_alarm: RaiseAlarm

    def __call__(self, event: Event, delivery_id: int) -> None:
        match event:
            case EmailVerificationRequested(account_id=account_id, occurred_at=requested_at):
                issued = self.issue_verification_code(account_id=AccountId(account_id), requested_at=requested_at)
                if issued is not None:
                    self.mail_verification_code(
                        delivery_id=delivery_id,
                        email=issued.email,
                        username=issued.username,
                        language=issued.language,
                        code=issued.code,
                    )
            case VendorRegistered(account_id=account_id, shop_name=shop_name):
                self.open_seller_profile(account_id=AccountId(account_id), shop_name=shop_name)
            case EmailVerified(account_id=account_id):
                self.confirm_seller_email(account_id=AccountId(account_id))
            case AccountSuspended(account_id=account_id):
                with suppress(NotFound, IllegalTransition):  # no seller, or not one who may sell
                    self.suspend_seller(
                        actor=PROGRAM, account=AccountId(account_id), reason="The account is suspended."
                    )
            case SellerApproved() | SellerRejected() | SellerSuspended():
                self.mail_seller_news(event, delivery_id=delivery_id)
            case OrderPaid() | SaleMade() | OrderEndedUnpaid() | ItemsMissing() | RefundDecided() | RefundFailed():
                self.mail_order_news(event)
            case PaymentQuarantined() | ProviderAlarm():
                self.raise_alarm(event)
            case _:
                pass  # a fact that nobody reacts to yet
