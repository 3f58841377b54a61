"""`flatline links import`, as a person or a script runs it."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from flatline.schema import codec
from flatline.schema.topics import Topics
from tests.connectors.examples import ACCEPTED, REJECTED, gzipped, key_of, link, zstd
from tests.connectors.pushing import FLATLINE
from tests.integration.reading import read_all
from tests.scripts import script
from tests.waiting import PATIENCE_S

# A blank line is no record, so these two are never rejected in a file.
REJECTED_LINES = {name: line for name, line in REJECTED.items() if line.strip()}


def flatline_import(
    environment: dict[str, str], *arguments: str | Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run it to its end."""
    command = [FLATLINE, "links", "import", *map(str, arguments)]
    return subprocess.run(command, env=environment, input=stdin, capture_output=True, check=False, timeout=PATIENCE_S)


def test_every_example_from_every_kind_of_file(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path
) -> None:
    """Accepted lines of plain, packed and piped files land keyed and untouched; rejected ones with their reasons.

    Blank lines don't count. The summary has every figure, and the import says that it has finished.
    """
    accepted, rejected = list(ACCEPTED.values()), list(REJECTED_LINES.values())
    content = b"\n\n".join([*accepted, *rejected])
    files = {"plain.ndjson": content, "packed.ndjson.gz": gzipped(content), "named-oddly": zstd(content)}
    for name, packed in files.items():
        (tmp_path / name).write_bytes(packed)
    done = flatline_import(environment, "--json", *(tmp_path / name for name in files), "-", stdin=content)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""

    links = read_all(kafka_bootstrap, topics.links)
    assert sorted((link.key, link.value) for link in links) == sorted((key_of(line), line) for line in accepted * 4)

    dead_letters = read_all(kafka_bootstrap, topics.dead_letters)
    assert [letter.value for letter in dead_letters] == rejected * 4
    named = [*(str(tmp_path / name) for name in files), "standard input"]
    first_line = 2 * len(accepted) + 1
    expected = [
        (name.split(".")[0], file, str(first_line + 2 * index))
        for file in named
        for index, name in enumerate(REJECTED_LINES)
    ]
    assert [(d.headers["reason"], d.headers["file"], d.headers["line"]) for d in dead_letters] == expected
    assert all(letter.headers["detail"] for letter in dead_letters)

    summary = json.loads(done.stdout)
    assert summary.pop("seconds") > 0
    assert summary.pop("lines_per_s") > 0
    by_reason = {
        reason: 4 * sum(1 for name in REJECTED_LINES if name.split(".")[0] == reason) for reason, *_ in expected
    }
    assert summary.pop("rejected_by_reason") == by_reason
    assert summary == {
        "lines": 4 * (len(accepted) + len(rejected)),
        "accepted": 4 * len(accepted),
        "rejected": 4 * len(rejected),
        "dead_letter_topic": topics.dead_letters.name,
        "interrupted": False,
    }
    (heartbeat,) = read_all(kafka_bootstrap, topics.heartbeats)
    assert codec.heartbeats.decode(heartbeat.value).period_s is None
    assert heartbeat.key == b"import"


def test_the_order_of_a_file_is_kept_for_each_article(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str]
) -> None:
    """The links to an article lie in Kafka in the order in which the file has them."""
    lines = [link(f"https://a.example/{n}", f"https://b.example/{n % 7}", id=str(n)) for n in range(3000)]
    assert flatline_import(environment, "-", stdin=b"\n".join(lines)).returncode == 0
    stored = read_all(kafka_bootstrap, topics.links)
    for article in range(7):
        key = b"https://b.example/%d" % article
        in_order = [record.value for record in sorted(stored, key=lambda r: r.offset) if record.key == key]
        assert in_order == lines[article::7]


def test_the_summary_says_what_was_rejected_and_where_it_went(topics: Topics, environment: dict[str, str]) -> None:
    """A person reads the reasons, the first line of each, and a command that shows the rejected lines."""
    content = b"nonsense\n" + link("https://a.example/", "https://b.example/") + b"\nnonsense\n{}\n"
    done = flatline_import(environment, "--strict", "-", stdin=content)
    assert done.returncode == 4
    said = done.stdout.decode()
    assert "4 lines: 1 accepted, 3 rejected" in said
    assert "2 invalid_json; the first in standard input, line 1: " in said
    assert "1 missing_field; the first in standard input, line 4: " in said
    command = said.splitlines()[-1].split()
    assert command[:3] == ["python", "-m", "kafka.consumer"]
    shown = [script("python"), *command[1:], "-C", "consumer_timeout_ms=2000"]
    letters = subprocess.run(shown, capture_output=True, check=True, timeout=PATIENCE_S).stdout
    assert letters.count(b"b'nonsense'") == 2
    assert topics.dead_letters.name in said
    assert flatline_import(environment, "--strict", "-").returncode == 0


def test_a_broken_archive_is_taken_up_to_where_it_breaks(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path
) -> None:
    """What could be read is in Kafka, and the message says how much that is; files after it are left alone."""
    lines = [link(f"https://a.example/{n**9}", "https://b.example/") for n in range(20_000)]
    broken, whole = tmp_path / "broken.gz", tmp_path / "whole.ndjson"
    broken.write_bytes(gzipped(b"\n".join(lines))[:-100])
    whole.write_bytes(link("https://a.example/", "https://c.example/"))
    done = flatline_import(environment, broken, whole)
    assert done.returncode == 1
    assert done.stdout == b""
    stored = read_all(kafka_bootstrap, topics.links)
    assert 10_000 < len(stored) < 20_000
    assert f"{broken} is broken after line {len(stored)}: " in done.stderr.decode()
    assert f"Of {len(stored):,} lines read before that, {len(stored):,} are in Kafka." in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert read_all(kafka_bootstrap, topics.heartbeats) == []


def test_a_file_that_cant_be_read_stops_it_before_it_starts(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path
) -> None:
    """Nothing of the other files is sent, and the message names the one."""
    good = tmp_path / "good"
    good.write_bytes(link("https://a.example/", "https://b.example/"))
    done = flatline_import(environment, good, tmp_path / "missing")
    assert done.returncode == 1
    what, remedy = done.stderr.decode().splitlines()
    assert what == f"Error: {tmp_path / 'missing'} can't be read: No such file or directory."
    assert "name of the file" in remedy
    assert read_all(kafka_bootstrap, topics.links) == []
    assert flatline_import(environment).returncode == 2


@pytest.mark.usefixtures("topics")
def test_ctrl_c_ends_it_with_what_was_read(kafka_bootstrap: str, topics: Topics, environment: dict[str, str]) -> None:
    """Ctrl-C while it waits for more: what it has read is in Kafka, it says so, and it is not taken for finished."""
    lines = [link(f"https://a.example/{n}", "https://b.example/") for n in range(1234)]
    with subprocess.Popen(
        [FLATLINE, "links", "import", "-"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        process.stdin.write(b"\n".join(lines) + b"\n")
        process.stdin.flush()
        give_up_at = time.monotonic() + 30
        while len(read_all(kafka_bootstrap, topics.links)) < len(lines):
            assert time.monotonic() < give_up_at
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stdout
        assert process.stderr
        said = process.stdout.read().decode()
        assert said.startswith("Interrupted.")
        assert "1,234 lines: 1,234 accepted" in said
        assert process.stderr.read() == b""
    assert read_all(kafka_bootstrap, topics.heartbeats) == []
