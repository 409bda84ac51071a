"""E-mail addresses at the doors: well-formed and spelt one way. Nothing is looked up in the DNS."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from marketplace.domain.shared.errors import Invalid


def well_formed_email(text: str) -> str:
    """The address in its usual spelling. Raises Invalid, saying what is wrong with it."""
    try:
        return validate_email(text, check_deliverability=False, strict=True).normalized
    except EmailNotValidError as error:
        message = f"It is not an e-mail address: {error}"
        raise Invalid(message, errors={"email": [message]}) from None
