"""What owners change about their own account: its profile and its addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.application.access import Actor
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity.addresses import MAX_ADDRESSES, Address, TooManyAddresses
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AddressId


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateMe:
    """Change one's own names, telephone number, language and preferences."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, actor: Actor, changes: Mapping[str, Any]) -> None:
        """Raises Invalid, naming the field, on a bad value and on a field that is not the owner's to change."""
        with self.unit_of_work() as uow:
            account = uow.accounts.get_for_update(actor.account_id)
            account.change(changes)
            uow.accounts.save(account)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class AddAddress:
    """Keep another address."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence

    def __call__(self, *, actor: Actor, parts: Mapping[str, Any]) -> AddressId:
        """Raises Invalid, naming the field, and TooManyAddresses."""
        now = self.clock.now()
        address = Address.of(actor.account_id, id=AddressId(self.ids.next()), now=now, parts=parts)
        with self.unit_of_work() as uow:
            uow.accounts.get_for_update(actor.account_id)  # so that nobody adds another one between count and add
            if uow.addresses.count(actor.account_id) >= MAX_ADDRESSES:
                raise TooManyAddresses(f"There are {MAX_ADDRESSES} addresses, which is the most; delete one first.")
            uow.addresses.add(address)
            uow.commit()
        return address.id


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateAddress:
    """Change an address; orders that were placed with it keep their copy."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, actor: Actor, address_id: AddressId, parts: Mapping[str, Any]) -> None:
        """Raises NotFound, also when it is somebody else's, and Invalid."""
        with self.unit_of_work() as uow:
            address = _own_address(uow, actor, address_id)
            address.change(parts)
            uow.addresses.save(address)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveAddress:
    """Forget an address; orders that were placed with it keep their copy."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, actor: Actor, address_id: AddressId) -> None:
        """Raises NotFound, also when it is somebody else's."""
        with self.unit_of_work() as uow:
            _own_address(uow, actor, address_id)
            uow.addresses.remove(address_id)
            uow.commit()


def _own_address(uow: UnitOfWork, actor: Actor, address_id: AddressId) -> Address:
    address = uow.addresses.get(address_id)
    if address.account_id != actor.account_id:  # not even an admin edits what a member wrote about their home
        raise NotFound(f"There is no address {address_id}.")
    return address
