"""A pytest plugin that prints the coverage of each layer, before pytest's closing line.

Loaded by `make coverage` with `-p tools.coverage_by_layer`; pytest-cov does the measuring.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import coverage
import pytest

LAYERS = ("domain", "application", "adapters", "entrypoints")
SHOWN = 12  # places of a file, so that one that no test imports does not fill the screen


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line for each layer, and the files of the core that are not covered whole."""
    # Workers of pytest-xdist come here too, and looking into the data would erase what is being combined.
    if hasattr(terminalreporter.config, "workerinput"):
        return
    totals: dict[str, list[int]] = {layer: [0, 0, 0, 0] for layer in LAYERS}
    missing: list[str] = []
    for name, file in sorted(_measured().items()):
        layer = _layer(name)
        if layer is None:
            continue
        summary = file["summary"]
        keys = ("covered_lines", "num_statements", "covered_branches", "num_branches")
        totals[layer] = [sum(pair) for pair in zip(totals[layer], (summary[key] for key in keys), strict=True)]
        if layer in ("domain", "application") and (file["missing_lines"] or file["missing_branches"]):
            places = [str(line) for line in file["missing_lines"]]
            places += [f"{start}->{end}" for start, end in file["missing_branches"]]
            more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
            missing.append(f"not covered: {name} {', '.join(places[:SHOWN])}{more}")
    terminalreporter.section("coverage by layer")
    for line in missing:
        terminalreporter.write_line(line)
    for layer, (lines, all_lines, branches, all_branches) in totals.items():
        terminalreporter.write_line(
            f"{layer:12} {_percent(lines, all_lines)} of {all_lines:5} statements,"
            f" {_percent(branches, all_branches)} of {all_branches:5} branches"
        )


def _measured() -> dict[str, Any]:
    measured = coverage.Coverage()
    measured.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        try:
            measured.json_report(outfile=str(report))
        except coverage.exceptions.NoDataError:
            return {}
        files: dict[str, Any] = json.loads(report.read_text())["files"]
    return files


def _layer(name: str) -> str | None:
    parts = Path(name).parts
    layer = parts[parts.index("marketplace") + 1] if "marketplace" in parts[:-1] else ""
    return layer if layer in LAYERS else None


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:6.2f} %" if whole else "     - %"
