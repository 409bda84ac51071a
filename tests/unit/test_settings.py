"""The configuration."""

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from marketplace.domain.shared.money import Money
from marketplace.entrypoints.settings import (
    DEFAULT_SECRET_KEY,
    BadConfiguration,
    Settings,
    key_id,
    read_environment,
)

SECRET = "a-secret-of-thirty-two-characters-or-more"
STAGING = {"MARKETPLACE_ENV": "staging", "SECRET_KEY": SECRET, "EMAIL_HOST": "mail.example"}


def faults(**environ):
    with pytest.raises(BadConfiguration) as error:
        Settings.from_env(environ)
    return error.value.faults


def test_an_empty_environment_is_a_development_set_up():
    settings = Settings.from_env({})
    assert settings.is_development
    assert settings.port == 8000
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.home == Path("var").absolute()
    assert settings.database_url == ""
    assert settings.currency == "EUR"
    assert settings.platform_commission_percent == Decimal("0.05")
    assert settings.buyer_processing_percent == Decimal("0.06")
    assert settings.buyer_processing_min == Money(500, "EUR")
    assert settings.buyer_shipping_fee == Money(1000, "EUR")
    assert settings.cart_reservation == timedelta(minutes=30)
    assert settings.cart_max_hold == timedelta(minutes=120)
    assert settings.payment_window == timedelta(minutes=30)
    assert settings.jwt_access_token_lifetime == timedelta(minutes=60)
    assert settings.jwt_refresh_token_lifetime == timedelta(days=1)
    assert (settings.argon2_memory_kib, settings.argon2_time_cost, settings.argon2_parallelism) == (19456, 2, 1)


def test_an_empty_variable_takes_its_default():
    assert Settings.from_env({"PORT": "", "CURRENCY": "  "}) == Settings.from_env({})


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_database_address_always_names_its_driver(scheme):
    settings = Settings.from_env({"DATABASE_URL": f"{scheme}://me:pw@db:5432/cards?sslmode=require"})
    assert settings.database_url == "postgresql+psycopg2://me:pw@db:5432/cards?sslmode=require"


def test_a_database_may_be_named_in_parts():
    settings = Settings.from_env(
        {"DATABASE_NAME": "cards", "DATABASE_USER": "me", "DATABASE_PASSWORD": "p@ss/word", "DATABASE_HOST": "db"}
    )
    assert settings.database_url == "postgresql+psycopg2://me:p%40ss%2Fword@db:5432/cards"


def test_the_whole_address_wins_over_its_parts():
    settings = Settings.from_env({"DATABASE_URL": "postgresql://db/a", "DATABASE_NAME": "b"})
    assert settings.database_url.endswith("/a")


def test_a_bad_database_address_is_not_repeated():
    (fault,) = faults(DATABASE_URL="mysql://me:hunter2@db/cards")
    assert fault.startswith("DATABASE_URL: ")
    assert "hunter2" not in fault


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MARKETPLACE_ENV", "prod"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("PORT", "٨٠٠٠"),
        ("PORT", "9" * 400),
        ("DEBUG", "perhaps"),
        ("SECRET_KEY", "short"),
        ("PUBLIC_URL", "cards.example.com"),
        ("PUBLIC_URL", "ftp://cards.example.com"),
        ("PUBLIC_URL", "http://[::1"),
        ("JWT_SIGNING_KEYS", "short"),
        ("JWT_SIGNING_KEYS", f"{SECRET},{SECRET}"),
        ("JWT_SIGNING_KEYS", ",".join(f"{number}-{SECRET}" for number in range(11))),
        ("CURRENCY", "XXX"),
        ("PLATFORM_COMMISSION_PERCENT", "5"),
        ("PLATFORM_COMMISSION_PERCENT", "-0.01"),
        ("BUYER_PROCESSING_PERCENT", "NaN"),
        ("BUYER_PROCESSING_PERCENT", "five"),
        ("BUYER_PROCESSING_MIN", "-1"),
        ("BUYER_PROCESSING_MIN", "1.234"),
        ("BUYER_SHIPPING_FEE", "free"),
        ("CART_MAX_HOLD_MINUTES", "29"),
        ("TRUSTED_PROXIES", "1"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://localhost"),
        ("RATE_LIMIT_ENABLED", "perhaps"),
        ("RATE_LIMIT_ANONYMOUS", "100"),
        ("RATE_LIMIT_ANONYMOUS", "0/hour"),
        ("RATE_LIMIT_AUTHENTICATED", "1000/fortnight"),
        ("RATE_LIMIT_LOGIN", "-5/minute"),
        ("EMAIL_USE_TLS", "2"),
        ("LOG_FORMAT", "xml"),
        ("METRICS_TOKEN", "short"),
        ("DATABASE_URL", "nonsense"),
    ],
)
def test_a_bad_value_is_refused_by_name(name, value):
    (fault,) = faults(**{name: value})
    assert fault.startswith(f"{name}: ")


def test_all_faults_are_reported_at_once():
    assert [fault.partition(":")[0] for fault in faults(PORT="x", CURRENCY="XXX", DEBUG="y")] == [
        "DEBUG",
        "PORT",
        "CURRENCY",
    ]


@pytest.mark.parametrize("rate", ["0", "1", "0.05", "1e-2"])
def test_a_rate_is_a_fraction(rate):
    assert Settings.from_env({"PLATFORM_COMMISSION_PERCENT": rate}).platform_commission_percent == Decimal(rate)


def test_amounts_are_in_the_currency():
    settings = Settings.from_env({"CURRENCY": "JPY", "BUYER_SHIPPING_FEE": "800"})
    assert settings.buyer_shipping_fee == Money(800, "JPY")


def test_staging_may_run_the_simulated_provider():
    assert Settings.from_env(STAGING).env == "staging"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": DEFAULT_SECRET_KEY}, "SECRET_KEY"),
        ({"EMAIL_HOST": ""}, "EMAIL_HOST"),
    ],
)
def test_staging_refuses_what_only_development_may_leave_out(change, name):
    (fault,) = faults(**{**STAGING, **change})
    assert fault.startswith(f"{name}: ")


def test_production_refuses_a_secret_that_nobody_drew():
    regular = {**STAGING, "MARKETPLACE_ENV": "production", "SECRET_KEY": "abcd" * 10}
    assert any(fault.startswith("SECRET_KEY: ") for fault in faults(**regular))
    assert not any("abcd" in fault for fault in faults(**regular))
    assert Settings.from_env({**STAGING, "SECRET_KEY": "abcd" * 10}).secret_key == "abcd" * 10


def test_the_secret_is_no_signing_key():
    (fault,) = faults(SECRET_KEY=SECRET, JWT_SIGNING_KEYS=f"{SECRET[::-1]},{SECRET}")
    assert fault.startswith("JWT_SIGNING_KEYS: SECRET_KEY is no signing key")
    assert SECRET not in fault


def test_production_refuses_debug():
    assert any(f.startswith("DEBUG: ") for f in faults(**{**STAGING, "MARKETPLACE_ENV": "production", "DEBUG": "1"}))


@pytest.mark.parametrize(
    ("environ", "level"),
    [({}, "info"), ({"DEBUG": "1"}, "debug"), ({"DEBUG": "1", "LOG_LEVEL": "warning"}, "warning")],
)
def test_debug_logs_more_unless_a_level_is_set(environ, level):
    assert Settings.from_env(environ).log_level == level


def test_signing_keys_have_ids_and_keep_their_order():
    first, second = "first" * 10, "second" * 10
    settings = Settings.from_env({"JWT_SIGNING_KEYS": f"{first}, {second}"})
    assert list(settings.jwt_keys.items()) == [(key_id(first), first), (key_id(second), second)]
    assert len(key_id(first)) == 16


def test_the_default_signing_key_comes_from_the_secret_and_is_not_it():
    one, other = (Settings.from_env({"SECRET_KEY": secret}) for secret in (SECRET, SECRET[::-1]))
    assert one.jwt_signing_keys != other.jwt_signing_keys
    assert SECRET not in one.jwt_signing_keys


def test_secrets_do_not_show():
    settings = Settings.from_env(
        {"SECRET_KEY": SECRET, "EMAIL_HOST_PASSWORD": "hunter2", "DATABASE_URL": "postgresql://me:hunter3@db/x"}
    )
    assert not any(secret in repr(settings) for secret in (SECRET, "hunter2", "hunter3"))


class TestDotenv:
    @pytest.fixture
    def dotenv(self, tmp_path, monkeypatch):
        monkeypatch.delenv("MARKETPLACE_ENV", raising=False)
        monkeypatch.delenv("PORT", raising=False)
        file = tmp_path / ".env"
        file.write_text("PORT=8001\nCURRENCY=USD\nEMPTY\n", "utf-8")
        return file

    def test_development_reads_the_file(self, dotenv):
        assert read_environment(dotenv)["PORT"] == "8001"

    def test_the_process_environment_wins(self, dotenv, monkeypatch):
        monkeypatch.setenv("PORT", "8002")
        assert read_environment(dotenv)["PORT"] == "8002"

    @pytest.mark.parametrize("env", ["staging", "production"])
    def test_elsewhere_the_file_is_not_read(self, dotenv, monkeypatch, env):
        monkeypatch.setenv("MARKETPLACE_ENV", env)
        assert "CURRENCY" not in read_environment(dotenv)

    def test_no_file_is_fine(self, tmp_path):
        assert read_environment(tmp_path / ".env") == dict(os.environ)
