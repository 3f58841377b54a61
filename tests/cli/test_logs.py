"""Logs are lines: no foreign text makes two of one, or gets a control character into them, in either format."""

import ast
import json
import logging
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.cli.logs import FloodFilter, JsonLinesFormatter, TextFormatter, set_up_logs
from flatline.settings import Settings

ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
# A fake event, an escape sequence of terminals in two ways, and what turns the direction of writing.
HOSTILE = "x\r\n2026-01-01 00:00:00,000 INFO flatline: all is well\x1b[2J\x9b2J\x00\x7f\x85\u2028\u2029\u202e"
FORMATTERS = (TextFormatter(), JsonLinesFormatter())
# What a line may not have: C0 and C1 controls, separators of lines and paragraphs, marks of direction.
UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
PLACE = re.compile(r"%[-#0 +]*[\d*]*(?:\.\d+)?([a-zA-Z%])")


class Call(NamedTuple):
    """A call of a logger, and where it is; ``message`` None: it is computed."""

    where: str
    message: str | None


def calls() -> list[Call]:
    """Return every call of a logger in what is installed."""
    found = []
    for folder in ("streams", "connectors"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            text = file.read_text()
            if "log." not in text:  # parsing all takes longer than all else here
                continue
            for node in ast.walk(ast.parse(text)):
                match node:
                    case ast.Call(
                        func=ast.Attribute(value=ast.Name(id="log" | "_log"), attr=level), args=[first, *_]
                    ) if level in LEVELS:
                        told = first.value if isinstance(first, ast.Constant) else None
                        found.append(Call(f"{file.relative_to(ROOT)}:{node.lineno}", told))
                    case _:
                        continue
    return found


def _record(message: str, arguments: tuple[Any, ...], error: Exception | None = None) -> logging.LogRecord:
    error_info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("flatline.x", logging.WARNING, __file__, 1, message, arguments, error_info)


def _hostile(message: str) -> tuple[Any, ...]:
    return tuple(HOSTILE if kind in "sr" else 7 for kind in PLACE.findall(message) if kind != "%")


def test_every_call_of_a_logger_is_found() -> None:
    """Most of them have a message that stands there; otherwise the next test tries nothing."""
    found = calls()
    assert len(found) > 40
    assert sum(call.message is None for call in found) < len(found) / 10


@pytest.mark.parametrize("call", calls(), ids=lambda call: call.where)
def test_a_call_with_hostile_arguments_is_one_line(call: Call) -> None:
    """Whatever is foreign in it, and with a computed message that is hostile itself."""
    message = HOSTILE.replace("%", "%%") if call.message is None else call.message
    for formatter in FORMATTERS:
        line = formatter.format(_record(message, _hostile(message)))
        assert UNPRINTED.search(line) is None
        if isinstance(formatter, JsonLinesFormatter):
            assert json.loads(line)["message"] == (message % _hostile(message) if _hostile(message) else message)


@given(message=st.text(), name=st.text(), value=st.text() | st.binary().map(repr))
def test_any_text_is_one_line(message: str, name: str, value: str) -> None:
    """In the message, in its arguments, in a field."""
    for formatter in FORMATTERS:
        record = _record("%s of %s", (message, name))
        record.source = value
        line = formatter.format(record)
        assert UNPRINTED.search(line) is None
        if isinstance(formatter, JsonLinesFormatter):
            entry = json.loads(line)
            assert (entry["message"], entry["source"]) == (f"{message} of {name}", value)


@given(st.text())
def test_no_line_of_a_traceback_looks_like_an_event(text: str) -> None:
    """Errors quote foreign texts: in text their lines are indented, in JSON there is one line."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - its message is any text
        raise ValueError(text)
    record = _record("failed", (), raised.value)
    first, *others = TextFormatter().format(record).split("\n")
    assert first.endswith("WARNING flatline.x: failed")
    assert others
    assert all(line.startswith("    ") and UNPRINTED.search(line) is None for line in others)
    line = JsonLinesFormatter().format(record)
    assert UNPRINTED.search(line) is None
    assert "ValueError" in json.loads(line)["exc_info"]


def test_json_has_the_fields_that_are_documented() -> None:
    """As deploy/README.md shows them, with the time in UTC."""
    record = _record("request %s", ("a",))
    record.created, record.msecs = 1_767_225_600.25, 250.0
    record.request_id = "a"
    assert json.loads(JsonLinesFormatter().format(record)) == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "WARNING",
        "logger": "flatline.x",
        "message": "request a",
        "request_id": "a",
    }
    [example] = re.findall(r"^(\{\"time\".*\})$", (ROOT / "deploy" / "README.md").read_text(), re.MULTILINE)
    assert list(json.loads(example))[:4] == ["time", "level", "logger", "message"]


def test_a_flood_of_others_leaves_room_for_our_own() -> None:
    """Of 70 alike a second, as of a client that is refused, ten a minute pass; of another kind, and of ours, all."""
    passes = FloodFilter().filter
    refused, ours, rare = [], [], []
    for number in range(70 * 120):
        for passed, name, message in (
            (refused, "aiokafka", "Unable connect to node with id %s"),
            (ours, "flatline.engine", "a commit took %s s"),
            *([(rare, "aiokafka", "Group %s is dead")] if number % 1_000 == 0 else []),
        ):
            record = logging.LogRecord(name, logging.ERROR, __file__, 1, message, (number,), None)
            record.created = 1_767_225_600 + number / 70
            if passes(record):
                passed.append(TextFormatter().format(record))
    assert (len(refused), len(ours), len(rare)) == (20, 70 * 120, 9)
    assert [number for number, line in enumerate(refused) if "left out" in line] == [9, 19]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_setting_decides(
    log_format: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is installed writes to stderr."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    levels = {name: logging.getLogger(name).level for name in ("", "flatline", "flatline_connectors", "flatline.start")}
    try:
        set_up_logs(Settings.model_validate({"log_format": log_format}))
        logging.getLogger("flatline.engine").warning("a\nb")
        logging.getLogger("flatline.engine").info("not heard")
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("{") == (log_format == "json")
