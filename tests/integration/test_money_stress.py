"""`marketplace stress money`: workers killed at random, and every cent where it belongs."""

import json

import pytest
from click.testing import CliRunner

from marketplace.entrypoints.cli.main import marketplace


@pytest.mark.slow
@pytest.mark.volume
@pytest.mark.parametrize(("kills", "faults", "seed"), [(12, 0, 4), (0, 60, 5)])
def test_everybody_is_paid_once_whatever_workers_and_provider_go_through(
    clean_database, tmp_path, monkeypatch, kills, faults, seed
):
    monkeypatch.setenv("DATABASE_URL", clean_database)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))
    asked = ["stress", "money", "--orders", "24", "--json"]
    asked += ["--kills", str(kills), "--faults", str(faults), "--seed", str(seed)]
    result = CliRunner(catch_exceptions=False).invoke(marketplace, asked)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["ok"], report["faults"]) == (0, True, [])
    figures = report["figures"]
    assert figures["orders"] == 24
    assert figures["transfers"] + figures["nothing left to send"] == figures["payouts"] > 24
    assert figures["refunds"] > 0
    # Those of each night besides.
    assert figures["workers killed"] == kills + 2 * figures["nights"]
