"""Ten thousand guesses through the doors, with limits on and from hundreds of addresses."""

from collections import Counter
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from marketplace.entrypoints.settings import Settings
from tests.unit.http.conftest import ENVIRONMENT

API = "/api/v1/auth"
GUESSES = 10_000
MEMBER = {
    "username": "ash",
    "email": "ash@example.com",
    "password": "a good long one",
    "confirm_password": "a good long one",
    "accept_terms": True,
    "first_name": "Ash",
    "last_name": "Ketchum",
}


@pytest.fixture
def settings():
    return Settings.from_env({**ENVIRONMENT, "RATE_LIMIT_ENABLED": "true", "TRUSTED_PROXIES": "127.0.0.1"})


@pytest.mark.volume
@pytest.mark.parametrize(
    ("path", "body", "guesses"),
    [
        ("login", lambda n: {"username": "ash", "password": f"guess number {n}"}, GUESSES),
        # The way is the same, which takes its time.
        ("verify-email", lambda n: {"email": "ash@example.com", "otp": f"{n:06d}"}, GUESSES // 10),
        ("password-reset/verify", lambda n: {"email": "ash@example.com", "otp": f"{n:06d}"}, GUESSES // 10),
    ],
)
def test_ten_thousand_guesses_in_a_day_get_nowhere(container, client, clock, path, body, guesses):
    home = {"X-Forwarded-For": "198.51.100.1"}
    assert client.post(f"{API}/register/", json=MEMBER, headers=home).status_code == 201
    assert client.post(f"{API}/password-reset/", json={"email": "ash@example.com"}, headers=home).status_code == 202
    container.relay_events()()
    answers = Counter()
    with capture_logs() as lines:
        for number in range(guesses):
            origin = {"X-Forwarded-For": f"203.0.113.{number % 250}"}
            response = client.post(f"{API}/{path}/", json=body(number), headers=origin)
            answers[response.status_code] += 1
            if response.status_code == 429:
                assert int(response.headers["Retry-After"]) >= 1
            clock.advance(timedelta(days=1) / guesses)
    refused = answers.pop(429)
    assert set(answers) <= {401, 422}
    assert refused >= guesses - 42
    # Each refusal is in the log, and none of its lines holds the name.
    assert sum(line.get("status") == 429 for line in lines) == refused
    assert not any("ash@example.com" in str(line) for line in lines)
    # The owner gets in all the same, where they are at home.
    clock.advance(timedelta(minutes=1))
    right = {"username": "ash", "password": MEMBER["password"]}
    assert client.post(f"{API}/login/", json=right, headers=home).status_code == 200
