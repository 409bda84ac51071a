"""`marketplace keys`: new signing keys."""

import json

import pytest
from click.testing import CliRunner

from marketplace.entrypoints.cli.main import marketplace
from marketplace.entrypoints.settings import Settings, key_id

FIRST, SECOND, THIRD = (f"{name}-signing-key-of-enough-characters" for name in ("first", "second", "third"))


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where there is no .env

    def command(*arguments, keys=""):
        monkeypatch.setenv("JWT_SIGNING_KEYS", keys)
        result = CliRunner().invoke(marketplace, ["keys", *arguments])
        assert result.exit_code == 0, result.output
        return result

    return command


def printed(result):
    """The keys of what can be put into the environment as it is."""
    name, _, value = result.stdout.strip().partition("=")
    assert name == "JWT_SIGNING_KEYS"
    return list(Settings.from_env({"JWT_SIGNING_KEYS": value}).jwt_signing_keys)


def test_a_new_key_comes_first_and_the_others_keep_their_order(run):
    new, *others = printed(run("rotate", keys=f"{FIRST},{SECOND}"))
    assert others == [FIRST, SECOND]
    assert len(new) == 64
    assert new != printed(run("rotate", keys=f"{FIRST},{SECOND}"))[0]


def test_the_oldest_are_dropped_and_named_without_being_shown(run):
    result = run("rotate", "--keep", "2", keys=f"{FIRST},{SECOND},{THIRD}")
    assert printed(result)[1:] == [FIRST]
    assert key_id(SECOND) in result.stderr
    assert key_id(THIRD) in result.stderr
    assert SECOND not in result.output


def test_the_first_rotation_keeps_what_the_derived_key_signed(run):
    assert printed(run("rotate"))[1:] == list(Settings.from_env({}).jwt_signing_keys)


def test_rotating_for_programs(run):
    answer = json.loads(run("rotate", "--keep", "2", "--json", keys=f"{FIRST},{SECOND}").stdout)
    new, kept = answer["jwt_signing_keys"].split(",")
    assert (answer["new"], answer["kept"], answer["dropped"]) == (key_id(new), [key_id(kept)], [key_id(SECOND)])
    assert kept == FIRST


def test_the_list_shows_ids_and_no_key(run):
    result = run("list", "--json", keys=f"{FIRST},{SECOND}")
    assert json.loads(result.stdout) == [
        {"id": key_id(FIRST), "signs": True, "from": "JWT_SIGNING_KEYS"},
        {"id": key_id(SECOND), "signs": False, "from": "JWT_SIGNING_KEYS"},
    ]
    assert FIRST not in result.output
    assert json.loads(run("list", "--json").stdout)[0]["from"] == "SECRET_KEY"
