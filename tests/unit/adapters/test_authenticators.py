"""Time-based one-time passwords, and what keeps their secrets."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from marketplace.adapters.authenticators import TotpAuthenticators
from marketplace.adapters.fernet_vault import FernetVault
from marketplace.application.ports.second_factors import SealBroken

# RFC 6238, appendix B: the secret and the last six digits of its SHA-1 rows.
SECRET = base64.b32encode(b"12345678901234567890").decode()
ROWS = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")]


def at(seconds):
    return datetime.fromtimestamp(seconds, tz=UTC)


@pytest.fixture
def authenticators():
    return TotpAuthenticators("cards.example.com")


class TestTotpAuthenticators:
    @pytest.mark.parametrize(("seconds", "code"), ROWS)
    def test_takes_the_codes_of_the_standard(self, authenticators, seconds, code):
        assert authenticators.step_of(SECRET, code, now=at(seconds)) == seconds // 30

    @pytest.mark.parametrize(("away", "is_right"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
    def test_clocks_may_differ_by_a_step(self, authenticators, away, is_right):
        now = at(1_800_000_000)
        code = pyotp.TOTP(SECRET).at(now + timedelta(seconds=away))
        step = authenticators.step_of(SECRET, code, now=now)
        assert step == (1_800_000_000 + away) // 30 if is_right else step is None

    @pytest.mark.parametrize("code", ["", "28708", "2870822", "28708\u0662", "\ud800", "abcdef"])
    def test_what_is_no_code_is_wrong(self, authenticators, code):
        assert authenticators.step_of(SECRET, code, now=at(59)) is None

    def test_secrets_are_long_and_differ(self, authenticators):
        secrets = {authenticators.new_secret() for _ in range(50)}
        assert len(secrets) == 50
        assert all(re.fullmatch(r"[A-Z2-7]{32}", secret) for secret in secrets)

    def test_the_address_tells_an_authenticator_all_that_it_needs(self, authenticators):
        uri = authenticators.uri(SECRET, name="ash ketchum")
        read = pyotp.parse_uri(uri)
        assert (read.secret, read.issuer, read.name) == (SECRET, "cards.example.com", "ash ketchum")
        assert (read.digits, read.interval) == (6, 30)


class TestFernetVault:
    OLD, NEW = b"o" * 32, b"n" * 32

    def test_opens_what_it_sealed_for_whom_it_sealed_it(self):
        vault = FernetVault([self.NEW])
        sealed = vault.seal("JBSWY3DP", label="mine")
        assert vault.open(sealed, label="mine") == "JBSWY3DP"
        assert "JBSWY3DP" not in sealed
        assert vault.seal("JBSWY3DP", label="mine") != sealed

    def test_opens_nothing_that_was_moved_to_somebody_else(self):
        vault = FernetVault([self.NEW])
        with pytest.raises(SealBroken):
            vault.open(vault.seal("JBSWY3DP", label="mine"), label="theirs")

    @pytest.mark.parametrize("broken", ["", "nonsense", "\u0662"])
    def test_refuses_what_it_did_not_seal(self, broken):
        vault = FernetVault([self.NEW])
        with pytest.raises(SealBroken):
            vault.open(broken, label="mine")
        with pytest.raises(SealBroken):
            vault.reseal(broken)

    def test_an_earlier_key_opens_until_all_is_sealed_anew(self):
        sealed = FernetVault([self.OLD]).seal("JBSWY3DP", label="mine")
        both, new = FernetVault([self.NEW, self.OLD]), FernetVault([self.NEW])
        assert both.open(sealed, label="mine") == "JBSWY3DP"
        with pytest.raises(SealBroken):
            new.open(sealed, label="mine")
        assert new.open(both.reseal(sealed), label="mine") == "JBSWY3DP"
