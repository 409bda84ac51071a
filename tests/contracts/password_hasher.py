"""What every password hasher promises."""

import pytest

# Made by Django 5.2: make_password("a good long one", salt="seasalt", hasher="pbkdf2_sha256"), of few iterations.
OF_DJANGO = "pbkdf2_sha256$1000$seasalt$UtozKumtz5RsLCCiizMvF1/UZUb80ES52rIc9JQwO6g="


class PasswordHasherContract:
    """Subclasses provide the fixtures ``hasher`` and ``stronger``, one with other parameters."""

    def test_knows_the_password_again_and_no_other(self, hasher):
        kept = hasher.hash("a good long one")
        assert hasher.verify(kept, "a good long one") is True
        assert hasher.verify(kept, "a good long one ") is False
        assert hasher.verify(kept, "") is False

    def test_keeps_no_password_and_salts(self, hasher):
        first, second = hasher.hash("a good long one"), hasher.hash("a good long one")
        assert first != second
        assert "good" not in first

    def test_nobodys_password_is_never_right(self, hasher):
        for password in ("", "nobody's password", "a good long one"):
            assert hasher.verify(None, password) is False

    def test_takes_any_text(self, hasher):
        for password in ("päßwörter ✓", "\ud800 broken", "x" * 10_000):
            assert hasher.verify(hasher.hash(password), password) is True

    def test_tells_a_hash_of_other_parameters_and_still_knows_it(self, hasher, stronger):
        kept = hasher.hash("a good long one")
        assert hasher.is_outdated(kept) is False
        assert stronger.is_outdated(kept) is True
        assert stronger.verify(kept, "a good long one") is True

    def test_knows_the_passwords_of_a_django_shop_and_wants_them_hashed_anew(self, hasher):
        assert hasher.verify(OF_DJANGO, "a good long one") is True
        assert hasher.verify(OF_DJANGO, "a good long one ") is False
        assert hasher.is_outdated(OF_DJANGO) is True

    @pytest.mark.parametrize("kept", ["!", "!2f8a", "", "md5$salt$hash", "bcrypt$x"])
    def test_no_password_fits_what_is_no_hash(self, hasher, kept):
        for password in ("", "!", kept, "a good long one"):
            assert hasher.verify(kept, password) is False
