"""What a sale would cost its buyer and bring its seller."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.application.access import Actor, require_role
from marketplace.application.ports.catalogue import Ref
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.fees import FeeScheduleQueries, FeesInForce
from marketplace.domain.fees import FeeLine, FeeSchedule, Quote, quote
from marketplace.domain.fees.rules import ACCOUNT_TYPES
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import Forbidden, Invalid
from marketplace.domain.shared.ids import MAX_ID, AccountId, CategoryId
from marketplace.domain.shared.money import Money, step

MAX_PIECES = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class FeePreview:
    """An order of nothing but this sale, under ``schedule``."""

    schedule: FeeSchedule
    quote: Quote


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewFees:
    """Price a sale that nobody has made, by the fees in force. A seller asks for their own, an admin for anybody's."""

    fees: FeesInForce
    queries: FeeScheduleQueries
    clock: Clock

    def __call__(
        self,
        *,
        actor: Actor,
        price: str,
        quantity: int = 1,
        category: Ref | None = None,
        seller_id: AccountId | None = None,
        account_type: str | None = None,
    ) -> FeePreview:
        """``price`` is that of one piece, as decimal text. Without a seller an admin asks about an ordinary one.

        Raises Forbidden to whoever sells nothing, and to sellers who ask about others; Invalid; AmountOutOfBounds.
        """
        require_role(actor, Role.SELLER, Role.ADMIN)
        if not actor.is_admin:
            if account_type is not None or seller_id not in (None, actor.account_id):
                raise Forbidden("Sellers preview their own fees only; leave out seller and account_type.")
            seller_id = actor.account_id
        schedule = self.fees.schedule(self.clock.now())
        amount = _worth(price, quantity, schedule.currency)
        line = FeeLine(
            seller_id or AccountId(0),
            amount,
            self._account_type(account_type, seller_id),
            self._categories(category),
        )
        return FeePreview(schedule=schedule, quote=quote(schedule, [line]))

    def _account_type(self, account_type: str | None, seller_id: AccountId | None) -> str | None:
        if account_type is not None and seller_id is not None:
            raise _invalid("account_type", "A seller has one account type; leave one of the two out.")
        if account_type not in (None, *ACCOUNT_TYPES):
            raise _invalid("account_type", f"{account_type!r} is neither {' nor '.join(ACCOUNT_TYPES)}.")
        if seller_id is None:
            return account_type
        types = self.queries.facts(sellers=[seller_id], products=[]).account_types
        if seller_id not in types:
            raise _invalid("seller", f"There is no account {seller_id}.")
        return types[seller_id]

    def _categories(self, category: Ref | None) -> dict[CategoryId, int]:
        if category is None:
            return {}
        path = self.queries.category(category) if _may_exist(category) else []
        if not path:
            raise _invalid("category", f"There is no category {category!r}; GET /api/v1/categories/ shows the tree.")
        return {id: depth for depth, id in enumerate(path, start=1)}


def _may_exist(category: Ref) -> bool:
    """Whether a store can be asked for it."""
    return 1 <= category <= MAX_ID if isinstance(category, int) else category.isprintable()


def _worth(price: str, quantity: int, currency: str) -> int:
    if not 1 <= quantity <= MAX_PIECES:
        raise _invalid("quantity", f"{quantity} is no quantity from 1 to {MAX_PIECES}.")
    try:
        amount = Money.parse(price, currency).amount
    except Invalid as error:
        raise _invalid("price", str(error)) from error
    if amount < 0 or amount % step(currency):
        raise _invalid("price", f"{price} {currency} cannot be paid.")
    return amount * quantity


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", errors={field: [message]})
