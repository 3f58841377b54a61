"""`flatline articles`: registering one by hand, and many from a file."""

import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from flatline.schema.topics import Topics
from tests.connectors.examples import gzipped
from tests.connectors.pushing import FLATLINE
from tests.integration.reading import Stored, read_all
from tests.waiting import PATIENCE_S

NDJSON = b'{"url":"http://www.a.example/1/","title":"Ein Titel","unknown":[1, 2]}\n\n{"url":"https://a.example/2"}\n'
FULL = {
    "url": "https://a.example/1",
    "title": "A title, and more",
    "published_at": "2026-01-31T00:00:00Z",
    "author": "Ada",
    "series": "Series; one",
    "strategy": "evergreen",
    "tier": 1,
}


def article(
    environment: dict[str, str], *arguments: str | Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[str]:
    """Run `flatline articles`."""
    command = [FLATLINE, "articles", *map(str, arguments)]
    done = subprocess.run(command, env=environment, input=stdin, capture_output=True, check=False, timeout=PATIENCE_S)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def records(stored: list[Stored]) -> dict[bytes | None, object]:
    """Return the records by key."""
    return {record.key: msgspec.json.decode(record.value or b"") for record in stored}


def test_adding_one(kafka_bootstrap: str, topics: Topics, environment: dict[str, str]) -> None:
    """The record has what was said, its key is the canonical URL, and that is printed."""
    options = [
        f"--{name.replace('_', '-')}={text}" for name, text in FULL.items() if name not in {"url", "published_at"}
    ]
    url = "http://www.a.example/1/?utm_source=x#y"
    done = article(environment, "add", url, *options, "--published-at=2026-01-31")
    assert (done.returncode, done.stdout, done.stderr) == (0, "https://a.example/1\n", "")
    assert records(read_all(kafka_bootstrap, topics.articles)) == {b"https://a.example/1": {**FULL, "url": url}}


def test_adding_by_the_label_of_an_alert(kafka_bootstrap: str, topics: Topics, environment: dict[str, str]) -> None:
    """It becomes the URL that it stands for, as a record has no other."""
    done = article(environment, "add", "a.example/1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "https://a.example/1\n", "")
    assert records(read_all(kafka_bootstrap, topics.articles)) == {
        b"https://a.example/1": {"url": "https://a.example/1", "tier": 2}
    }


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["mailto:a@b.example"], "url: neither http nor https"),
        (["https://a.example/", "--published-at=yesterday"], "RFC3339"),
        (["https://a.example/", "--tier=4"], "--tier"),
        (["https://a.example/", f"--title={'x' * 501}"], "500"),
    ],
)
def test_adding_what_cant_be(environment: dict[str, str], arguments: list[str], complaint: str) -> None:
    """What is wrong with it is a usage error, said before Kafka is asked for anything."""
    done = article(environment, "add", *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_ndjson(kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path) -> None:
    """Records land untouched under their keys; a line that is none goes to the dead-letter topic with its number."""
    path = tmp_path / "articles.gz"
    path.write_bytes(gzipped(NDJSON + b'{"url":"https://a.example/3","tier":9}\n'))
    done = article(environment, "import", "--strict", path)
    assert done.returncode == 4
    assert "3 lines: 2 accepted, 1 rejected" in done.stdout
    assert f"1 invalid_value; the first in {path}, line 4: " in done.stdout
    stored = {record.key: record.value for record in read_all(kafka_bootstrap, topics.articles)}
    lines = NDJSON.split()
    assert stored == {b"https://a.example/1": NDJSON.splitlines()[0], b"https://a.example/2": lines[-1]}
    (letter,) = read_all(kafka_bootstrap, topics.dead_letters)
    assert letter.value == b'{"url":"https://a.example/3","tier":9}'
    assert (letter.headers["file"], letter.headers["line"]) == (str(path), "4")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(kafka_bootstrap: str, topics: Topics, environment: dict[str, str], delimiter: str) -> None:
    """Columns count by name, in any order and letter case; a row that can't be taken is named by its line."""
    rows = [
        ["Tier", "Colour", "URL", "Published At", "title", "author", "series", "strategy"],
        ["1", "red", FULL["url"], "2026-01-31", FULL["title"], " Ada ", FULL["series"], FULL["strategy"]],
        ["", "", "https://a.example/2", "", "two\nlines", "", "", ""],
        ["", "", "", "", "", "", "", ""],
        ["high", "", "https://a.example/3", "", "", "", "", ""],
    ]
    content = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    done = article(environment, "import", "--json", "-", stdin=b"\xef\xbb\xbf" + content.encode())
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["accepted"], summary["rejected_by_reason"]) == (2, {"wrong_type": 1})
    assert records(read_all(kafka_bootstrap, topics.articles)) == {
        b"https://a.example/1": FULL,
        b"https://a.example/2": {"url": "https://a.example/2", "title": "two\nlines"},
    }
    (letter,) = read_all(kafka_bootstrap, topics.dead_letters)
    assert letter.headers["line"] == "6"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            b"Address,Title\nx,y\n",
            "standard input is neither NDJSON nor CSV with a column url: its first line is 'Address,Title'",
        ),
        (b"url,title\nhttps://a.example/,\xff\n", "standard input: line 2 is not UTF-8"),
    ],
)
@pytest.mark.usefixtures("topics")
def test_what_is_no_file_of_articles(environment: dict[str, str], content: bytes, complaint: str) -> None:
    """A file without a column for the URL is an error that says what was found and what was looked for."""
    done = article(environment, "import", "-", stdin=content)
    assert (done.returncode, done.stdout) == (1, "")
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
