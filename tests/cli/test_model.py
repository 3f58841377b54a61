"""`flatline model fit`, as a person or a script runs it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from subprocess import CompletedProcess

import pytest

from tests.cli.in_process import flatline


def _flatline(*arguments: object) -> CompletedProcess[str]:
    return flatline(*arguments, COLUMNS="120")


def _history(path: Path, *, articles: int) -> Path:
    """Write the links of simulated articles: some gain one a fortnight for years, others stop."""
    chance, start = Random(5), datetime(2018, 1, 1, tzinfo=UTC)
    lines = []
    for article in range(articles):
        day = chance.randrange(300)
        for page in range(chance.choice((12, 40, 60))):
            event = {
                "url_from": f"https://from.example/{article}/{page}",
                "url_to": f"https://t.example/{article}",
                "occurred_at": (start + timedelta(days=day)).isoformat(),
            }
            lines.append(json.dumps(event))
            day += 1 + int(chance.expovariate(1 / 14))
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a history with enough pauses."""
    return _history(tmp_path_factory.mktemp("history") / "links.ndjson", articles=40)


def test_a_team_fits_its_own_model_and_uses_it(links: Path, tmp_path: Path) -> None:
    """The file says what it was fitted on, the command how it does, and a policy that names it is obeyed."""
    run = _flatline(
        "model", "fit", links, "-o", tmp_path / "own.json", "--description", "Simulated", "--horizon-days", 90
    )
    assert run.returncode == 0, run.stderr
    assert "of 40 articles" in run.stdout
    model = json.loads((tmp_path / "own.json").read_bytes())
    assert model["fitted_on"]["description"] == "Simulated"
    assert model["horizon_days"] == 90
    policy = tmp_path / "policy.toml"
    policy.write_text('[model]\nfile = "own.json"\n')
    alerts = json.loads(_flatline("backtest", links, "--policy", policy, "--json").stdout)["alerts"]
    reasons = [alert["reason"] for alert in alerts if alert["kind"] == "silent"]
    assert reasons
    assert all("in the next 90 days" in reason for reason in reasons)


def test_a_model_that_is_not_there_is_named(links: Path, tmp_path: Path) -> None:
    """With the policy file that names it."""
    policy = tmp_path / "policy.toml"
    policy.write_text('[model]\nfile = "nowhere.json"\n')
    run = _flatline("backtest", links, "--policy", policy)
    assert run.returncode == 1
    assert "policy.toml" in run.stderr
    assert "nowhere.json" in run.stderr


def test_too_little_history(tmp_path: Path) -> None:
    """The message says what is missing; nothing is written."""
    run = _flatline("model", "fit", _history(tmp_path / "few.ndjson", articles=2), "-o", tmp_path / "own.json")
    assert run.returncode == 1
    assert "200 are needed" in run.stderr
    assert not (tmp_path / "own.json").exists()
