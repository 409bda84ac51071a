"""What a question about a name that nobody has costs: as many reads, writes and commits as about a name that is known.

How long they take is measured by `python -m bench.timing`; see docs/security.md.
"""

import pytest
import sqlalchemy as sa

from marketplace.application.identity.registration import NewMember
from marketplace.entrypoints.container import build_container
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.integration.statements import noted

PASSWORD = "a good long one"


@pytest.fixture
def container(clean_database, tmp_path):
    environ = {"DATABASE_URL": clean_database, "MARKETPLACE_HOME": str(tmp_path), "ARGON2_MEMORY_KIB": "8"}
    container = build_container(Settings.from_env(environ))
    yield container
    container.backend.engine().dispose()


@pytest.fixture
def known(container):
    """Members: one whose address waits to be verified, one whose address is, and one who asked for a new password."""
    for name in ("waiting", "verified", "forgetful"):
        member = NewMember(username=name, email=f"{name}@example.com", password=PASSWORD, accept_terms=True)
        container.register()(member=member)
    container.passwords.request_reset()(email="forgetful@example.com")
    container.passwords.request_reset()(email="nobody@example.com")
    while container.relay_events()():
        pass
    with container.backend.unit_of_work() as uow:
        account = uow.accounts.by_name("verified")
        account.verify_email(now=container.clock().now())
        uow.accounts.save(account)
        uow.commit()


@pytest.fixture
def cost(container, known):
    """What the database is asked for one request: the verb of each statement, and the commits."""
    client = create_app(container).test_client()
    engine, reader = container.backend.engine(), container.backend.reader()
    statements, commits = noted(engine, reader), []
    sa.event.listen(engine, "commit", lambda connection: commits.append("commit"))

    def ask(path, body, address):
        statements.clear()
        commits.clear()
        answer = client.post(f"/api/v1/auth/{path}/", json=body, environ_base={"REMOTE_ADDR": address})
        told = {name: value for name, value in answer.json.items() if name != "request_id"} if answer.json else None
        return (answer.status_code, told), [sql.split()[0].lower() for sql, _ in statements], len(commits)

    return ask


@pytest.mark.parametrize("code", [{}, {"otp": "123456"}])
@pytest.mark.parametrize("name", ["waiting", "verified", "waiting@example.com"])
def test_a_log_in_with_a_wrong_password(cost, name, code):
    unknown = "nobody@example.com" if "@" in name else "nobody"
    answers = [
        cost("login", {"username": asked, "password": "wrong", **code}, address)
        for asked, address in ((name, "10.0.0.1"), (unknown, "10.0.0.2"))
    ]
    assert answers[0] == answers[1]
    assert answers[0][0][0] == 401


@pytest.mark.parametrize("name", ["waiting", "verified", "forgetful"])
def test_a_wrong_code_for_an_address(cost, name):
    answers = [
        cost("verify-email", {"email": f"{asked}@example.com", "otp": "123456"}, address)
        for asked, address in ((name, "10.0.0.1"), ("nobody", "10.0.0.2"))
    ]
    (told, _, commits), (unknown_told, _, unknown_commits) = answers
    assert told == unknown_told
    assert (len(answers[0][1]), commits) == (len(answers[1][1]), unknown_commits)


def test_a_request_to_reset_a_password(cost):
    answers = [
        cost("password-reset", {"email": f"{asked}@example.com"}, address)
        for asked, address in (("verified", "10.0.0.1"), ("somebody-else", "10.0.0.2"))
    ]
    assert answers[0] == answers[1]
    assert answers[0][0][0] == 202


def test_a_wrong_code_to_reset_a_password(cost):
    answers = [
        cost("password-reset/verify", {"email": f"{asked}@example.com", "otp": "123456"}, address)
        for asked, address in (("forgetful", "10.0.0.1"), ("nobody", "10.0.0.2"))
    ]
    assert answers[0] == answers[1]
    assert answers[0][0][0] == 422
