"""What operators have to be told of at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from marketplace.domain.payments.payment import PaymentQuarantined, ProviderAlarm

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """Put an alarm where operators look: in the log, as an error."""

    def __call__(self, event: PaymentQuarantined | ProviderAlarm) -> None:
        """Raises nothing; told twice, it is logged twice."""
        if isinstance(event, PaymentQuarantined):
            _log.error("payment of order %s is in quarantine: %s", event.order_id, event.reason)
        else:
            _log.error("payment provider, %s: %s", event.subject, event.reason)
