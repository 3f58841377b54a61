"""`flatline connect` with a real Kafka: from a file in a folder to links, and to a verdict."""

import gzip
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flatline.local.ports import Ports
from flatline.schema.topics import Topics
from tests.cli.in_process import flatline
from tests.connectors.pushing import FLATLINE
from tests.connectors.runtime import dying
from tests.integration.reading import read_all
from tests.integration.running import Installation
from tests.waiting import PATIENCE_S, until

ARTICLE = "https://yours.example/article"


def drop(folder: Path, name: str, *urls_from: str) -> None:
    """Write a file into a folder at once, as if a while ago."""
    folder.mkdir(exist_ok=True)
    hidden = folder / f".{name}"
    hidden.write_text("".join(json.dumps({"url_from": url, "url_to": ARTICLE}) + "\n" for url in urls_from))
    changed_s = time.time() - 3_600
    os.utime(hidden, (changed_s, changed_s))
    hidden.replace(folder / name)


def links(bootstrap: str, topics: Topics) -> list[tuple[str, str]]:
    """Return the source and the linking page of each link event in Kafka."""
    events = [json.loads(stored.value or b"") for stored in read_all(bootstrap, topics.links)]
    return [(event["source"], event["url_from"]) for event in events]


def connectors_file(folder: Path, **sections: str) -> Path:
    """Write a file of connectors, all of kind folder."""
    file = folder / "connectors.toml"
    file.write_text("".join(f'[{name}]\nkind = "folder"\nfolder = "{where}"\n' for name, where in sections.items()))
    return file


def test_once_sends_what_is_new_and_shows_what_is_saved(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path
) -> None:
    """A dry run changes nothing; a run sends each file once; a reset has all files sent again; a bad file is kept."""
    file = connectors_file(tmp_path, exports="drop")
    drop(tmp_path / "drop", "a.ndjson", "https://a.example/1", "https://a.example/2")
    environment |= {"FLATLINE_CONNECTORS_FILE": str(file)}

    shown = flatline("connect", "once", "exports", "--dry-run", **environment)
    assert shown.returncode == 0, shown.stderr
    found = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [each["record"]["url_from"] for each in found] == ["https://a.example/1", "https://a.example/2"]
    assert found[1]["origin"] == {"file": "a.ndjson", "line": 2}
    assert links(kafka_bootstrap, topics) == []
    assert flatline("connect", "state", "show", "exports", **environment).returncode == 1

    priced = flatline("connect", "check", "exports", "--cost-only", **environment)
    assert (priced.returncode, priced.stderr) == (0, "")
    assert "cost nothing" in priced.stdout
    assert "The first page" not in priced.stdout
    checked = flatline("connect", "check", "exports", **environment)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "2 link" in checked.stdout
    assert links(kafka_bootstrap, topics) == []

    expected = [("exports", "https://a.example/1"), ("exports", "https://a.example/2")]
    for _ in range(2):  # the second run finds nothing new
        done = flatline("connect", "once", "exports", **environment)
        assert done.returncode == 0, done.stderr
        assert sorted(links(kafka_bootstrap, topics)) == expected
    [row] = map(json.loads, flatline("connect", "list", "--json", **environment).stdout.splitlines())
    assert (row["connector"], row["outcome"], row["failures"]) == ("exports", "completed", 0)
    assert row["ran_at"] < row["next_run_at"]

    (tmp_path / "drop" / "b.xlsx").write_bytes(b"PK\x03\x04 broken")
    os.utime(tmp_path / "drop" / "b.xlsx", (1, 1))
    assert flatline("connect", "state", "reset", "exports", **environment).returncode == 0
    done = flatline("connect", "once", "exports", **environment)
    assert "2 link, 1 that can't be read" in done.stdout
    assert Counter(links(kafka_bootstrap, topics)) == Counter(expected * 2)
    [letter] = read_all(kafka_bootstrap, topics.dead_letters)
    assert (letter.value, letter.headers["connector"], letter.headers["file"]) == (
        b"PK\x03\x04 broken",
        "exports",
        "b.xlsx",
    )
    state = json.loads(flatline("connect", "state", "show", "exports", **environment).stdout)
    assert len(state["position"]["state"]["read"]) == 2


def test_a_check_says_what_a_day_costs(
    kafka_bootstrap: str,  # noqa: ARG001 - the site records are read from there
    topics: Topics,  # noqa: ARG001
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    """Before anything is spent: there is no key yet, and the vendor's address leads nowhere."""
    file = tmp_path / "connectors.toml"
    file.write_text(
        '[ahrefs]\nkind = "ahrefs"\nkey = { file = "nowhere" }\nserver = "http://127.0.0.1:9"\n'
        'every = "12h"\nsites = ["yours.example"]\nbudget = { units = 100 }\n'
    )
    arguments = ("connect", "check", "ahrefs", "--connectors", file)
    refused = flatline(*arguments, "--cost-only", **environment)
    assert refused.returncode == 1
    assert "100 units" in refused.stderr
    file.write_text(file.read_text().replace("100", "700"))
    priced = flatline(*arguments, "--cost-only", **environment)
    assert (priced.returncode, priced.stderr) == (0, "")
    assert "costs at least 4 requests and 200 units (2 runs, one every 12h)" in priced.stdout
    assert "1,000 new links a day add 120 requests and 84,000 units: each comes in 3 runs." in priced.stdout
    checked = flatline(*arguments, **environment)
    assert checked.returncode == 1
    assert checked.stdout == priced.stdout
    assert "nowhere" in checked.stderr


def test_what_stands_before_a_break_is_sent(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path
) -> None:
    """Of a packed file that is cut off, what could be read is in Kafka, and the break is a dead letter."""
    file = connectors_file(tmp_path, exports="drop")
    urls = [f"https://{secrets.token_hex(16)}.example/" for _ in range(6_000)]  # more than is unpacked at once
    drop(tmp_path / "drop", "whole.ndjson", *urls)
    packed = gzip.compress((tmp_path / "drop" / "whole.ndjson").read_bytes())
    (tmp_path / "drop" / "whole.ndjson").unlink()
    (tmp_path / "drop" / "cut.ndjson.gz").write_bytes(packed[: len(packed) * 3 // 4])
    os.utime(tmp_path / "drop" / "cut.ndjson.gz", (1, 1))
    done = flatline("connect", "once", "exports", "--connectors", file, **environment)
    assert done.returncode == 0, done.stderr
    found = links(kafka_bootstrap, topics)
    assert 1_000 < len(found) < 6_000
    assert {url for _, url in found} == set(urls[: len(found)])
    [letter] = read_all(kafka_bootstrap, topics.dead_letters)
    assert f"is broken after line {len(found)}" in letter.headers["detail"]


def test_killed_between_any_two_steps(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path
) -> None:
    """With kill -9 at any step of a run, another run sends what is missing; nothing is lost."""
    drop(tmp_path / "drop", "a.ndjson", "https://a.example/1", "https://a.example/2")
    drop(tmp_path / "drop", "b.ndjson", "https://b.example/1")
    names = ["counted", *(f"killed-{step}" for step in range(1, 21))]
    file = connectors_file(tmp_path, **dict.fromkeys(names, "drop"))
    done = subprocess.run(
        [sys.executable, dying.__file__, str(file), *names],
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    assert 10 < int(file.with_suffix(".steps").read_text()) <= len(names) - 1, "each step is to be tried"
    found = Counter(links(kafka_bootstrap, topics))
    urls = {"https://a.example/1", "https://a.example/2", "https://b.example/1"}
    assert found.keys() == {(name, url) for name in names for url in urls}
    assert all(found["counted", url] == 1 for url in urls)
    assert set(found.values()) == {1, 2}, "what was sent and not yet saved is sent twice, and no more"


@contextmanager
def running(environment: dict[str, str], folder: Path, port: int, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `flatline connect run`; it is killed at the end."""
    with (folder / f"connect-{port}.log").open("ab") as log:
        process = subprocess.Popen(
            [FLATLINE, "connect", "run", "--port", str(port), *arguments], env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def metric(port: int, name: str) -> float | None:
    """Return a metric without labels of a process; None if it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), None)


def test_processes_share_the_connectors_and_one_may_die(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path
) -> None:
    """Two processes run each of eight connectors once; when one is killed the other one runs all."""
    names = [f"folder-{number}" for number in range(8)]
    for name in names:
        drop(tmp_path / name, "first.ndjson", f"https://first.example/{name}")
    file = connectors_file(tmp_path, **{name: name for name in names})
    file.write_text(file.read_text().replace('kind = "folder"', 'kind = "folder"\nevery = "1s"'))
    environment |= {"FLATLINE_CONNECTORS_FILE": str(file), "FLATLINE_SESSION_TIMEOUT_S": "6"}
    ports = Ports(tmp_path / "ports.json")
    one, other = ports.claim("one"), ports.claim("other")

    def found(page: str) -> Counter[tuple[str, str]]:
        return Counter(link for link in links(kafka_bootstrap, topics) if f"//{page}." in link[1])

    def shared() -> bool:
        owned = [metric(port, "flatline_connectors") or 0 for port in (one, other)]
        return sum(owned) == len(names) and min(owned) > 0

    with running(environment, tmp_path, one) as first, running(environment, tmp_path, other):
        until("both run connectors", shared)
        until("all are read", lambda: len(found("first")) == len(names))
        refused = flatline("connect", "once", "folder-0", **environment)
        assert refused.returncode == 1
        assert "`flatline connect run` is running" in refused.stderr
        first.send_signal(signal.SIGKILL)
        until("the other one runs all", lambda: metric(other, "flatline_connectors") == len(names))
        for name in names:
            drop(tmp_path / name, "second.ndjson", f"https://second.example/{name}")
        until("all are read", lambda: len(found("second")) == len(names))
        assert set(found("second").values()) == {1}
        flatline("connect", "state", "reset", "folder-3", **environment)
        until("it was read again", lambda: found("second")["folder-3", "https://second.example/folder-3"] == 2)


def test_from_a_folder_to_a_verdict(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """What is dropped into a folder is judged, and a process that is told to end says that it has."""
    file = connectors_file(tmp_path, exports="drop")
    days = [f"https://blog{day}.example/" for day in range(1, 25)]
    drop(tmp_path / "drop", "export.ndjson", *days)
    port = Ports(tmp_path / "ports.json").claim("connect")
    with Installation(kafka_bootstrap, namespace, tmp_path, FLATLINE_CONNECTORS_FILE=str(file)) as installation:
        installation.start(1)
        with running(installation.environment, tmp_path, port) as process:
            topics = Topics(namespace=namespace, partitions=4)
            until("all are sent", lambda: len(links(kafka_bootstrap, topics)) == len(days))
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        article = installation.articles()[ARTICLE]
        assert article["gained_total"] == len(days)
        instances = installation.run("instances", "list", "--json")
        assert '"connect"' not in instances
