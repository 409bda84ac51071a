"""Codes, tokens and digests."""

import re

import pytest

from marketplace.adapters.keyed_secrets import KeyedSecrets


@pytest.fixture
def secrets():
    return KeyedSecrets(b"a key for tests")


class TestKeyedSecrets:
    def test_a_code_has_six_digits_and_differs_each_time(self, secrets):
        codes = [secrets.code() for _ in range(200)]
        assert all(re.fullmatch(r"[0-9]{6}", code) for code in codes)
        assert len(set(codes)) > 150

    def test_a_token_is_long_and_safe_in_urls(self, secrets):
        tokens = {secrets.token() for _ in range(100)}
        assert len(tokens) == 100
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)

    def test_a_recovery_code_is_long_enough_and_readable(self, secrets):
        codes = {secrets.recovery_code() for _ in range(100)}
        assert len(codes) == 100
        assert all(re.fullmatch(r"([0-9a-hjkmnp-tv-z]{4}-){2}[0-9a-hjkmnp-tv-z]{4}", code) for code in codes)

    def test_a_digest_is_the_same_for_the_same_parts_only(self, secrets):
        digest = secrets.digest("code", "1", "23")
        assert digest == secrets.digest("code", "1", "23")
        others = [("code", "12", "3"), ("code", "123"), ("code", "1", "2", "3"), ("token", "1", "23")]
        assert digest not in {secrets.digest(*parts) for parts in others}

    def test_a_digest_needs_the_key(self, secrets):
        assert secrets.digest("123456") != KeyedSecrets(b"another key").digest("123456")
