"""`flatline links import` of other tools' exports: from a file to a verdict."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flatline.schema import codec
from flatline.schema.topics import Topics
from tests.cli.in_process import flatline
from tests.connectors.pushing import FLATLINE
from tests.integration.reading import read_all
from tests.integration.running import Installation

HEADER = (
    "Referring page title\tReferring page URL\tTarget URL\tAnchor\tNofollow\t"
    "Discovered status\tFirst seen\tLost\tLost status"
)


def simulated_export(now: datetime) -> str:
    """Return an export as Ahrefs writes it, simulated: 12 links of the last days, 30 older ones, 3 of them lost."""
    lines = [HEADER]
    for number in range(42):
        seen = now - timedelta(days=number % 12 if number < 12 else 30 + 10 * number)
        lost = f"{now - timedelta(days=5):%Y-%m-%d %H:%M:%S}\tremovedfromhtml" if 20 <= number < 23 else "\t"
        page, article = f"https://site{number}.example/post", "https://yours.example/guide"
        lines.append(f"Page {number}\t{page}\t{article}\tguide\tfalse\tlinkfound\t{seen:%Y-%m-%d %H:%M:%S}\t{lost}")
    return "\n".join(lines)


def test_an_export_becomes_a_verdict(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """The file of a tool, as it was downloaded: its links are counted, its losses, and what is history is no news."""
    file = tmp_path / "backlinks.csv"
    file.write_bytes(simulated_export(datetime.now(UTC)).encode("utf-16"))
    with Installation(kafka_bootstrap, namespace, tmp_path) as installation:
        said = installation.run("links", "import", str(file))
        assert "ahrefs-backlinks (Ahrefs; UTF-16, tab), 42 rows, 42 links" in said
        assert "45 lines: 45 accepted, 0 rejected" in said
        installation.start(0)
        (verdict,) = (
            json.loads(line) for line in installation.run("articles", "list", "--wait=120", "--json").splitlines()
        )
    assert (verdict["gained_total"], verdict["lost_total"], verdict["live"]) == (42, 3, 39)
    assert verdict["referring_domains"] == 42


def links_import(
    environment: dict[str, str], *arguments: object, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run it to its end."""
    command = [FLATLINE, "links", "import", *map(str, arguments)]
    return subprocess.run(command, env=environment, input=stdin, capture_output=True, check=False, timeout=120)


def test_what_arrives_in_kafka(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path
) -> None:
    """Rows become events with the tool as their source; a bad row is a dead letter with its line and its text."""
    file = tmp_path / "sheet.csv"
    file.write_bytes(
        b"Linking page;Target;Found on\n"
        b"https://a.example/;https://yours.example/1;2026-01-31\n"
        b"https://b.example/;yours.example/1;2026-01-31\n"
        b"https://c.example/;https://yours.example/2;2026-02-31\n"
    )
    done = links_import(environment, "--json", "--strict", "--source", "my-sheet", file)
    assert done.returncode == 4, done.stderr
    assert json.loads(done.stdout)["rejected_by_reason"] == {"invalid_url": 1, "invalid_time": 1}
    (link,) = read_all(kafka_bootstrap, topics.links)
    event = codec.links.decode(link.value)
    assert (event.url_from, event.source, event.discovery) == ("https://a.example/", "my-sheet", "import")
    assert event.observed_at == datetime(2026, 1, 31, tzinfo=UTC)
    letters = read_all(kafka_bootstrap, topics.dead_letters)
    assert [(letter.headers["file"], letter.headers["line"]) for letter in letters] == [
        (str(file), "3"),
        (str(file), "4"),
    ]
    assert letters[0].value == b"https://b.example/\tyours.example/1\t2026-01-31"


@pytest.mark.usefixtures("topics")
def test_explaining_needs_no_kafka(environment: dict[str, str], tmp_path: Path) -> None:
    """It says what it recognised and sends nothing; a file that it can't read is named, with exit code 1."""
    file = tmp_path / "backlinks.csv"
    file.write_bytes(simulated_export(datetime.now(UTC)).encode())
    done = links_import({**environment, "FLATLINE_KAFKA_BOOTSTRAP": "127.0.0.1:1"}, "--explain", "--json", file)
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert answer["tables"][0]["format"] == "ahrefs-backlinks"
    assert answer["events"] == {"gained, link_found": 12, "gained, import": 30, "lost, import": 3}
    unknown = links_import(environment, "--explain", "-", stdin=b"a,b\n1,2\n")
    assert unknown.returncode == 1
    assert b"standard input is no export that is known" in unknown.stdout
    refused = links_import(environment, "-", stdin=b"a,b\n1,2\n")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"--map url_from=COLUMN" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "nonsense"], "No format is called nonsense"),
        (["--map", "url_from"], "--map takes FIELD=COLUMN"),
        (["--map", "page=a"], "--map takes FIELD=COLUMN"),
        (["--site", "not a host"], "--site takes a host"),
        (["--exported-on", "2026"], "a date is written 2026-01-31"),
        (["--source", "no spaces"], "--source no spaces"),
        (["--date-order", "sideways"], "day-first"),
    ],
)
def test_a_wrong_option_is_explained(arguments: list[str], words: str, tmp_path: Path) -> None:
    """The message says what the option takes."""
    file = tmp_path / "sheet.csv"
    file.write_text("source url,target url\n")
    done = flatline("links", "import", *arguments, file, "--explain", COLUMNS="200")
    assert done.returncode in {1, 2}
    assert words in done.stderr + done.stdout
