"""`flatline backtest`, as a person or a script runs it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import zstandard

from tests.cli.in_process import flatline


def _flatline(*arguments: object, **settings: str) -> CompletedProcess[str]:
    return flatline(*arguments, COLUMNS="120", **settings)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of three articles that gained links weekly: one still does, one stopped, one paused."""
    start = datetime(2018, 1, 1, tzinfo=UTC)
    weeks = {"alive": range(300), "stopped": range(60), "paused": [*range(60), *range(110, 120)]}
    events = [
        {
            "url_from": f"https://from.example/{name}/{week}",
            "url_to": f"https://t.example/{name}",
            "occurred_at": (start + timedelta(weeks=week)).isoformat(),
        }
        for name, at in weeks.items()
        for week in at
    ]
    path = tmp_path_factory.mktemp("history") / "links.ndjson.zst"
    path.write_bytes(zstandard.compress("".join(json.dumps(event) + "\n" for event in events).encode()))
    return path


def test_json_is_one_object(history: Path, tmp_path: Path) -> None:
    """A script reads rows of precision and delay, the fixed gap's, the calibration, the Brier score and the alerts."""
    run = _flatline("backtest", history, "--json", "--picture", tmp_path / "p.svg", "--picture", tmp_path / "p.png")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    row = {"precision", "threshold", "mean_delay_days", "median_delay_days", "alerts", "right"}
    for rows in (found["precision_delay"], found["fixed_gap"]):
        assert [each["precision"] for each in rows] == [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
        assert all(row <= each.keys() for each in rows)
    assert all({"said", "observed", "looks"} == each.keys() for each in found["calibration"])
    by_gap = found["calibration_by_gap"]
    assert all({"gap_days", "rate", "said", "observed", "looks"} == each.keys() for each in by_gap)
    # A weekly article passes through all paces in its first year; only the two that stopped have long pauses.
    assert [each["rate"] for each in by_gap if each["gap_days"] == 0] == ["<6", "6-20", "20-52", ">=52"]
    assert {each["rate"] for each in by_gap if each["gap_days"] > 7} == {">=52", "6-20"}
    assert 0 <= found["brier"] < 0.25
    silent = [each for each in found["alerts"] if each["kind"] == "silent"]
    assert {each["article"] for each in silent} == {"https://t.example/stopped", "https://t.example/paused"}
    assert (tmp_path / "p.svg").read_text().startswith("<?xml")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_names_what_was_said(history: Path) -> None:
    """A person reads which articles alerted, and how that compares with a fixed gap."""
    run = _flatline("backtest", history)
    assert run.returncode == 0, run.stderr
    for said in ("430 events of 3 articles", "t.example/stopped", "right", "fixed gap", "Brier score"):
        assert said in run.stdout


def test_the_policy_changes_the_alerts(history: Path, tmp_path: Path) -> None:
    """The file of `--policy`, or of FLATLINE_POLICY_FILE, holds; a lower threshold alerts earlier."""
    policy = tmp_path / "policy.toml"
    policy.write_text("[judgement]\ncooling_score = 0.05\nsilent_score = 0.1\n")
    usual, early, by_setting = (
        json.loads(_flatline("backtest", history, "--json", *options, **settings).stdout)["alerts"][0]["date"]
        for options, settings in (
            ((), {}),
            (("--policy", policy), {}),
            ((), {"FLATLINE_POLICY_FILE": str(policy)}),
        )
    )
    assert early == by_setting < usual


def test_registered_articles_have_their_tier(history: Path, tmp_path: Path) -> None:
    """A registered article is judged by the thresholds of its tier, the others by the usual ones."""
    policy, articles = tmp_path / "policy.toml", tmp_path / "articles.csv"
    policy.write_text("[tiers.1]\ncooling_score = 0.05\nsilent_score = 0.1\n")
    articles.write_text("url,tier\nhttp://www.t.example/stopped/,1\n")
    run = _flatline("backtest", history, "--json", "--policy", policy, "--articles", articles)
    delays = {each["article"]: each["delay_days"] for each in json.loads(run.stdout)["alerts"] if "delay_days" in each}
    assert delays["https://t.example/stopped"] < delays["https://t.example/paused"]


def test_a_source_that_died_explains_its_articles(tmp_path: Path) -> None:
    """Of articles whose only source sent its last heartbeat before they fell silent, none is said to be silent."""
    start = datetime(2018, 1, 1, tzinfo=UTC)
    weeks = [(name, week) for name, until in (("stopped", 60), ("alive", 300)) for week in range(until)]
    events = [
        {
            "url_from": f"https://from.example/{name}/{week}",
            "url_to": f"https://t.example/{name}",
            "occurred_at": (start + timedelta(weeks=week)).isoformat(),
            "source": name,
        }
        for name, week in weeks
    ]
    dead = (start + timedelta(weeks=62)).isoformat()
    links, heartbeats = tmp_path / "links.ndjson", tmp_path / "heartbeats.ndjson"
    links.write_text("".join(json.dumps(event) + "\n" for event in events))
    heartbeats.write_text(json.dumps({"source": "stopped", "sent_at": dead, "seen_until": dead, "period_s": 3600}))
    seeing, unseen = (
        json.loads(_flatline("backtest", links, "--json", *options).stdout)["alerts"]
        for options in ((), ("--heartbeats", heartbeats))
    )
    assert [(each["kind"], each["article"]) for each in seeing] == [("silent", "https://t.example/stopped")]
    assert unseen == []


def test_the_printed_policy_is_accepted(history: Path, tmp_path: Path) -> None:
    """What `flatline policy show` prints is a policy file."""
    policy = tmp_path / "policy.toml"
    policy.write_text(_flatline("policy", "show").stdout)
    assert _flatline("backtest", history, "--policy", policy).returncode == 0


def test_what_can_be_mended_is_said(history: Path, tmp_path: Path) -> None:
    """No file, nothing readable, too little history, a bad policy: one message, exit code 1, and nothing on stdout."""
    bad, little, policy = tmp_path / "bad", tmp_path / "little", tmp_path / "policy.toml"
    bad.write_text("no json\n")
    little.write_text(
        '{"url_from":"https://a.example/","url_to":"https://b.example/","occurred_at":"2020-01-01T00:00:00Z"}'
    )
    policy.write_text("[judgement]\nsilent = 1\n")
    for arguments, message in (
        (("missing.ndjson",), "missing.ndjson can't be read: No such file"),
        ((bad,), "No link event with a date could be read in 1 lines"),
        ((little,), "Too little history to test anything"),
        ((history, "--policy", policy), "line 2: there is no 'judgement.silent'"),
    ):
        run = _flatline("backtest", *arguments, "--json")
        assert (run.returncode, run.stdout) == (1, ""), arguments
        assert message in run.stderr
    assert _flatline("backtest", history, "--picture", "p.gif").returncode == 2


def test_strict_tells_of_rejected_lines(history: Path, tmp_path: Path) -> None:
    """Bad lines are left out and named; with --strict they end in exit code 4."""
    bad = tmp_path / "bad"
    bad.write_text("no json\n")
    run = _flatline("backtest", history, bad)
    assert run.returncode == 0
    assert "1 invalid_json; the first in" in run.stdout
    assert _flatline("backtest", history, bad, "--strict").returncode == 4


@pytest.mark.parametrize("command", [("worker",), ("up",)])
def test_nothing_starts_with_a_bad_policy(command: tuple[str, ...], tmp_path: Path) -> None:
    """The worker, and all of `flatline up`, refuse at once a policy that they can't read."""
    policy = tmp_path / "policy.toml"
    policy.write_text("[tiers.9]\n")
    settings = {"FLATLINE_POLICY_FILE": str(policy), "FLATLINE_DATA_DIR": str(tmp_path / "data")}
    run = _flatline(*command, **settings)
    assert run.returncode == 1
    assert "there is no tier '9'" in run.stderr
    assert not (tmp_path / "data").exists()
