"""Who may do what: every policy in one place, whichever door the command came through."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar

from marketplace.domain.audit import AuditEntry
from marketplace.domain.identity import Role
from marketplace.domain.sellers import SellerProfile, missing_steps
from marketplace.domain.shared.errors import Conflict, Forbidden, NotFound
from marketplace.domain.shared.ids import AccountId, DisputeId, ListingId, OrderId


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """The account behind a command, as the database knows it at this moment.

    ``origin`` is where the command came from, for the audit trail: a client's address, ``command line``, ``worker``.
    Whoever asks is the same from wherever they ask. ``has_accepted_terms``, of whatever version: only members who came
    from another shop have accepted none. ``withheld`` are roles of theirs that they cannot use now.
    """

    account_id: AccountId
    roles: frozenset[Role] = frozenset({Role.BUYER})
    is_email_verified: bool = False
    has_accepted_terms: bool = True
    has_second_factor: bool = False
    withheld: frozenset[Role] = frozenset()
    origin: str = field(default="", compare=False)

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    def did(
        self,
        action: str,
        subject_type: str,
        subject_id: int | str,
        *,
        now: datetime,
        reason: str = "",
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        """What to record of a privileged act: ``uow.audit.add(actor.did("seller.approved", "seller", 7, now=now))``.

        ``before`` and ``after`` are looks at the subject, of which only the difference is kept. Nothing personal
        belongs there: no name, no address, no e-mail address.
        """
        return AuditEntry.of(
            actor_id=None if self == OPERATOR else self.account_id,
            roles=tuple(sorted(self.roles)),
            origin=self.origin,
            action=action,
            subject_type=subject_type,
            subject_id=str(subject_id),
            occurred_at=now,
            reason=reason,
            before=before,
            after=after,
        )


STAFF = frozenset({Role.ADMIN, Role.VERIFIER})
"""The roles that act for the marketplace, and on what belongs to others."""

OPERATOR = Actor(account_id=AccountId(0), roles=frozenset({Role.ADMIN}), is_email_verified=True, origin="command line")
"""Whoever can run commands on the server: an administrator without an account."""

PROGRAM = replace(OPERATOR, origin="worker")
"""The program itself, where one fact makes it do another thing; equal to the operator, but for the audit trail."""


def with_second_factor_demanded(actor: Actor) -> Actor:
    """The actor where staff need a second factor: who has none is no admin or verifier until they have."""
    withheld = frozenset() if actor.has_second_factor else actor.roles & STAFF
    return replace(actor, roles=actor.roles - withheld, withheld=withheld) if withheld else actor


def require_role(actor: Actor, *roles: Role) -> None:
    """Let through whoever has one of ``roles``. Raises Forbidden, naming what is missing."""
    if not actor.roles.intersection(roles):
        if actor.withheld.intersection(roles):
            raise Forbidden(
                "This marketplace asks its staff for a second factor: set one up at POST /api/v1/auth/two-factor/.",
                missing=["second_factor"],
            )
        names = " or ".join(roles)
        raise Forbidden(f"This needs the role {names}.", missing=[str(role) for role in roles])


class OwnAccess(Conflict):
    code: ClassVar[str] = "own_access"


class LastAdmin(Conflict):
    code: ClassVar[str] = "last_admin"


def require_admin_stays(actor: Actor, account_id: AccountId, admins: Set[AccountId]) -> None:
    """Before an account stops being one of ``admins``, all who are let in as such.

    Nobody shuts themselves out, and the last admin stays. Raises OwnAccess and LastAdmin. The operator can always make
    another admin and so may take away any.
    """
    if actor.account_id == account_id:
        raise OwnAccess("Nobody takes their own access away; ask another admin to do it.")
    if actor != OPERATOR:
        require_another_admin(account_id, admins)


def require_another_admin(account_id: AccountId, admins: Set[AccountId]) -> None:
    """Let go whoever is not the only one of ``admins``, all who are let in as such. Raises LastAdmin."""
    if admins == {account_id}:
        raise LastAdmin(f"Account {account_id} is the last admin; make another one first.")


def require_verified_email(actor: Actor) -> None:
    """Raises Forbidden until the e-mail address has been verified."""
    if not actor.is_email_verified:
        raise Forbidden(
            "Verify your e-mail address first: POST /api/v1/auth/verify-email/ with the code that was mailed.",
            missing=["verified_email"],
        )


def require_accepted_terms(actor: Actor) -> None:
    """Let through who has ever accepted terms: without any there is no contract. Raises Forbidden."""
    if not actor.has_accepted_terms:
        raise Forbidden(
            'Accept the terms first: PATCH /api/v1/users/me/ {"accept_terms": true}.', missing=["accepted_terms"]
        )


def require_own(actor: Actor, owner_id: AccountId, what: str) -> None:
    """Let through the owner and admins; to anybody else the thing does not exist. Raises NotFound."""
    if actor.account_id != owner_id and not actor.is_admin:
        raise NotFound(f"There is no {what}.")


def require_self(actor: Actor, owner_id: AccountId, what: str) -> None:
    """Let through the owner alone, no admin: sessions and addresses. Raises NotFound to anybody else."""
    if actor.account_id != owner_id:
        raise NotFound(f"There is no {what}.")


def acts_on_anothers(actor: Actor, owner_id: AccountId) -> bool:
    """Whether it takes a privilege, for the audit trail: what people do to their own takes none."""
    return actor.account_id != owner_id


def may_write_off(actor: Actor) -> bool:
    """Whether an order may be ended whose money the provider has lost, or which nobody can tell: admins decide."""
    return actor.is_admin


def sees_archived_products(actor: Actor | None) -> bool:
    """What was taken out of the catalogue is there for admins only."""
    return actor is not None and actor.is_admin


def require_buyer(actor: Actor, buyer_id: AccountId, order_id: OrderId) -> None:
    """Let through the buyer alone: not even an admin pays in another's name. Raises NotFound to anybody else."""
    if actor.account_id != buyer_id:
        raise NotFound(f"There is no order {order_id}.")


def require_party(actor: Actor, owner_id: AccountId, what: str) -> None:
    """Let through whose it is, and the operator at the command line; no admin sends a parcel in another's name.

    Raises NotFound to anybody else.
    """
    if actor.account_id != owner_id and actor != OPERATOR:
        raise NotFound(f"There is no {what}.")


def named(actor: Actor) -> AccountId | None:
    """Who did it, for a history: None for the operator and the program itself."""
    return None if actor == OPERATOR else actor.account_id


def require_may_sell(actor: Actor, profile: SellerProfile | None) -> None:
    """Let through a seller who has all that selling needs. Raises Forbidden, naming the steps that are missing."""
    missing = (
        profile.missing
        if profile is not None
        else missing_steps(
            email_verified=actor.is_email_verified, approved=False, kyc_verified=False, payouts_ready=False
        )
    )
    if missing:
        raise Forbidden(
            f"You may not sell yet; missing: {', '.join(missing)}. GET /api/v1/sellers/me/ tells how to get each.",
            missing=[str(step) for step in missing],
        )


def sees_hidden_listings(actor: Actor | None, seller_id: AccountId | None) -> bool:
    """Whether the caller may see every listing of that seller: its owner and admins do."""
    return actor is not None and seller_id is not None and (actor.account_id == seller_id or actor.is_admin)


def require_listing_visible(
    actor: Actor | None, listing_id: ListingId, *, seller_id: AccountId, is_public: bool
) -> None:
    """Raises NotFound for a hidden listing of somebody else."""
    if not is_public and not sees_hidden_listings(actor, seller_id):
        raise NotFound(f"There is no listing {listing_id}.")


def require_listing_owner(actor: Actor, listing_id: ListingId, *, seller_id: AccountId, is_public: bool) -> None:
    """Let through the owner and admins. Raises NotFound for another's hidden listing, Forbidden for a public one."""
    require_listing_visible(actor, listing_id, seller_id=seller_id, is_public=is_public)
    if not sees_hidden_listings(actor, seller_id):
        raise Forbidden(f"Listing {listing_id} belongs to another seller.", missing=["ownership"])


def sees_every_dispute(actor: Actor) -> bool:
    """Verifiers and admins decide disputes, whoever's they are."""
    return bool(actor.roles & STAFF)


def require_dispute_visible(actor: Actor, dispute_id: DisputeId, *, buyer_id: AccountId, seller_id: AccountId) -> None:
    """Let through its two parties, verifiers and admins. Raises NotFound to anybody else."""
    if actor.account_id not in (buyer_id, seller_id) and not sees_every_dispute(actor):
        raise NotFound(f"There is no dispute {dispute_id}.")


def require_disinterested(actor: Actor, *parties: AccountId) -> None:
    """Nobody decides their own case. Raises Forbidden to a party of it."""
    if actor.account_id in parties:
        raise Forbidden("You are a party of this: somebody else has to decide it.", missing=["disinterest"])
