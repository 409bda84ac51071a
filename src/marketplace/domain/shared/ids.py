"""Typed identities. Integers below 2^53, taken from ``IdSequence`` before the entity is made."""

from __future__ import annotations

from typing import NewType

AccountId = NewType("AccountId", int)
"""Also names the seller and the buyer that the account is: capabilities, not other things."""
SessionId = NewType("SessionId", int)
CodeId = NewType("CodeId", int)
AddressId = NewType("AddressId", int)
CategoryId = NewType("CategoryId", int)
CardSetId = NewType("CardSetId", int)
ProductId = NewType("ProductId", int)
LanguageId = NewType("LanguageId", int)
VersionId = NewType("VersionId", int)
ConditionId = NewType("ConditionId", int)
GradeId = NewType("GradeId", int)
VariantId = NewType("VariantId", int)
ListingId = NewType("ListingId", int)
ReservationId = NewType("ReservationId", int)
OrderId = NewType("OrderId", int)
SaleId = NewType("SaleId", int)
SaleLineId = NewType("SaleLineId", int)
PaymentId = NewType("PaymentId", int)
RefundId = NewType("RefundId", int)
PayoutId = NewType("PayoutId", int)
RecoveryId = NewType("RecoveryId", int)
DisputeId = NewType("DisputeId", int)
ChargebackId = NewType("ChargebackId", int)
DocumentId = NewType("DocumentId", int)
FeeScheduleId = NewType("FeeScheduleId", int)
JournalId = NewType("JournalId", int)
NotificationId = NewType("NotificationId", int)

MAX_ID = 2**53 - 1
"""Largest integer that every JSON client reads exactly."""
