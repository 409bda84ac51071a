"""The measurement of what time tells still runs: its questions fit the API."""

import subprocess
import sys
from pathlib import Path

import pytest
from bench.timing import QUESTIONS

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_measures_every_question():
    command = [sys.executable, "-m", "bench.timing", "--accounts", "14"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ")[0].strip("| ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert rows[2:] == list(QUESTIONS)
