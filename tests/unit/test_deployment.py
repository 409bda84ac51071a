"""The files that are only run where there is a container engine, checked without one."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from marketplace.entrypoints.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTED = {name: value or "" for name, value in dotenv_values(ROOT / ".env.example").items()}

# Read by the embedded server itself, which knows no settings.
NOT_IN_SETTINGS = {"PG_UID"}
# Of the database's own image.
NOT_OURS = {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"}


class Asked(Mapping[str, str]):
    """An environment that is empty but for a few variables, and remembers what it was asked for."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._given[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


@pytest.fixture
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def _final_stage(instructions: list[tuple[str, str]]) -> list[tuple[str, str]]:
    last = max(index for index, (name, _) in enumerate(instructions) if name == "FROM")
    return instructions[last:]


def test_every_setting_is_documented() -> None:
    # The parts of an address are asked for only when one of them is given.
    asked = [Asked({}), Asked({"DATABASE_NAME": "cards"})]
    for environment in asked:
        Settings.from_env(environment)

    assert set().union(*(environment.names for environment in asked)) == set(DOCUMENTED) - NOT_IN_SETTINGS


def test_the_documented_defaults_are_the_defaults() -> None:
    assert Settings.from_env({**DOCUMENTED, "MARKETPLACE_HOME": ""}) == Settings.from_env({})


def test_the_image_does_not_run_as_root(instructions: list[tuple[str, str]]) -> None:
    users = [argument for name, argument in _final_stage(instructions) if name == "USER"]

    assert users
    assert users[-1] not in ("root", "0")


def test_the_image_tells_whether_it_is_ready(instructions: list[tuple[str, str]]) -> None:
    [check] = [argument for name, argument in _final_stage(instructions) if name == "HEALTHCHECK"]

    assert "/health/ready/" in check


def test_the_image_installs_from_the_lock(instructions: list[tuple[str, str]]) -> None:
    installs = [argument for name, argument in instructions if name == "RUN" and "pip install" in argument]

    assert installs
    assert all("--require-hashes" in install and "requirements.lock" in install for install in installs)


def test_what_the_image_copies_is_there_and_not_ignored(instructions: list[tuple[str, str]]) -> None:
    copied = [argument.split() for name, argument in instructions if name == "COPY"]
    sources = [source for words in copied if "--from=build" not in words for source in words[:-1]]
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert set(sources) == let_in


def test_the_modules_that_the_image_starts_are_there(instructions: list[tuple[str, str]]) -> None:
    [command] = [argument for name, argument in _final_stage(instructions) if name == "CMD"]
    [module] = re.findall(r"(marketplace[\w.]+):\w+", command)

    assert (ROOT / "src" / Path(*module.split("."))).with_suffix(".py").exists()


def test_composes_variables_are_documented(compose: dict[str, Any]) -> None:
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    given = {name for service in compose["services"].values() for name in service.get("environment", {})}

    assert used - set(DOCUMENTED) == set()
    assert given - NOT_OURS - set(DOCUMENTED) == set()


def test_compose_starts_the_processes_in_order(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert set(services) == {"db", "migrate", "web", "worker"}
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services, f"{name} waits for {needed}, which is not there"
            if how["condition"] == "service_healthy":
                assert "test" in services[needed]["healthcheck"]


def test_compose_publishes_on_the_local_address_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_compose_keeps_named_volumes(compose: dict[str, Any]) -> None:
    mounted = {
        volume.partition(":")[0] for service in compose["services"].values() for volume in service.get("volumes", ())
    }

    assert mounted == set(compose["volumes"])
