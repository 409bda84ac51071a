"""Argon2id, and the quick one for tests."""

from threading import Event, Thread

import pytest

from marketplace.adapters.memory.password_hasher import FastPasswordHasher
from marketplace.adapters.password_hasher import Argon2PasswordHasher
from marketplace.domain.shared.errors import Unavailable
from tests.contracts.password_hasher import OF_DJANGO, PasswordHasherContract


class TestFastPasswordHasher(PasswordHasherContract):
    @pytest.fixture
    def hasher(self):
        return FastPasswordHasher()

    @pytest.fixture
    def stronger(self):
        return FastPasswordHasher(rounds=2)


class TestArgon2PasswordHasher(PasswordHasherContract):
    @pytest.fixture
    def hasher(self):
        return Argon2PasswordHasher(memory_kib=8, time_cost=1, parallelism=1)

    @pytest.fixture
    def stronger(self):
        return Argon2PasswordHasher(memory_kib=16, time_cost=2, parallelism=1)

    def test_uses_argon2id_with_the_parameters_given(self, stronger):
        assert stronger.hash("a good long one").startswith("$argon2id$v=19$m=16,t=2,p=1$")

    def test_a_hash_that_is_none_is_not_right(self, hasher):
        assert hasher.verify("", "a good long one") is False
        assert hasher.verify("$argon2id$broken", "a good long one") is False

    def test_a_name_without_an_account_costs_as_much_as_any(self, hasher, monkeypatch):
        checked = []
        argon2 = hasher._argon2

        class Counting:
            hash = staticmethod(argon2.hash)

            @staticmethod
            def verify(kept, password):
                checked.append(kept.rpartition("$")[0].rpartition("$")[0])
                return argon2.verify(kept, password)

        monkeypatch.setattr(hasher, "_argon2", Counting)
        hasher.verify(None, "a good long one")
        hasher.verify(hasher.hash("another"), "a good long one")
        assert checked[0] == checked[1] == "$argon2id$v=19$m=8,t=1,p=1"

    def test_every_name_costs_as_much_as_an_imported_one_when_it_is_told_how_much_that_is(self, monkeypatch):
        hasher = Argon2PasswordHasher(memory_kib=8, time_cost=1, parallelism=1, imported_iterations=1000)
        done = []
        for place in ("marketplace.adapters.password_hasher", "marketplace.domain.identity.django_hashes"):
            monkeypatch.setattr(f"{place}.stretched", lambda *parts: done.append(parts[2]) or b"")
        checked = []
        fits = hasher._fits
        monkeypatch.setattr(
            Argon2PasswordHasher, "_fits", lambda self, *parts: checked.append(parts[0][:9]) or fits(*parts)
        )
        for kept in (None, hasher.hash("another"), OF_DJANGO, "!"):
            assert hasher.verify(kept, "a good long one") is False
        assert done == [1000] * 4
        assert checked == ["$argon2id"] * 4

    def test_an_imported_hash_that_is_broken_is_nobodys(self, hasher):
        assert hasher.verify("pbkdf2_sha256$many$salt$hash", "a good long one") is False

    def test_refuses_when_too_many_are_at_it(self, monkeypatch):
        hasher = Argon2PasswordHasher(memory_kib=8, time_cost=1, parallelism=1, at_once=1, max_wait=0.01)
        busy, done = Event(), Event()

        class Slow:
            @staticmethod
            def hash(password):
                busy.set()
                done.wait(10)
                return "hash"

        monkeypatch.setattr(hasher, "_argon2", Slow)
        first = Thread(target=hasher.hash, args=("one",))
        first.start()
        try:
            assert busy.wait(10)
            with pytest.raises(Unavailable):
                hasher.hash("two")
        finally:
            done.set()
            first.join()
        assert hasher.hash("three") == "hash"
