"""`flatline visits import`: what analytics exports, and what it does not know."""

import gzip
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from flatline.schema.topics import Topics
from tests.connectors.examples import SOURCES
from tests.connectors.pushing import FLATLINE, SOURCE, RunningIngest
from tests.integration.reading import read_all
from tests.waiting import PATIENCE_S

URL = "https://yours.example/article"
VISITS = {"url": URL, "domain": "news.example", "day": "2026-01-31", "visits": 12}


def visits_import(
    environment: dict[str, str], content: bytes, *arguments: str, files: Sequence[Path | str] = ("-",)
) -> subprocess.CompletedProcess[bytes]:
    """Run `flatline visits import`, on standard input unless there are files."""
    command = [FLATLINE, "visits", "import", *map(str, files), *arguments]
    return subprocess.run(command, env=environment, input=content, capture_output=True, check=False, timeout=PATIENCE_S)


def test_ndjson(kafka_bootstrap: str, topics: Topics, environment: dict[str, str]) -> None:
    """Records land untouched under their article's key; a line that is none goes to the dead letters."""
    good = msgspec.json.encode({**VISITS, "url": "http://www.yours.example/article/?utm_id=1", "campaign": [1]})
    bad = msgspec.json.encode({**VISITS, "domain": "(direct)"})
    future = msgspec.json.encode({**VISITS, "day": "9999-01-01"})
    done = visits_import(environment, b"\n".join([good, bad, future]), "--json", "--strict")
    assert done.returncode == 4, done.stderr
    assert json.loads(done.stdout)["rejected_by_reason"] == {"invalid_url": 1, "invalid_time": 1}
    assert [(r.key, r.value) for r in read_all(kafka_bootstrap, topics.visits)] == [(URL.encode(), good)]
    letters = {letter.headers["line"]: letter.value for letter in read_all(kafka_bootstrap, topics.dead_letters)}
    assert letters == {"2": bad, "3": future}


def test_csv(kafka_bootstrap: str, topics: Topics, environment: dict[str, str]) -> None:
    """Columns count by name; either way to name the sender is a column, and so is either way to write a day."""
    table = (
        "Visits;URL;Domain;url_from;Day;Sessions\n"
        f"12;{URL};news.example;;2026-01-31;9\n"
        f"3;{URL};;https://other.example/post;20260131;9\n"
        f"many;{URL};news.example;;2026-01-31;9\n"
    )
    done = visits_import(environment, table.encode(), "--json")
    assert (done.returncode, json.loads(done.stdout)["rejected_by_reason"]) == (0, {"wrong_type": 1}), done.stderr
    assert [msgspec.json.decode(r.value or b"") for r in read_all(kafka_bootstrap, topics.visits)] == [
        VISITS,
        {"url": URL, "url_from": "https://other.example/post", "day": "2026-01-31", "visits": 3},
    ]


LOG_LINE = '192.0.2.7 - ada [31/Jan/2026:10:00:00 +0000] "GET /article?mail=x HTTP/1.1" 200 5 "{}" "Firefox"\n'


def test_rotated_logs(kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path) -> None:
    """The visits of rotated logs are added up; nothing in Kafka names a visitor; a second import changes nothing."""
    line = LOG_LINE.format("https://news.example/post?id=7")
    (tmp_path / "access.log").write_text(line * 5 + LOG_LINE.format("-") + line[:50] + "\n")
    (tmp_path / "access.log.1.gz").write_bytes(gzip.compress((line * 7).encode()))
    files = sorted(tmp_path.glob("access.log*"))
    explained = visits_import(environment, b"", "--site", "yours.example", "--explain", files=files)
    assert b"12  news.example -> https://yours.example/article" in explained.stdout
    assert read_all(kafka_bootstrap, topics.visits) == []
    done = visits_import(environment, b"", "--site", "yours.example", files=files)
    again = visits_import(environment, b"", "--site", "yours.example", files=files)
    assert (done.returncode, again.returncode) == (0, 0), done.stderr
    assert b"1 rows skipped: without a referrer" in done.stdout
    record = {**VISITS, "source": "access-log"}
    stored = read_all(kafka_bootstrap, topics.visits)
    assert [(r.key, msgspec.json.decode(r.value or b"")) for r in stored] == [(URL.encode(), record)] * 2
    letters = read_all(kafka_bootstrap, topics.dead_letters)
    assert [(letter.headers["line"], letter.headers["reason"]) for letter in letters] == [("7", "invalid_value")] * 2
    kept = b"".join((each.value or b"") + "".join(each.headers.values()).encode() for each in [*stored, *letters])
    assert not [word for word in (b"192.0.2.7", b"ada", b"mail", b"id=7") if word in kept]


@pytest.mark.usefixtures("topics")
def test_what_is_no_file_of_visits(environment: dict[str, str]) -> None:
    """A table without one of the columns that are needed is an error that names it."""
    done = visits_import(environment, b"url,domain,sessions\nhttps://a.example/,b.example,3\n")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"neither NDJSON nor CSV with a column day" in done.stderr


def test_push(kafka_bootstrap: str, ingest: RunningIngest) -> None:
    """POST /v1/visits takes them as /v1/links does links; but who counts visits is no source that may go stale."""
    first, second = {**VISITS, "source": SOURCES[0]}, {**VISITS, "day": "2026-02-01"}
    answer = ingest.push(msgspec.json.encode([first, {**VISITS, "visits": -1}, second]), path="/v1/visits")
    assert (answer.status, answer.body["accepted"]) == (200, 2)
    assert [(event["index"], event["reason"]) for event in answer.body["rejected"]] == [(1, "invalid_value")]
    stored = read_all(kafka_bootstrap, ingest.topics.visits)
    assert [msgspec.json.decode(record.value or b"") for record in stored] == [first, {**second, "source": SOURCE}]
    (letter,) = read_all(kafka_bootstrap, ingest.topics.dead_letters)
    assert (letter.headers["http_index"], letter.headers["reason"]) == ("1", "invalid_value")
    assert read_all(kafka_bootstrap, ingest.topics.heartbeats) == []
