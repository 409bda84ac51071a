"""Accounts, their capabilities, one-time codes, sessions and addresses."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A capability of an account. Everyone is a buyer; the others are granted."""

    BUYER = "buyer"
    SELLER = "seller"
    VERIFIER = "verifier"
    ADMIN = "admin"
