"""Logs of the processes that keep running: one line an event, as text or JSON, whatever foreign texts are in it."""

import logging
import time
from collections import Counter
from typing import Final

import typer
from pythonjsonlogger.json import JsonFormatter

from flatline.cli.terminal_text import escaped
from flatline.settings import Settings

_START: Final = logging.getLogger("flatline.start")
_OWN: Final = ("flatline", "flatline_connectors")
_ALIKE_A_MINUTE_MAX: Final = 10
_FIELDS: Final = ("asctime", "levelname", "name", "message")


class TextFormatter(logging.Formatter):
    """Writes an event as one line; the lines of a traceback follow indented, so that none passes for an event."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines."""
        record.message = escaped(record.getMessage())
        if self.usesTime():
            record.asctime = self.formatTime(record, self.datefmt)
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return "\n    ".join([self.formatMessage(record), *map(escaped, trace.split("\n") if trace else ())])


class JsonLinesFormatter(JsonFormatter):
    """Writes an event as one line of JSON in ASCII: its message, and what the event is about as fields."""

    def __init__(self) -> None:
        names = {"asctime": "time", "levelname": "level", "name": "logger"}
        super().__init__(_FIELDS, rename_fields=names, defaults={}, json_ensure_ascii=True)
        self.default_time_format = "%Y-%m-%dT%H:%M:%S"
        self.default_msec_format = "%s.%03dZ"
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. JSON leaves one control character of ASCII as it is."""
        return super().format(record).replace("\x7f", "\\u007f")


class FloodFilter(logging.Filter):
    """Passes some events of a kind a minute: clients of Kafka log dozens a second while a broker refuses them.

    A kind is what one place in a program logs. Flatline's own events all pass.
    """

    def __init__(self) -> None:
        super().__init__()
        self._minute = -1
        self._passed: Counter[tuple[str, str]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether an event passes; the last one of a minute says that others may follow it."""
        if record.name.partition(".")[0] in _OWN:
            return True
        minute, kind = int(record.created // 60), (record.name, str(record.msg))
        if minute != self._minute:
            self._minute, self._passed = minute, Counter()
        self._passed[kind] += 1
        if self._passed[kind] == _ALIKE_A_MINUTE_MAX:
            record.msg, record.args = f"{record.getMessage()} (more like this are left out until the minute ends)", None
        return self._passed[kind] <= _ALIKE_A_MINUTE_MAX


def set_up_logs(settings: Settings, *, level: int = logging.WARNING) -> None:
    """Write all logs to stderr, as the settings say. ``level``: of Flatline's own; others are heard from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLinesFormatter() if settings.log_format == "json" else TextFormatter())
    handler.addFilter(FloodFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in _OWN:
        logging.getLogger(name).setLevel(level)
    _START.setLevel(logging.INFO)


def announce(settings: Settings, says: str) -> None:
    """Tell that a process listens: people on stdout, programs in the log."""
    if settings.log_format == "json":
        _START.info(says)
    else:
        typer.echo(says)
