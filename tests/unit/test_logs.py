"""The log."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from marketplace.entrypoints import logs


@pytest.fixture(autouse=True)
def _as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_is_a_json_object_with_the_request_id(tmp_path):
    logs.configure(format="auto", level="info", file=tmp_path / "log")
    structlog.contextvars.bind_contextvars(request_id="r-1")
    structlog.get_logger("shop").info("sold", listing=7)
    (line,) = lines(tmp_path / "log")
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "sold", "level": "info", "logger": "shop", "listing": 7, "request_id": "r-1"}


def test_other_libraries_log_alike(tmp_path):
    logs.configure(format="json", level="info", file=tmp_path / "log")
    logging.getLogger("library").warning("odd %s", "thing")
    assert lines(tmp_path / "log")[0]["event"] == "odd thing"


def test_less_than_the_level_is_left_out(tmp_path):
    logs.configure(format="json", level="warning", file=tmp_path / "log")
    structlog.get_logger().info("small")
    structlog.get_logger().warning("big")
    assert [line["event"] for line in lines(tmp_path / "log")] == ["big"]


def test_an_exception_is_told_with_its_trace(tmp_path):
    logs.configure(format="json", level="info", file=tmp_path / "log")
    try:
        raise ValueError("odd")
    except ValueError as error:
        structlog.get_logger().error("failed", exc_info=error)
    assert "ValueError: odd" in lines(tmp_path / "log")[0]["exception"]


def test_secrets_are_blanked_however_deep(tmp_path):
    logs.configure(format="json", level="info", file=tmp_path / "log")
    structlog.get_logger().info(
        "call",
        password="hunter2",
        Authorization="Bearer hunter2",
        client_secret="hunter2",
        body={"new_password": "hunter2", "items": [{"refresh_token": "hunter2"}], "name": "kept"},
        otp="hunter2",
        recovery_codes=["hunter2"],
    )
    text = (tmp_path / "log").read_text("utf-8")
    assert "hunter2" not in text
    assert "kept" in text


def test_text_is_for_people(tmp_path):
    logs.configure(format="text", level="info", file=tmp_path / "log")
    structlog.get_logger().info("sold", listing=7)
    assert "listing=7" in (tmp_path / "log").read_text("utf-8")


@pytest.fixture
def failed():
    """An error as a driver words it, raised where a local variable holds a password."""

    def verify(password):
        raise RuntimeError(
            'duplicate key value violates "one_email"\nDETAIL:  Key (email)=(ash\n@example.com) exists.\n'
            "CONTEXT:  COPY accounts, line 1: 12 Pallet Road\n\n[SQL: insert into accounts]"
        )

    try:
        verify("hunter" + "2")
    except RuntimeError as error:
        return error


@pytest.mark.parametrize("format", ["json", "text"])
def test_a_trace_shows_neither_variables_nor_rows(tmp_path, failed, format):
    logs.configure(format=format, level="info", file=tmp_path / "log")
    structlog.get_logger().error("failed", exc_info=failed)
    logging.getLogger("library").error("failed", exc_info=failed)
    text = (tmp_path / "log").read_text("utf-8")
    assert text.count("one_email") == text.count("insert into accounts") == 2
    assert not [word for word in ("hunter2", "example.com", "Pallet") if word in text]


def test_nobody_forges_a_line_of_text(tmp_path):
    logs.configure(format="text", level="info", file=tmp_path / "log")
    structlog.get_logger().info("request", path="/é\x1b[2J", agent="a\nforged")
    logging.getLogger("library").warning("odd é\nforged\x1b[2J")
    written = (tmp_path / "log").read_text("utf-8")
    assert [("forged" in line, "é" in line) for line in written.splitlines()] == [(True, True)] * 2
    assert "\x1b" not in written


def record(text):
    return logging.LogRecord("x", logging.INFO, "x.py", 1, text, None, None)


def test_a_large_file_is_set_aside_and_only_the_newest_are_kept(tmp_path):
    file = logs.RotatedFile(tmp_path / "log", max_bytes=10, kept=2)
    for number in range(6):
        file.emit(record(f"a line of its own {number}"))
    file.close()
    assert (tmp_path / "log").read_text("utf-8") == "a line of its own 5\n"
    assert len(list(tmp_path.glob("log.*"))) == 2


def test_a_file_that_another_process_set_aside_is_opened_anew(tmp_path):
    mine, theirs = (logs.RotatedFile(tmp_path / "log", max_bytes=10) for _ in range(2))
    mine.emit(record("first, and long enough"))
    theirs.emit(record("second, after turning the file"))
    mine.emit(record("x"))
    written = "".join(path.read_text("utf-8") for path in tmp_path.glob("log*"))
    mine.close()
    theirs.close()
    assert sorted(written.split("\n"))[1:] == ["first, and long enough", "second, after turning the file", "x"]


def test_a_file_that_was_deleted_is_made_anew(tmp_path):
    file = logs.RotatedFile(tmp_path / "log")
    (tmp_path / "log").unlink()
    file.emit(record("x"))
    file.close()
    assert (tmp_path / "log").read_text("utf-8") == "x\n"


def test_a_new_day_begins_a_new_file(tmp_path):
    file = logs.RotatedFile(tmp_path / "log")
    file.emit(record("yesterday"))
    file._day = datetime.now(UTC).date() - timedelta(days=1)
    file.emit(record("today"))
    file.close()
    assert (tmp_path / "log").read_text("utf-8") == "today\n"


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path, capsys):
    file = logs.RotatedFile(tmp_path / "log")
    file._file.close()
    file.emit(record("x"))
    assert "ValueError" in capsys.readouterr().err
