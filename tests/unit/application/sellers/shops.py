"""What is so of a seller, and what is done to their account elsewhere."""

from __future__ import annotations

from marketplace.domain.identity.accounts import AccountType
from tests.builders import NOW


def profile_of(unit_of_work, account_id):
    with unit_of_work() as uow:
        return uow.sellers.get(account_id)


def suspend_account(unit_of_work, account):
    with unit_of_work() as uow:
        owner = uow.accounts.get(account)
        owner.suspend(now=NOW)
        uow.accounts.save(owner)
        uow.commit()


def make_professional(unit_of_work, account):
    with unit_of_work() as uow:
        owner = uow.accounts.get(account)
        owner.account_type = AccountType.PROFESSIONAL
        uow.accounts.save(owner)
        uow.commit()


def roles_of(unit_of_work, account_id):
    with unit_of_work() as uow:
        return uow.accounts.get(account_id).roles
