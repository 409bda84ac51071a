"""What each letter is rendered with in tests and previews: every kind has a sample, with all that it names."""

from datetime import UTC, datetime

from marketplace.domain.notifications import Kind
from marketplace.domain.shared.money import Money

_CHARIZARD = {
    "quantity": 1,
    "title": "Charizard",
    "kind": "English, Holo, Near mint",
    "amount": Money(149_995, "EUR"),
}
_PIKACHU = {
    "quantity": 3,
    "title": "Pikachu — Édition spéciale du vingtième anniversaire",
    "kind": "",
    "amount": Money(1_500, "EUR"),
}
_DAY = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
_PIECES = [_CHARIZARD, _PIKACHU]
_ORDER, _SALE = "MP-7K3F-9Q2X", "MP-7K3F-9Q2X-1"
_DELIVERY = ["Ada Lovelace", "12 Rue des Cartes", "69001 Lyon", "FR", "+33123456789"]

SAMPLES: dict[str, dict[str, object]] = {
    Kind.EMAIL_VERIFICATION: {"digits": "012345", "minutes": 10},
    Kind.PASSWORD_RESET: {"digits": "012345", "minutes": 10},
    Kind.PASSWORD_CHANGED: {"changed_at": datetime(2026, 8, 1, 9, 5, tzinfo=UTC), "by_reset": True},
    Kind.EMAIL_CHANGE_CODE: {"digits": "012345", "minutes": 10},
    Kind.EMAIL_CHANGE_REQUESTED: {},
    Kind.EMAIL_ALREADY_USED: {},
    Kind.ATTEMPTS_LOCKED: {"locked_at": datetime(2026, 8, 1, 9, 5, tzinfo=UTC), "of_password": True},
    Kind.SECOND_FACTOR_ENABLED: {"changed_at": datetime(2026, 8, 1, 9, 5, tzinfo=UTC)},
    Kind.SECOND_FACTOR_REMOVED: {"changed_at": datetime(2026, 8, 1, 9, 5, tzinfo=UTC), "by_us": True},
    Kind.RECOVERY_CODES_RENEWED: {"changed_at": datetime(2026, 8, 1, 9, 5, tzinfo=UTC)},
    Kind.SELLER_APPROVED: {},
    Kind.SELLER_REJECTED: {"reason": "The scan of your papers cannot be read."},
    Kind.SELLER_SUSPENDED: {"reason": "Three buyers received copies that are not genuine."},
    Kind.SELLER_REINSTATED: {},
    Kind.SELLER_IDENTITY_VERIFIED: {},
    Kind.SELLER_IDENTITY_WITHDRAWN: {"reason": "The papers that you sent are somebody else's."},
    Kind.SELLER_ONBOARDED: {},
    Kind.SELLER_RESTRICTED: {},
    Kind.SELLER_BANK_FAILED: {},
    Kind.ORDER_CONFIRMED: {
        "order": _ORDER,
        "ordered_at": datetime(2026, 8, 1, 9, 5, tzinfo=UTC),
        "sales": [
            {"shop": "Card Cave", "sale": _SALE, "pieces": _PIECES},
            {"shop": "Kaiba & Sons", "sale": "MP-7K3F-9Q2X-2", "pieces": [_PIKACHU]},
        ],
        "base": Money(152_995, "EUR"),
        "commission": Money(7_650, "EUR"),
        "processing": Money(9_180, "EUR"),
        "shipping": Money(1_000, "EUR"),
        "total": Money(170_825, "EUR"),
        "delivery": _DELIVERY,
    },
    Kind.ORDER_CANCELLED: {"order": _ORDER},
    Kind.ORDER_PAYMENT_FAILED: {"order": _ORDER},
    Kind.ORDER_EXPIRED: {"order": _ORDER},
    Kind.ORDER_ITEMS_MISSING: {"order": _ORDER, "pieces": _PIECES},
    Kind.REFUND_DECIDED: {
        "order": _ORDER,
        "amount": Money(5_256, "EUR"),
        "reason": "The seller could not find the card.",
    },
    Kind.REFUND_FAILED: {"order": _ORDER, "amount": Money(5_256, "EUR")},
    Kind.SALE_MADE: {"sale": _SALE, "pieces": _PIECES, "owed": Money(142_495, "EUR"), "delivery": _DELIVERY},
    Kind.SALE_ITEMS_MISSING: {"sale": _SALE, "pieces": [_CHARIZARD], "left": 3},
    Kind.ORDER_SHIPPED: {
        "order": _ORDER,
        "sale": _SALE,
        "shop": "Card Cave",
        "carrier": "Colissimo",
        "tracking_number": "6A 123 456",
        "tracking_url": "https://www.laposte.fr/outils/suivre-vos-envois?code=6A123456",
        "pieces": [_CHARIZARD],
        "completes_at": _DAY,
        "corrected": False,
    },
    Kind.ORDER_SALE_CANCELLED: {
        "order": _ORDER,
        "sale": _SALE,
        "shop": "Card Cave",
        "reason": "I cannot find the card any more",
        "pieces": [_CHARIZARD],
        "by_us": False,
    },
    Kind.SALE_CANCELLED: {"sale": _SALE, "reason": "The seller does not answer", "pieces": [_CHARIZARD]},
    Kind.SALE_CANCELLATION_REQUESTED: {"sale": _SALE, "reason": "Bought twice", "pieces": [_CHARIZARD]},
    Kind.SALE_DELIVERED: {"sale": _SALE, "completes_at": _DAY},
    Kind.SALE_COMPLETED: {"sale": _SALE, "owed": Money(9_504, "EUR")},
    Kind.DISPUTE_OPENED: {"order": _ORDER, "sale": _SALE, "respond_by": _DAY},
    Kind.DISPUTE_DECIDED: {
        "order": _ORDER,
        "sale": _SALE,
        "amount": Money(10_500, "EUR"),
        "note": "The photos show the bent corner.",
    },
    Kind.SALE_DISPUTED: {
        "sale": _SALE,
        "description": "A corner is bent, see the photos.",
        "respond_by": _DAY,
        "by_bank": False,
    },
    Kind.SALE_DISPUTE_ENDED: {
        "sale": _SALE,
        "amount": Money(10_500, "EUR"),
        "note": "The photos show the bent corner.",
        "withdrawn": False,
        "left": False,
    },
    Kind.PAYOUT_SENT: {"sale": _SALE, "amount": Money(9_504, "EUR")},
    Kind.PAYOUT_HELD: {"sale": _SALE, "claimed": True},
    Kind.PAYOUT_IMPOSSIBLE: {"sale": _SALE},
    Kind.PAYOUT_TAKEN_BACK: {"sale": _SALE, "amount": Money(9_504, "EUR"), "owed": True},
    Kind.SALE_REFUNDED: {"sale": _SALE, "pieces": [_CHARIZARD], "less": Money(4_754, "EUR"), "left": 2},
}

UNWRITTEN = {Kind.NEWSLETTER}
"""Kinds that are chosen here and written elsewhere: what a newsletter says is no template of ours."""
