"""Which payment provider is configured, and what is refused of it."""

import pytest

from marketplace.entrypoints.settings import BadConfiguration, Settings

SECRET = "a-secret-of-thirty-two-characters-or-more"
TEST = {
    "STRIPE_SECRET_KEY": "sk_test_51abc",
    "STRIPE_PUBLIC_KEY": "pk_test_51abc",
    "STRIPE_WEBHOOK_SECRET": "whsec_newest123, whsec_older456",
}
LIVE = {
    "MARKETPLACE_ENV": "production",
    "SECRET_KEY": SECRET,
    "EMAIL_HOST": "mail.example",
    "STRIPE_SECRET_KEY": "rk_live_51abc",
    "STRIPE_PUBLIC_KEY": "pk_live_51abc",
    "STRIPE_WEBHOOK_SECRET": "whsec_platform1",
    "STRIPE_CONNECT_WEBHOOK_SECRET": "whsec_connect12",
    "PLATFORM_LEGAL_NAME": "Card Market SAS",
    "PLATFORM_ADDRESS": "1 rue des Cartes, 75001 Paris",
    "PLATFORM_VAT_NUMBER": "FR40303265045",
}


def faults(environ):
    with pytest.raises(BadConfiguration) as error:
        Settings.from_env(environ)
    return error.value.faults


def test_without_a_key_the_provider_is_simulated():
    stripe = Settings.from_env({}).stripe
    assert (stripe.provider_name, stripe.is_used, stripe.accounts_api) == ("simulated", False, "v2")


def test_with_a_key_it_is_stripe():
    stripe = Settings.from_env({**TEST, "STRIPE_ACCOUNTS_API": "v1"}).stripe
    assert (stripe.provider_name, stripe.public_key, stripe.accounts_api) == ("stripe", "pk_test_51abc", "v1")
    assert stripe.webhook_secrets == ("whsec_newest123", "whsec_older456")


def test_production_starts_with_live_keys():
    assert Settings.from_env(LIVE).stripe.provider_name == "stripe"


def test_production_needs_a_real_provider():
    (fault,) = faults({**LIVE, "STRIPE_SECRET_KEY": ""})
    assert fault.startswith("STRIPE_SECRET_KEY: production needs a real payment provider")


@pytest.mark.parametrize(
    ("base", "change", "name"),
    [
        (TEST, {"STRIPE_SECRET_KEY": "sk_live_51abc", "STRIPE_PUBLIC_KEY": "pk_live_51abc"}, "STRIPE_SECRET_KEY"),
        (TEST, {"STRIPE_SECRET_KEY": "pk_test_51abc"}, "STRIPE_SECRET_KEY"),
        (TEST, {"STRIPE_SECRET_KEY": "sk_test_"}, "STRIPE_SECRET_KEY"),
        (TEST, {"STRIPE_SECRET_KEY": "sk_test_a b"}, "STRIPE_SECRET_KEY"),
        (TEST, {"STRIPE_PUBLIC_KEY": ""}, "STRIPE_PUBLIC_KEY"),
        (TEST, {"STRIPE_PUBLIC_KEY": "sk_test_51abc"}, "STRIPE_PUBLIC_KEY"),
        (TEST, {"STRIPE_PUBLIC_KEY": "pk_live_51abc"}, "STRIPE_PUBLIC_KEY"),
        (TEST, {"STRIPE_WEBHOOK_SECRET": "whsec_newest123,nonsense"}, "STRIPE_WEBHOOK_SECRET"),
        (TEST, {"STRIPE_THIN_WEBHOOK_SECRET": "whsec_"}, "STRIPE_THIN_WEBHOOK_SECRET"),
        (TEST, {"STRIPE_ACCOUNTS_API": "v3"}, "STRIPE_ACCOUNTS_API"),
        (TEST, {"STRIPE_API_BASE": "http://stripe.example:8080"}, "STRIPE_API_BASE"),
        (TEST, {"STRIPE_API_BASE": "https://127.0.0.1"}, "STRIPE_API_BASE"),
        (TEST, {"STRIPE_API_BASE": "http://[::1"}, "STRIPE_API_BASE"),
        (LIVE, {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_PUBLIC_KEY": "pk_test_1"}, "STRIPE_SECRET_KEY"),
        (LIVE, {"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET"),
        (LIVE, {"STRIPE_CONNECT_WEBHOOK_SECRET": ""}, "STRIPE_CONNECT_WEBHOOK_SECRET"),
        (LIVE, {"STRIPE_API_BASE": "http://127.0.0.1:8080"}, "STRIPE_API_BASE"),
    ],
)
def test_what_does_not_fit_is_refused_by_name_and_not_repeated(base, change, name):
    (fault,) = faults({**base, **change})
    assert fault.startswith(f"{name}: ")
    assert not any(value in fault for value in change.values() if "51abc" in value or "whsec_n" in value)


def test_development_may_try_stripe_without_events_but_staging_may_not():
    without = {**TEST, "STRIPE_WEBHOOK_SECRET": ""}
    assert Settings.from_env(without).stripe.is_used
    staging = {**without, "MARKETPLACE_ENV": "staging", "SECRET_KEY": SECRET, "EMAIL_HOST": "mail.example"}
    (fault,) = faults(staging)
    assert fault.startswith("STRIPE_WEBHOOK_SECRET: ")


def test_a_stand_in_for_stripe_is_on_this_machine():
    assert Settings.from_env({**TEST, "STRIPE_API_BASE": "http://127.0.0.1:8080"}).stripe.api_base


def test_no_secret_is_shown():
    shown = repr(Settings.from_env(LIVE))
    assert "rk_live" not in shown
    assert "whsec_" not in shown
