"""What every password hasher promises."""


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
