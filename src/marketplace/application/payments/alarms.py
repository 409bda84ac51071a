"""What operators have to be told of at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from marketplace.domain.payments.chargebacks import ChargebackDecided, ChargebackOpened
from marketplace.domain.payments.payment import PaymentQuarantined, ProviderAlarm
from marketplace.domain.payments.refund import RefundFailed
from marketplace.domain.shared.money import Money

Alarm = PaymentQuarantined | ProviderAlarm | RefundFailed | ChargebackOpened | ChargebackDecided

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """Put an alarm where operators look: in the log, as an error."""

    def __call__(self, event: Alarm) -> None:
        """Raises nothing; told twice, it is logged twice."""
        match event:
            case PaymentQuarantined():
                _log.error("payment of order %s is in quarantine: %s", event.order_id, event.reason)
            case ProviderAlarm():
                _log.error("payment provider, %s: %s", event.subject, event.reason)
            case RefundFailed():
                refund, order = event.refund_id, event.order_id
                _log.error("refund %s of order %s failed (%s): retry it, or settle it", refund, order, event.reason)
            case ChargebackOpened():
                amount, what = Money(event.amount, event.currency), "inquiry" if event.is_inquiry else "chargeback"
                _log.error("%s %s of %s on order %s: answer it", what, event.chargeback_id, amount, event.order_id)
            case _:
                _log.error("chargeback %s on order %s is %s", event.chargeback_id, event.order_id, event.stage)
