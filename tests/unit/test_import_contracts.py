"""Each import contract is broken on purpose, to see that it would be noticed."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / ".importlinter"

# For each contract: the modules to plant, below the package, with what they import.
VIOLATIONS = {
    "layers": {"domain/planted.py": "marketplace.application"},
    "core": {"application/planted.py": "flask"},
    "home-of-sql": {"entrypoints/planted.py": "sqlalchemy"},
    "home-of-flask": {"entrypoints/planted.py": "flask"},
    "home-of-schemas": {"entrypoints/planted.py": "marshmallow"},
    "home-of-click": {"entrypoints/planted.py": "click"},
    "home-of-numbers": {"entrypoints/planted.py": "stdnum"},
    "home-of-rate-limits": {"entrypoints/planted.py": "limits"},
    "home-of-templates": {"entrypoints/planted.py": "jinja2"},
    "home-of-encryption": {"entrypoints/planted.py": "cryptography"},
    "home-of-authenticators": {"entrypoints/planted.py": "pyotp"},
    "home-of-stripe": {"entrypoints/planted.py": "stripe"},
    "home-of-s3": {"entrypoints/planted.py": "boto3"},
    "home-of-pages": {"entrypoints/planted.py": "reportlab"},
    "container": {"entrypoints/planted.py": "marketplace.adapters.process_guard"},
    "injection": {"entrypoints/planted.py": "dependency_injector"},
    "domain-contexts": {"domain/planted.py": "marketplace.domain.stranger", "domain/stranger.py": "enum"},
    "use-cases": {"application/planted.py": "marketplace.application.stranger", "application/stranger.py": "enum"},
    "adapters": {"adapters/planted.py": "marketplace.adapters.stranger", "adapters/stranger.py": "enum"},
    "cycles": {
        "domain/shared/planted.py": "marketplace.domain.shared.stranger",
        "domain/shared/stranger.py": "marketplace.domain.shared.planted",
    },
}


def _contracts() -> dict[str, str]:
    """The identifier and the name of every contract."""
    parser = configparser.ConfigParser()
    parser.read(CONTRACTS)
    prefix = "importlinter:contract:"
    return {
        section.removeprefix(prefix): parser[section]["name"]
        for section in parser.sections()
        if section.startswith(prefix)
    }


def test_every_contract_is_broken_once() -> None:
    assert set(VIOLATIONS) == set(_contracts())


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_broken_contract_is_noticed(contract: str, tmp_path: Path) -> None:
    source = tmp_path / "marketplace"
    shutil.copytree(ROOT / "src" / "marketplace", source, ignore=shutil.ignore_patterns("__pycache__"))
    for module, imported in VIOLATIONS[contract].items():
        (source / module).write_text(f"import {imported}\n")

    done = subprocess.run(
        [
            Path(sys.executable).with_name("lint-imports"),
            "--no-cache",
            "--no-logo",
            "--config",
            CONTRACTS,
            "--contract",
            contract,
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done.stdout
    assert f"{_contracts()[contract]} BROKEN" in done.stdout
    # It is the planted import that is blamed, not something that was there before.
    assert "planted" in done.stdout.partition("Broken contracts")[2]
