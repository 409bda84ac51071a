"""CPU time of a process and everything below it, from /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree_seconds(root: int) -> float:
    """What ``root``, its living descendants and those they have reaped have used, in seconds."""
    parents: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            text = (folder / "stat").read_text()
        except OSError:
            continue  # gone meanwhile
        fields = text[text.rindex(")") + 2 :].split()
        pid = int(folder.name)
        parents.setdefault(int(fields[1]), []).append(pid)
        used[pid] = sum(int(fields[i]) for i in (11, 12, 13, 14))
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += used.get(pid, 0)
        waiting += parents.get(pid, [])
    return total / _TICKS


def memory_mib(root: int) -> list[float]:
    """Resident memory of each process below ``root``, the largest first."""
    parents: dict[int, list[int]] = {}
    resident: dict[int, float] = {}
    page = os.sysconf("SC_PAGE_SIZE")
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text()
            except OSError:
                continue
            fields = text[text.rindex(")") + 2 :].split()
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
            resident[int(folder.name)] = int(fields[21]) * page / 2**20
    found, waiting = [], list(parents.get(root, []))
    while waiting:
        pid = waiting.pop()
        found.append(resident.get(pid, 0.0))
        waiting += parents.get(pid, [])
    return sorted(found, reverse=True)


class QuietMachine:
    """Waits, within a budget of seconds for the whole run, until others use less than a third of the machine."""

    def __init__(self, budget: float) -> None:
        self._left = budget

    def wait(self) -> None:
        while self._left > 0:
            before = _idle()
            time.sleep(0.25)
            after = _idle()
            self._left -= 0.25
            if (after[0] - before[0]) / max(1, after[1] - before[1]) > 0.7:
                return


def _idle() -> tuple[int, int]:
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return fields[3] + fields[4], sum(fields)
