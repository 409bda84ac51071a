"""What operators have to look at reaches the log as an error."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from marketplace.application.payments.alarms import RaiseAlarm
from marketplace.domain.payments.payment import PaymentQuarantined, ProviderAlarm
from marketplace.domain.payments.refund import RefundFailed

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


class TestAlarms:
    def test_a_quarantine_names_the_order_and_the_reason(self, caplog):
        RaiseAlarm()(PaymentQuarantined(occurred_at=NOW, payment_id=1, order_id=7, reason="paid in USD"))
        assert caplog.record_tuples == [
            (
                "marketplace.application.payments.alarms",
                logging.ERROR,
                "payment of order 7 is in quarantine: paid in USD",
            )
        ]

    def test_a_refund_that_failed_says_what_can_be_done(self, caplog):
        RaiseAlarm()(RefundFailed(occurred_at=NOW, refund_id=3, order_id=7, reason="expired_or_canceled_card"))
        assert [record.getMessage() for record in caplog.records] == [
            "refund 3 of order 7 failed (expired_or_canceled_card): retry it, or settle it"
        ]

    def test_a_provider_s_oddity_names_its_subject(self, caplog):
        RaiseAlarm()(ProviderAlarm(occurred_at=NOW, subject="refund.failed evt_1", reason="we do not know re_1"))
        assert [record.getMessage() for record in caplog.records] == [
            "payment provider, refund.failed evt_1: we do not know re_1"
        ]
