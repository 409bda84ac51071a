"""What disputes may become."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from marketplace.domain.disputes import (
    DISPUTE_MOVES,
    OPEN_STATUSES,
    DecidedByTheBank,
    Dispute,
    DisputeOutcome,
    DisputeReason,
    DisputeStatus,
)
from marketplace.domain.shared.errors import IllegalTransition, Invalid
from marketplace.domain.shared.ids import AccountId, DisputeId, OrderId, SaleId
from marketplace.domain.shared.money import Money

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def a_dispute(**changes) -> Dispute:
    said = {"reason": DisputeReason.DAMAGED, "description": "A corner is bent", **changes}
    return Dispute.open(
        id=DisputeId(7),
        order_id=OrderId(1),
        sale_id=SaleId(2),
        buyer_id=AccountId(3),
        seller_id=AccountId(4),
        currency="EUR",
        now=NOW,
        **said,
    )


@pytest.mark.parametrize("status", DisputeStatus)
def test_every_status_has_its_moves(status):
    dispute = a_dispute()
    dispute.status = status
    assert dispute.is_open == (status in OPEN_STATUSES)
    for end, act in (
        (DisputeStatus.WITHDRAWN, lambda: dispute.withdraw(now=NOW)),
        (
            DisputeStatus.RESOLVED,
            lambda: dispute.resolve(DisputeOutcome.DISMISSED, note="", now=NOW, by=None),
        ),
    ):
        dispute.status = status
        if end in DISPUTE_MOVES[status]:
            act()
            assert dispute.status is end
        else:
            with pytest.raises(IllegalTransition):
                act()


def test_is_over_when_it_was_decided():
    dispute = a_dispute()
    dispute.require_open()
    dispute.resolve(DisputeOutcome.PARTIAL_REFUND, note=" ok ", now=NOW, by=AccountId(9), amount=Money(5, "EUR"))
    assert (dispute.note, dispute.resolved_by, dispute.resolved_at) == ("ok", 9, NOW)
    with pytest.raises(IllegalTransition) as refused:
        dispute.require_open()
    assert refused.value.facts["current_status"] == "resolved"


def test_names_its_hold():
    assert a_dispute().hold_key == "dispute:7"


def test_of_a_chargeback_is_not_ours_to_decide():
    a_dispute().require_ours()
    with pytest.raises(DecidedByTheBank):
        a_dispute(reason=DisputeReason.CHARGEBACK).require_ours()


@pytest.mark.parametrize("note", ["x" * 2001, "a\x00b"])
def test_a_note_has_to_be_kept(note):
    with pytest.raises(Invalid):
        a_dispute().resolve(DisputeOutcome.DISMISSED, note=note, now=NOW, by=None)
