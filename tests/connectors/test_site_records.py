"""`flatline sites add|list|show|import|remove`, and what Alertmanager is told by them."""

import json
from pathlib import Path

import pytest
import yaml

from flatline.schema.topics import Topics
from tests.connectors.test_sites import flatline
from tests.deploy.alert_rules import DEPLOY
from tests.integration.reading import read_all

ALERTMANAGER_YML = DEPLOY / "alertmanager" / "alertmanager.yml"


def test_a_record_is_written_shown_and_removed(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path
) -> None:
    """By one key however the domain is written; what is removed was there, and is only removed with --yes."""
    options = (
        "--owner",
        "Docs team",
        "--channel",
        "#docs",
        "--time-zone",
        "Europe/Paris",
        "--alias-domain",
        "b.example",
    )
    rules = ("--series-rule", "/guides=Guides")
    listing = ("--listing", "https://a.example/feed")
    ignored = ("--ignored-parameter", "promo", "--ignored-parameter", "ab_*")
    done = flatline(environment, "sites", "add", "https://www.A.example/", *options, *rules, *listing, *ignored)
    assert (done.returncode, done.stdout) == (0, "a.example\n"), done.stderr
    table = tmp_path / "sites.csv"
    table.write_text("domain,role,series,channel\npeer.example,peer,,\nc.example,,/x=X; /y=Y,#c\nc.example/a,,,\n")
    imported = flatline(environment, "sites", "import", str(table))
    assert imported.returncode == 0, imported.stderr
    assert "1" in imported.stdout
    assert {record.key for record in read_all(kafka_bootstrap, topics.sites)} == {
        b"a.example",
        b"peer.example",
        b"c.example",
    }
    listed = {
        record["domain"]: record
        for record in map(json.loads, flatline(environment, "sites", "list", "--json").stdout.splitlines())
    }
    assert listed["c.example"]["series"] == [{"path": "/x", "series": "X"}, {"path": "/y", "series": "Y"}]
    assert {name: each["role"] for name, each in listed.items()} == {
        "a.example": "own",
        "c.example": "own",
        "peer.example": "peer",
    }
    shown = json.loads(flatline(environment, "sites", "show", "blog.b.example", "--json").stdout)
    assert (
        shown
        == listed["a.example"]
        == {
            "domain": "a.example",
            "role": "own",
            "aliases": ["b.example"],
            "owner": "Docs team",
            "channel": "docs",
            "time_zone": "Europe/Paris",
            "listings": ["https://a.example/feed"],
            "series": [{"path": "/guides", "series": "Guides"}],
            "ignored_parameters": ["promo", "ab_*"],
        }
    )
    assert "Docs team" in flatline(environment, "sites", "show", "a.example").stdout

    made = flatline(environment, "sites", "list", "--alertmanager", str(ALERTMANAGER_YML))
    receivers = {each["name"] for each in yaml.safe_load(made.stdout)["receivers"]}
    assert {"slack-articles", "slack-articles-docs", "slack-articles-c"} <= receivers

    assert "Nothing was removed" in flatline(environment, "sites", "remove", "a.example").stdout
    assert flatline(environment, "sites", "remove", "A.example", "--yes").returncode == 0
    remaining = flatline(environment, "sites", "list").stdout
    assert "a.example" not in remaining
    assert "peer.example" in remaining


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("show", "a.example"), "has no record", 2),
        (("remove", "a.example", "--yes"), "has no record", 2),
        (("list", "--alertmanager", __file__), "no configuration of Alertmanager", 1),
    ],
)
def test_what_can_not_be_done(
    topics: Topics, environment: dict[str, str], arguments: tuple[str, ...], said: str, code: int
) -> None:
    """Each mistake is said, and nothing is written."""
    assert topics
    done = flatline(environment, "sites", *arguments)
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert done.returncode == code
