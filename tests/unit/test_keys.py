"""The keys that are derived from SECRET_KEY."""

import ast
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from marketplace.entrypoints.keys import Purpose, derived

SECRET = "a-secret-of-thirty-two-characters-or-more"
SOURCE = Path(__file__).parents[2] / "src" / "marketplace"


@pytest.mark.parametrize("purpose", Purpose)
def test_keys_are_what_hkdf_derives(purpose):
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=b"marketplace.keys.1", info=purpose.encode())
    assert derived(SECRET, purpose) == hkdf.derive(SECRET.encode())


def test_no_two_purposes_and_no_two_secrets_share_a_key():
    keys = {derived(secret, purpose) for secret in (SECRET, SECRET[::-1]) for purpose in Purpose}
    assert len(keys) == 2 * len(Purpose)


def test_the_secret_itself_is_read_where_keys_are_derived_and_nowhere_else():
    readers = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr == "secret_key"
        # Those of others: of the payment provider, and of a bucket.
        and not ast.unparse(node.value).endswith(("stripe", "bucket"))
        and path.name != "stripe_settings.py"
    }
    assert readers == {"entrypoints/settings.py"}
