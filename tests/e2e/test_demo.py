"""The whole project at once: `flatline demo`, as a process, on a real Kafka, Prometheus and Alertmanager."""

import gzip
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from flatline.demo.simulation import Simulation
from flatline.local import programs
from flatline.settings import Settings
from tests.scripts import FLATLINE
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.servers

SAMPLE = programs.PROJECT.parent / "shared" / "data" / "sample.ndjson.zst"
# A day in 2016: a history may have ended long ago.
LONG_AGO = 17_000


@contextmanager
def demo(folder: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a demo in ``folder``, without any setting of the developer's; it has ended at the end of the block."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {f"FLATLINE_{s.upper()}" for s in Settings.model_fields}
    }
    with subprocess.Popen(
        [FLATLINE, "demo", "--data-dir", str(folder / "demo"), *arguments],
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def said_by(process: subprocess.Popen[str]) -> str:
    """Return all that a demo says until its end."""
    said, _ = process.communicate(timeout=PATIENCE_S)
    return said


def _text_at(address: str) -> str:
    """Return a page's HTML; nothing while there is none."""
    try:
        with urlopen(address) as answer:
            return str(answer.read(), "utf-8")
    except URLError:
        return ""


def left_over(folder: Path) -> list[str]:
    """Return the command lines of the processes that have anything to do with a folder."""
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if str(folder).encode() in command + environment:
            left.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return left


def test_the_story_reaches_slack(tmp_path: Path) -> None:
    """The stop, the crawler's death and the revival are each seen in Slack, and nothing else is; then all is gone."""
    with demo(tmp_path, "--once") as process:
        said = said_by(process)
    assert process.returncode == 0, said
    assert said.count("✓ ") == 6
    assert "✗" not in said
    assert re.search(r"Slack: A source went quiet: crawler-west", said)
    assert re.search(
        r"Slack: • Field notes on time zones: No new link for \d+ days; before that, typically one every", said
    )
    assert left_over(tmp_path) == []


def test_ctrl_c_ends_a_play(tmp_path: Path, kafka_bootstrap: str) -> None:
    """The page shows what is played. Whoever has seen enough gets the terminal back; the exit code tells of it."""
    with demo(tmp_path, FLATLINE_KAFKA_BOOTSTRAP=kafka_bootstrap) as process:
        assert process.stdout
        page = next(found[1] for line in process.stdout if (found := re.search(r"in a browser: (http://\S+)", line)))
        assert any("Imported: " in line for line in process.stdout)
        until("the page lists what was imported", lambda: "Field notes on" in _text_at(f"{page}articles"))
        process.send_signal(signal.SIGINT)
        said = said_by(process)
    assert process.returncode == 130, said
    until("nothing is left", lambda: left_over(tmp_path) == [])


def test_history_that_ended_long_ago_is_played(tmp_path: Path, kafka_bootstrap: str) -> None:
    """A packed file with broken lines, not in order: what can be read is played, the rest is counted."""
    simulated = Simulation(LONG_AGO, tmp_path)
    lines = [report.line for report in simulated.reports(from_ms=0, until_ms=simulated.ends_ms)]
    file = tmp_path / "history.ndjson.gz"
    file.write_bytes(gzip.compress(b"\n".join([b"{broken", *reversed(lines), b'{"url_from": "https://a.example/"}'])))
    played = ("--once", "--history", str(file), "--speed", "100")
    with demo(tmp_path, *played, FLATLINE_KAFKA_BOOTSTRAP=kafka_bootstrap) as process:
        said = said_by(process)
    assert process.returncode == 0, said
    assert f"{len(lines) + 2:,} lines" in said
    assert "2 lines are broken and went to the dead-letter topic: 1 invalid_json, 1 missing_field" in said
    taken = [int(count.replace(",", "")) for count in re.findall(r"([\d,]+) +link(?: events from|s were pushed)", said)]
    assert len(taken) == 2
    assert sum(taken) == len(lines)
    assert re.search(r"[1-9]\d* +articles are steady", said)
    assert "went quiet" not in said


@pytest.mark.skipif(not SAMPLE.exists(), reason=f"{SAMPLE} isn't there")
def test_real_history_is_played(tmp_path: Path, kafka_bootstrap: str) -> None:
    """Events from seventeen years, with addresses as people write them."""
    played = ("--once", "--history", str(SAMPLE), "--speed", "60")
    with demo(tmp_path, *played, FLATLINE_KAFKA_BOOTSTRAP=kafka_bootstrap) as process:
        said = said_by(process)
    assert process.returncode == 0, said
    assert re.search(r"Slack: .* stopped gaining links", said)


def test_what_cant_be_played_is_said(tmp_path: Path) -> None:
    """A folder, a file without events, somebody's folder: a message and exit code 1, before anything is started."""
    empty = tmp_path / "empty.ndjson"
    empty.write_text('{"url_from": "https://a.example/", "url_to": "https://b.example/"}\n')
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "letters").touch()
    for arguments, says in (
        (["--history", str(tmp_path)], "is a folder and no Git repository. A history is a file of link events"),
        (["--history", str(empty)], "has no link event with a date in the past"),
        ([], "holds something that no demo has made"),
    ):
        with demo(tmp_path, *arguments) as process:
            assert says in said_by(process).replace("\n", " ")
        assert process.returncode == 1
