"""Logging: one JSON object a line, readable lines on a terminal, files that several processes may rotate."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import orjson
import structlog

MAX_BYTES = 50 * 1024 * 1024
KEPT_FILES = 14

_SECRET = re.compile(
    r"password|secret|token|authorization|cookie|signature|otp|recovery|sealed|api_?key|private", re.IGNORECASE
)
_QUOTED_ROW = re.compile(
    r"^(DETAIL|CONTEXT): .*?(?:\n|\Z)(?=\s*(?:HINT:|CONTEXT:|\[SQL|The above exception|During handling|\Z))",
    re.DOTALL | re.MULTILINE,
)
_RENDERED = "rendered"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(*, format: str, level: str, file: Path | None) -> None:
    """Send everything, structlog's and the standard library's, to the standard error or to ``file``."""
    handler: logging.Handler = logging.StreamHandler(sys.stderr) if file is None else RotatedFile(file)
    readable = format == "text" or (format == "auto" and file is None and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_secrets,
    ]
    last: list[Any] = (
        [
            in_one_line,
            # Not structlog's own choice, which shows the value of every local variable: passwords and tokens too.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=lambda file, exc_info: print(trace(exc_info), file=file)
            ),
        ]
        if readable
        else [
            structlog.processors.ExceptionRenderer(trace),
            structlog.processors.JSONRenderer(serializer=_to_json),
        ]
    )
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    # Nothing that we write says which line, thread or process wrote it, and to find out is a third of a line's cost.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(handlers=[handler], level=_LEVELS[level], force=True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, *last, _as_rendered],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Writes the standard library's records as structlog's; those of structlog itself are a line already."""

    def format(self, record: logging.LogRecord) -> str:
        return str(record.msg) if hasattr(record, _RENDERED) else super().format(record)


def _as_rendered(logger: Any, method: str, line: Any) -> tuple[tuple[str], dict[str, Any]]:
    return (line,), {"extra": {_RENDERED: True}}


def without_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank whatever is named like a secret, however deep."""
    return {name: "***" if _SECRET.search(name) else _cleaned(value) for name, value in event.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "***" if isinstance(name, str) and _SECRET.search(name) else _cleaned(inner)
            for name, inner in value.items()
        }
    return [_cleaned(inner) for inner in value] if isinstance(value, list) else value


def in_one_line(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write out line breaks and what moves a terminal's cursor: a path that somebody made up forges no line."""
    return {name: _printable(value) if isinstance(value, str) else value for name, value in event.items()}


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def trace(exc_info: Any) -> str:
    """A traceback without what the database quotes of the row that it refused: addresses, names, digests."""
    return _QUOTED_ROW.sub(r"\1: ***\n", "".join(traceback.format_exception(*exc_info))).rstrip()


def _to_json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class RotatedFile(logging.Handler):
    """A log file that is set aside when it is large or a day old, whichever of our processes sees it first.

    Each line is one write to a file opened for appending, so lines of several processes do not mix; a process that
    finds the file renamed under it opens the new one.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, kept: int = KEPT_FILES) -> None:
        super().__init__()
        self._path, self._max_bytes, self._kept = path, max_bytes, kept
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._opened()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record) + "\n"
            if self._is_due():
                self._rotate()
            self._file.write(line)
            self._file.flush()
        except Exception:  # a log that cannot be written must not end the request
            self.handleError(record)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _opened(self) -> TextIOWrapper:
        self._day = datetime.now(UTC).date()
        return open(self._path, "a", encoding="utf-8")

    def _is_due(self) -> bool:
        return self._is_moved() or self._file.tell() > self._max_bytes or self._day != datetime.now(UTC).date()

    def _is_moved(self) -> bool:
        try:
            return self._path.stat().st_ino != _inode(self._file)
        except FileNotFoundError:
            return True

    def _rotate(self) -> None:
        with open(self._path.with_name(f".{self._path.name}.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._is_moved():
                stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
                self._path.rename(self._path.with_name(f"{self._path.name}.{stamp}"))
                for old in sorted(self._path.parent.glob(f"{self._path.name}.*"))[: -self._kept]:
                    with contextlib.suppress(FileNotFoundError):
                        old.unlink()
            self._file.close()
            self._file = self._opened()


def _inode(file: TextIOWrapper) -> int:
    return os.fstat(file.fileno()).st_ino
