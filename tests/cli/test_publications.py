"""`flatline publications list`: from files alone, and from what Kafka keeps."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.in_process import flatline
from tests.integration.running import Installation

ARTICLE = "https://ada.example/article"
LINKS = "".join(
    json.dumps({"url_from": url_from, "url_to": url_to, "occurred_at": f"2026-01-0{day}T00:00:00Z"}) + "\n"
    for url_from, url_to, day in (
        ("https://mag.example/1", ARTICLE, 1),
        ("https://mag.example/2", ARTICLE, 2),
        ("https://blog.example/1", ARTICLE, 3),
        (ARTICLE, "https://blog.example/1", 4),
    )
)
ARTICLES = f"url,author\n{ARTICLE},Ada\n"
VISITS = f"url,domain,day,visits\n{ARTICLE}/,www.mag.example,2026-01-05,30\n{ARTICLE},mag.example,2026-01-05,40\n"
FIGURES = ("domain", "author", "links", "live", "articles", "visits", "links_back")
EXPECTED = [("mag.example", "Ada", 2, 2, 1, 40, 0), ("blog.example", "Ada", 1, 1, 1, 0, 1)]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Return the arguments that name files of links, articles and visits."""
    paths = []
    for name, content in (("links", LINKS + '{"url_from": "nowhere"}\n'), ("articles", ARTICLES), ("visits", VISITS)):
        paths.append(tmp_path / name)
        paths[-1].write_text(content)
    return [str(paths[0]), f"--articles={paths[1]}", f"--visits={paths[2]}"]


def _publications(*arguments: str) -> CompletedProcess[str]:
    """Run it where no Kafka answers."""
    return flatline("publications", "list", *arguments, FLATLINE_KAFKA_BOOTSTRAP="127.0.0.1:1", COLUMNS="120")


def _rows(said: str) -> list[tuple[object, ...]]:
    return [tuple(row[figure] for figure in FIGURES) for row in map(json.loads, said.splitlines())]


def test_files(files: list[str]) -> None:
    """Files are enough: no Kafka is asked, and a line that can't be read is said to be left out."""
    done = _publications(*files, "--json")
    assert (done.returncode, _rows(done.stdout)) == (0, EXPECTED), done.stderr
    assert "Left out, because they can't be read: 1 missing_field." in done.stderr
    assert "mag.example" in _publications(*files, "--min-links=2").stdout


def test_the_table(files: list[str]) -> None:
    """A person sees publications by links, and no column in which there would be nothing."""
    table = _publications(*files).stdout
    rows = [line.split() for line in table.splitlines()]
    assert rows[0] == ["publication", "author", "links", "live", "articles", "visits", "back", "its", "pages"]
    assert rows[1] == ["mag.example", "Ada", "2", "2", "1", "40"]
    assert rows[2][:6] == ["blog.example", "Ada", "1", "1", "1", "1"]
    assert "2 pairs." in table


def test_nobody_is_registered(files: list[str]) -> None:
    """Without authors it says what to do, and sites need none."""
    done = _publications(files[0])
    assert "No article has an author" in done.stderr
    done = _publications(files[0], "--by=site", "--json", "--min-links=2")
    assert [json.loads(line)["site"] for line in done.stdout.splitlines()] == ["ada.example"]


def test_what_kafka_keeps(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """Without files the topics are read, and it says that they do not go back for ever."""
    with Installation(kafka_bootstrap, namespace, tmp_path) as installation:
        installation.run("links", "import", "-", stdin=LINKS.encode())
        installation.run("articles", "import", "-", stdin=ARTICLES.encode())
        installation.run("visits", "import", "-", stdin=VISITS.encode())
        assert _rows(installation.run("publications", "list", "--json")) == EXPECTED
