"""Members at the REST door, with their devices and their mailbox."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient

from marketplace.entrypoints.container import Container

PASSWORD = "a good long one"
NEW_PASSWORD = "quite another one"


@dataclass(kw_only=True)
class SignedInDevice:
    """What a client keeps: two tokens, the later of each."""

    client: FlaskClient
    tokens: dict[str, Any] = field(repr=False)
    user_agent: str = ""
    address: str = "127.0.0.1"

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {**self.bearer, "User-Agent": self.user_agent}
        at = {"REMOTE_ADDR": self.address}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers=headers, environ_overrides=at)

    def is_signed_in(self) -> bool:
        return self.ask("GET", "/users/me/").status_code == 200

    def refresh(self) -> Any:
        """The answer; its tokens are kept when it is a success."""
        answer = self.ask("POST", "/auth/token/refresh/", {"refresh": self.tokens["refresh_token"]})
        if answer.status_code == 200:
            self.tokens = answer.json
        return answer


@dataclass(kw_only=True)
class Person:
    """A member of the market behind ``client``."""

    container: Container
    client: FlaskClient
    name: str

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"

    def post(self, path: str, body: Any, **options: Any) -> Any:
        return self.client.post(f"/api/v1{path}", json=body, **options)

    def joins(self) -> SignedInDevice:
        body = {
            "username": self.name,
            "email": self.email,
            "password": PASSWORD,
            "confirm_password": PASSWORD,
            "first_name": "Ash",
            "last_name": "Ketchum",
            "accept_terms": True,
        }
        answer = self.post("/auth/register/", body)
        assert answer.status_code == 201, answer.json
        return SignedInDevice(client=self.client, tokens=answer.json)

    def logs_in(self, password: str = PASSWORD, *, user_agent: str = "", address: str = "127.0.0.1") -> SignedInDevice:
        answer = self.try_log_in(password, user_agent=user_agent, address=address)
        assert answer.status_code == 200, answer.json
        return SignedInDevice(client=self.client, tokens=answer.json, user_agent=user_agent, address=address)

    def try_log_in(self, password: str, *, user_agent: str = "", address: str = "127.0.0.1") -> Any:
        return self.post(
            "/auth/login/",
            {"username": self.name, "password": password},
            headers={"User-Agent": user_agent},
            environ_overrides={"REMOTE_ADDR": address},
        )

    def letters(self) -> list[Any]:
        """What has been mailed to them, the latest first, once the worker has done its work."""
        while self.container.relay_events()():
            pass
        return [m for m in self.container.backend.mailbox().messages(limit=100) if m.to == self.email]

    def reads_code(self) -> str:
        found = re.search(r"\b\d{6}\b", self.letters()[0].text)
        assert found is not None
        return found[0]

    def asks_for_reset(self, email: str | None = None) -> Any:
        return self.post("/auth/password-reset/", {"email": email or self.email})

    def verifies_reset(self, code: str, email: str | None = None, *, address: str = "127.0.0.1") -> Any:
        body = {"email": email or self.email, "otp": code}
        return self.post("/auth/password-reset/verify/", body, environ_overrides={"REMOTE_ADDR": address})

    def gets_reset_token(self) -> str:
        self.asks_for_reset()
        answer = self.verifies_reset(self.reads_code())
        assert answer.status_code == 200, answer.json
        return str(answer.json["reset_token"])

    def sets_password(self, token: str, password: str = NEW_PASSWORD, **changes: Any) -> Any:
        body = {"reset_token": token, "new_password": password, "password_confirm": password, **changes}
        return self.post("/auth/password-reset/confirm/", body)


def another_code(code: str) -> str:
    """One that is wrong."""
    return f"{(int(code) + 1) % 1_000_000:06d}"
