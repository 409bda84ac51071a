"""`marketplace stress money`: workers killed at random, and every cent where it belongs."""

import json

import pytest
from click.testing import CliRunner

from marketplace.entrypoints.cli.main import marketplace


@pytest.mark.slow
@pytest.mark.volume
def test_everybody_is_paid_once_whatever_workers_go_through(clean_database, tmp_path, monkeypatch):
    kills = 12
    monkeypatch.setenv("DATABASE_URL", clean_database)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))
    asked = ["stress", "money", "--orders", "24", "--kills", str(kills), "--seed", "4", "--json"]
    result = CliRunner(catch_exceptions=False).invoke(marketplace, asked)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["ok"], report["faults"]) == (0, True, [])
    figures = report["figures"]
    assert figures["orders"] == 24
    assert figures["transfers"] + figures["nothing left to send"] == figures["payouts"] > 24
    assert figures["refunds"] > 0
    # Those of each night besides.
    assert figures["workers killed"] == kills + 2 * figures["nights"]
