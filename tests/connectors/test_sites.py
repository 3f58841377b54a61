"""`flatline sites` and `articles remove`: nothing is done before it was shown, and what is done can be read."""

import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from flatline.schema import codec
from flatline.schema.topics import Topics
from tests.connectors.pushing import FLATLINE
from tests.integration.reading import read_all
from tests.waiting import PATIENCE_S


def flatline(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `flatline`."""
    command = [FLATLINE, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def test_a_move_is_shown_done_listed_and_undone(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str]
) -> None:
    """Only --yes writes; a host means all that is on it; what was done can be undone once, and be done again."""
    shown = flatline(environment, "sites", "move", "http://www.old.example", "new.example/blog/*")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.endswith("0 known articles with 0 links move.\nNothing was changed. Add --yes to do it.\n")
    assert read_all(kafka_bootstrap, topics.moves) == []
    for command in ("move", "undo", "move"):
        done = flatline(environment, "sites", command, "old.example", "new.example/blog/*", "--yes")
        assert done.returncode == 0, done.stderr
    stored = [record for record in read_all(kafka_bootstrap, topics.moves) if record.value]
    assert {record.key for record in stored} == {b"https://old.example/* https://new.example/blog/*"}
    moves = [codec.moves.decode(record.value) for record in stored]
    assert [move.is_undone for move in moves] == [False, True, False]
    assert sorted({move.decided_at for move in moves}) == [move.decided_at for move in moves]
    (listed,) = map(json.loads, flatline(environment, "sites", "moves", "--json").stdout.splitlines())
    assert (listed["old"], listed["is_undone"]) == ("https://old.example/*", False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("move", "old.example/*", "new.example/a"), "either both end in /*, or neither does"),
        (("move", "old.example", "https://www.old.example/"), "the same address"),
        (("move", "old.example/a b", "ftp://new.example/b"), "neither http nor https"),
        (("undo", "old.example", "new.example"), "was not moved to"),
    ],
)
def test_what_can_not_be_done(
    topics: Topics, environment: dict[str, str], arguments: tuple[str, ...], said: str
) -> None:
    """Wrong usage says why, and ends with exit code 2."""
    done = flatline(environment, "sites", *arguments)
    assert done.returncode == 2, topics.namespace
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_removing(kafka_bootstrap: str, topics: Topics, environment: dict[str, str]) -> None:
    """Each article is named by what it is called now, and its removal is written when that was asked for."""
    flatline(environment, "sites", "move", "old.example", "new.example", "--yes")
    urls = ("old.example/a/", "https://third.example/?utm_source=x")
    shown = flatline(environment, "articles", "remove", *urls)
    assert shown.stdout.splitlines()[:2] == ["https://new.example/a: not known", "https://third.example/: not known"]
    assert read_all(kafka_bootstrap, topics.removals) == []
    done = flatline(environment, "articles", "remove", *urls, "--yes")
    assert done.returncode == 0, done.stderr
    stored = {
        record.key: msgspec.json.decode(record.value or b"") for record in read_all(kafka_bootstrap, topics.removals)
    }
    assert {key: record["url"] for key, record in stored.items()} == {
        key: key.decode() for key in (b"https://new.example/a", b"https://third.example/")
    }


def test_aliases(kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path) -> None:
    """They are given by an option each, or with spaces between them in a table; one that is no URL is refused."""
    done = flatline(environment, "articles", "add", "a.example/1", "--alias", "a.example/0", "--alias", "b.example/0")
    assert done.returncode == 0, done.stderr
    table = tmp_path / "articles.csv"
    table.write_text("url,aliases\nhttps://a.example/2,https://a.example/3 https://a.example/4\n")
    assert flatline(environment, "articles", "import", str(table)).returncode == 0
    stored = {
        record.key: msgspec.json.decode(record.value or b"")["aliases"]
        for record in read_all(kafka_bootstrap, topics.articles)
    }
    assert stored == {
        b"https://a.example/1": ["https://a.example/0", "https://b.example/0"],
        b"https://a.example/2": ["https://a.example/3", "https://a.example/4"],
    }
    assert flatline(environment, "articles", "add", "a.example/1", "--alias", "mailto:x").returncode == 2
