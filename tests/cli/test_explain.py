"""`flatline explain` on a simulated history, as a person or a script runs it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from flatline.domain.urls.canonical import slug
from tests.cli.in_process import flatline

START = datetime(2020, 1, 1, tzinfo=UTC)
HOSTILE = "\x1b[31mcheap [bold]shoes[/bold]\x07 \u202egnp.exe"
WEEKS = 90


def _explain(*arguments: object, columns: int = 120) -> CompletedProcess[str]:
    return flatline("explain", *arguments, COLUMNS=str(columns), FORCE_COLOR="", TERM="xterm-256color")


def _event(article: str, week: int, **more: object) -> dict[str, object]:
    return {
        "url_from": f"https://from{week % 7}.example/{article}/{week}",
        "url_to": f"https://t.example/{article}",
        "occurred_at": (START + timedelta(weeks=week)).isoformat(),
        "source": "crawler",
        **more,
    }


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of four articles with a link a week: one stopped after 60 weeks, the last link in a footer."""
    events = [_event("stopped", week) for week in range(59)]
    events.append(_event("stopped", 59, anchor=HOSTILE, placement="footer", rel=["nofollow"]))
    later = (START + timedelta(weeks=70)).isoformat()
    events.append(_event("stopped", 58) | {"change": "lost", "lost_reason": "HTTP 404", "occurred_at": later})
    events += [_event(f"alive-{number}", week) for number in range(3) for week in range(WEEKS)]
    path = tmp_path_factory.mktemp("history") / "links.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_a_person_reads_all_that_it_rests_on(history: Path) -> None:
    """Any address of the article will do; each part of the verdict is there, and what speaks for it."""
    run = _explain("http://www.t.example/stopped/?utm_source=x", "--from", history)
    assert run.returncode == 0, run.stderr
    for said in (
        "SILENT since",
        "It has probably stopped gaining links.",
        "Probability of no new link in the next 180 days",
        "no link for 210 days",
        "speaks for silence",
        "gained (line) and expected (dots)",
        "the curve learned from",
        "chance of so few",
        "60 links gained from 7 domains",
        "Profile:",
        "in a footer, nofollow",
        "lost: the page is gone",
        "crawler",
        "no heartbeats, and no known rhythm",
        "on curve. The site t.example gained",
        "2020-01-29  steady",
        "silent_score",
    ):
        assert said in run.stdout, said


def test_what_alerts_call_it_is_an_address(history: Path) -> None:
    """The label can be copied as it is; of one that was cut it is said that it was."""
    found = json.loads(_explain("t.example/stopped", "--from", history, "--json").stdout)
    assert found["verdict"]["article"] == "https://t.example/stopped"
    run = _explain(slug("https://t.example/" + "a" * 300), "--from", history)
    assert run.returncode == 2
    assert "cut at 200 characters" in run.stderr


def test_a_script_gets_the_same_facts(history: Path) -> None:
    """The object has the verdict, its probability and what moves it, the curve, links, sources, groups and policy."""
    found = json.loads(_explain("https://t.example/stopped", "--from", history, "--json").stdout)
    assert found["verdict"]["state"] == "silent"
    assert found["said"] is None
    assert round(found["probability"], 2) == found["verdict"]["probability"]
    assert round(found["score"], 2) == found["verdict"]["score"]
    assert found["moved_by"][0]["fact"] == "no link for 210 days"
    assert found["pace"]["usual_gap_days"] == found["pace"]["mean_gap_days"] == 7
    assert found["silent_from"] == found["verdict"]["since"][:10]
    assert found["curve"][-1]["gained"] == 60
    assert found["curve"][-1]["expected"] > 62
    assert found["expectation"]["90"]["gained"] == 0
    newest = found["links"][0]
    assert newest["anchor"] == HOSTILE
    assert newest["is_thin"] is True
    assert newest["why"] == ["in a footer", "nofollow", "on a domain whose links to several of our articles last"]
    assert [link["gained_on"] for link in found["links"]] == sorted(
        (link["gained_on"] for link in found["links"]), reverse=True
    )
    assert found["sources"][0]["source"] == "crawler"
    assert {(each["kind"], each["name"]) for each in found["groups"]} == {("site", "t.example"), ("month", "2020-01")}
    assert found["policy"]["silent_score"] == 0.6
    assert [each["said"] for each in found["changes"]][-1] == ["silent"]


def test_the_past_is_explained_as_it_was(history: Path) -> None:
    """As of a day, nothing later is known; a day before the first link knows nothing."""
    found = json.loads(_explain("https://t.example/stopped", "--from", history, "--json", "--on", "2020-12-31").stdout)
    assert found["verdict"]["judged_at"].startswith("2020-12-31")
    assert found["verdict"]["gained_total"] == 53
    assert found["verdict"]["state"] == "steady"
    assert found["links"][0]["gained_on"] == "2020-12-30"
    assert max(each["date"] for each in found["changes"]) <= "2020-12-31"
    early = _explain("https://t.example/stopped", "--from", history, "--on", "2019-12-31")
    assert early.returncode == 1
    assert "was found in these files by 2019-12-31" in early.stderr


def test_what_was_foreseen_comes_true(history: Path) -> None:
    """The day that is named for silence, if no link comes, is the day on which it is said."""
    then = json.loads(_explain("https://t.example/stopped", "--from", history, "--json", "--on", "2021-02-20").stdout)
    now = json.loads(_explain("https://t.example/stopped", "--from", history, "--json").stdout)
    said = {each["said"][0]: each["date"] for each in now["changes"]}
    assert then["silent_from"] == said["silent"]
    assert then["cooling_from"] == said["cooling"]


def test_a_pause_of_every_year_stands_beside_the_probability(tmp_path: Path) -> None:
    """The probability knows nothing of seasons, so whoever reads it is told, with the month; and when it is overdue."""
    path = tmp_path / "seasonal.ndjson"
    weeks = [round(year * 365.25 / 7) + 1 + week for year in range(3) for week in range(9)]
    path.write_text("".join(json.dumps(_event("seasonal", week)) + "\n" for week in weeks))
    run = _explain("https://t.example/seasonal", "--from", path, "--on", "2022-10-01", columns=300)
    assert "It pauses as every year, and links are expected again in January 2023." in run.stdout
    assert "The probability does not take into account that the article pauses every year" in run.stdout
    assert "If no link comes, it becomes silent on 2023-02-2" in run.stdout
    run = _explain("https://t.example/seasonal", "--from", path, "--on", "2023-03-01", columns=300)
    assert "SILENT since 2023-02-2" in run.stdout
    assert "every year" not in run.stdout


def test_one_link_is_one_link(tmp_path: Path) -> None:
    """One that was imported is left out of the curve, and not several are."""
    path = tmp_path / "links.ndjson"
    events = [*(_event("a", week) for week in range(8)), _event("a", 8, discovery="import", source="archive")]
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    shown = _explain("https://t.example/a", "--from", path).stdout
    assert "1 link of unknown age (from imports and first crawls) is left out." in shown


def test_an_unknown_article_comes_with_those_like_it(history: Path) -> None:
    """A slip of the pen costs one more try; an address like no other is told what to do."""
    run = _explain("https://t.example/stoped", "--from", history)
    assert run.returncode == 1
    assert not run.stdout
    assert "https://t.example/stopped" in run.stderr
    run = _explain("https://else.example/", "--from", history)
    assert run.returncode == 1
    assert "Name the files that have its links with --from." in run.stderr


def test_what_goes_with_files_alone_is_refused_without_them() -> None:
    """The workers keep no past: nothing can be said of a day that has gone."""
    run = _explain("https://t.example/stopped", "--on", "2020-12-31")
    assert run.returncode == 2
    assert "--from" in run.stderr


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_lines_fit_and_foreign_text_only_shows(history: Path, columns: int) -> None:
    """No line is wider than the terminal; an anchor is shown, and neither obeyed by it nor read as markup."""
    run = _explain("https://t.example/stopped", "--from", history, columns=columns)
    assert max(map(len, run.stdout.splitlines())) <= columns
    assert all(char.isprintable() or char == "\n" for char in run.stdout)
    shown = "".join(run.stdout.split())
    assert r"“\x1b[31mcheap[bold]shoes[/bold]\x07\u202egnp.exe”" in shown


def test_heartbeats_say_how_far_a_source_has_seen(history: Path, tmp_path: Path) -> None:
    """Of a source that died with the article nothing worse is said, and why stands beside it."""
    died = START + timedelta(weeks=59, days=1)
    heartbeats = tmp_path / "heartbeats.ndjson"
    beat = {"source": "crawler", "sent_at": died.isoformat(), "seen_until": died.isoformat(), "period_s": 86_400}
    heartbeats.write_text(json.dumps(beat) + "\n")
    run = _explain("https://t.example/stopped", "--from", history, "--heartbeats", heartbeats, columns=300)
    assert "STEADY since" in run.stdout
    assert "do not count, because its source crawler has seen nothing since 2021-02-18" in run.stdout
    assert "STALE: complete until" in run.stdout
    assert "The site t.example gained" not in run.stdout  # nothing is asked of articles that nobody could see


def test_the_policy_in_force_is_named(history: Path, tmp_path: Path) -> None:
    """What a policy file changes is marked, whether or not it is shown otherwise."""
    policy = tmp_path / "policy.toml"
    policy.write_text("[judgement]\nsilent_gaps = 90\nrevived_for_days = 7\n")
    run = _explain("https://t.example/stopped", "--from", history, "--policy", policy)
    assert "COOLING since" in run.stdout
    assert "set by the policy file; default 2" in run.stdout
    assert "revived_for_days" in run.stdout
