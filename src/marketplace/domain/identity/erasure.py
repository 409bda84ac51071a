"""Leaving for good: what an account is called afterwards, and what keeps its owner from leaving.

Books, orders and the audit trail stay and refer to the account by its id; nothing in them tells whose it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.ids import AccountId

ERASED = "(erased)"
"""Stands where a person's own words or whereabouts stood."""
_ERASED_DOMAIN = "erased.invalid"
"""No mail server has this name, and no door takes an address in it (RFC 2606, section 2)."""


def erased_username(account_id: AccountId) -> str:
    """No member can choose it, for its signs; so the former name is free again, and nothing leads back to it."""
    return f"(erased {account_id})"


def erased_email(account_id: AccountId) -> str:
    """An address that nobody has and nothing can be sent to."""
    return f"erased-{account_id}@{_ERASED_DOMAIN}"


def is_erased_email(email: str) -> bool:
    """Whether there is nobody left to write to."""
    return email.endswith(f"@{_ERASED_DOMAIN}")


class MatterKind(StrEnum):
    """Why somebody cannot leave yet."""

    ORDER_UNPAID = "order_unpaid"
    """An order of theirs waits for its payment; paying or cancelling it settles that."""
    ORDER_UNDERWAY = "order_underway"
    """An order of theirs is paid and not all of it has arrived."""
    PAYMENT_UNDERWAY = "payment_underway"
    """The payment provider has not said the last word on a payment of theirs, so money may still arrive."""
    SALE_UNPAID = "sale_unpaid"
    """A buyer may still pay for what they sold."""
    SALE_UNDERWAY = "sale_underway"
    """What they sold has to be sent, or to arrive."""
    REFUND_UNDERWAY = "refund_underway"
    """Money is on its way back to them, or for something that they sold."""
    REFUND_FAILED = "refund_failed"
    """Money is owed to them that the payment provider could not give back: it has to be paid in another way."""
    CHARGEBACK_UNDERWAY = "chargeback_underway"
    """Their bank, or that of somebody who bought from them, has not said the last word on a payment."""
    PAYOUT_OWED = "payout_owed"
    """The books do not balance to nothing between the marketplace and them as a seller."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenMatter:
    """``count`` of one kind; ``subjects`` are the references of the first of them, or what is owed."""

    kind: MatterKind
    count: int
    subjects: tuple[str, ...]


class ErasureRefused(Conflict):
    """``reasons``: each kind of what is open, how many, and which."""

    code: ClassVar[str] = "erasure_refused"

    @classmethod
    def of(cls, matters: Sequence[OpenMatter]) -> Self:
        named = "; ".join(f"{matter.kind} ({', '.join(matter.subjects)})" for matter in matters)
        return cls(
            f"The account cannot be erased while money or goods are under way: {named}.",
            reasons=[
                {"reason": matter.kind.value, "count": matter.count, "subjects": list(matter.subjects)}
                for matter in matters
            ],
        )
