"""Why a checkout is refused."""

from __future__ import annotations

from marketplace.domain.shared.errors import Conflict


class CheckoutConflict(Conflict):
    """``items``: each that cannot be ordered as it is: ``id``, ``listing``, ``reason``, and what explains it."""

    code = "checkout_conflict"


class TotalChanged(Conflict):
    """``buyer_total_price``: what the order would cost."""

    code = "total_changed"
