"""What an entry of the audit trail keeps, and what it never shows."""

from decimal import Decimal

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.domain.audit import HIDDEN, MAX_TEXT, AuditEntry

AT = FixedClock().now()


def an_entry(**about) -> AuditEntry:
    values = {
        "actor_id": None,
        "roles": ("admin",),
        "action": "seller.approved",
        "subject_type": "seller",
        "subject_id": "1",
        "occurred_at": AT,
    }
    return AuditEntry.of(**{**values, **about})


def test_keeps_what_differs_only():
    entry = an_entry(
        before={"status": "pending", "rank": 1, "gone": 1}, after={"status": "approved", "rank": 1, "new": 2}
    )
    assert entry.before == {"status": "pending", "gone": 1}
    assert entry.after == {"status": "approved", "new": 2}


def test_makes_values_ready_for_json():
    entry = an_entry(after={"roles": frozenset({"seller", "buyer"}), "price": Decimal("1.50"), "at": AT, "ids": (2, 1)})
    assert entry.after == {"roles": ["buyer", "seller"], "price": "1.50", "at": str(AT), "ids": [2, 1]}


@pytest.mark.parametrize("name", ["password", "password_hash", "client_secret", "refresh_token", "otp", "private_key"])
def test_hides_secrets_but_tells_that_they_changed(name):
    entry = an_entry(before={name: "hunter2"}, after={name: "correct horse"})
    assert (entry.before, entry.after) == ({name: HIDDEN}, {name: HIDDEN})


@pytest.mark.parametrize("value", ["x" * 5_000, list(range(5_000))])
def test_cuts_what_is_long(value):
    shown = an_entry(after={"description": value}).after["description"]
    assert len(shown) == MAX_TEXT
    assert shown.endswith("…")


@pytest.mark.parametrize("action", ["", "approved", "Seller.approved", "seller.", "seller approved"])
def test_refuses_an_action_that_is_no_stable_code(action):
    with pytest.raises(ValueError, match=r"seller\.approved"):
        an_entry(action=action)
