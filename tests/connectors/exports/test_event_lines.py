"""Files of our own events, in the shapes that people save them in."""

from pathlib import Path

import pytest

from flatline_connectors.files.exports.event_lines import event_lines
from flatline_connectors.files.exports.reading import Options
from flatline_connectors.files.lines import LineFile, UnreadableFile
from tests.connectors.examples import link
from tests.connectors.exports.reading import EXPORTED_AT

EVENT = link("https://elsewhere.example/post", "https://yours.example/article")
BROKEN = EVENT[:-1] + rb',"anchor":"nice \ud83d"}'


def lines_of(path: Path) -> list[bytes]:
    """Return the events in a file."""
    return [line.value for line in event_lines(LineFile(path), Options(exported_at=EXPORTED_AT), lambda _found: None)]


@pytest.mark.parametrize("events", [[EVENT, BROKEN, EVENT], [BROKEN, EVENT], [b'{"url_from": 1}', EVENT]])
def test_one_bad_event_of_an_array_takes_no_other_with_it(events: list[bytes], tmp_path: Path) -> None:
    """What is wrong with it is told where it is decoded, wherever it stands."""
    path = tmp_path / "events.json"
    path.write_bytes(b"[" + b",\n".join(events) + b"]")
    assert lines_of(path) == events


def test_lines_in_utf_16(tmp_path: Path) -> None:
    """With a byte order mark they are read; without one the error names the encoding."""
    path = tmp_path / "events.ndjson"
    text = (EVENT + b"\n").decode() * 2
    path.write_bytes(text.encode("utf-16"))
    assert lines_of(path) == [EVENT, EVENT]
    path.write_bytes(text.encode("utf-16-le"))
    with pytest.raises(UnreadableFile, match="is UTF-16"):
        lines_of(path)
