"""Two teams with a Slack channel each, by the parts in teams.yml."""

from pathlib import Path

import pytest

from flatline.local import programs
from tests.deploy.example_parts import write_whole
from tests.deploy.test_alerts import run


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Return the project's configuration with the parts in it."""
    return write_whole(tmp_path, "teams.yml")


def test_the_whole_is_valid(whole: Path) -> None:
    """Alertmanager's own tool accepts the file with the parts in it."""
    run(programs.AMTOOL.required(), "check-config", whole)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": "ArticleSilent", "series": "Guides", "tier": "1"}, "slack-docs"),
        ({"alertname": "ArticleRevived", "series": "Field notes", "tier": "2"}, "slack-docs"),
        ({"alertname": "ArticleSilent", "series": "Guides", "tier": "3"}, "slack-docs-digest"),
        ({"alertname": "ArticleCooling", "series": "Guides", "tier": "1"}, "slack-docs-digest"),
        ({"alertname": "ArticleCooling", "series": "Interviews", "tier": "1"}, "slack-stories-digest"),
        ({"alertname": "ArticleMassLoss", "series": "Interviews", "tier": "3"}, "slack-stories-digest"),
        ({"alertname": "GroupUnderCurve", "series": "Interviews", "kind": "series"}, "slack-stories"),
        ({"alertname": "GroupUnderCurve", "author": "Ada", "kind": "author"}, "slack-articles"),
        ({"alertname": "ArticleSilent", "series": "Guides of others", "tier": "1"}, "slack-articles"),
        ({"alertname": "ArticleSilent", "tier": "1"}, "slack-articles"),
        ({"alertname": "ArticleUnseen", "series": "Guides", "severity": "none"}, "nobody"),
        ({"alertname": "WorkerDown"}, "slack-pipeline"),
    ],
)
def test_alerts_go_to_the_owner(labels: dict[str, str], receiver: str, whole: Path) -> None:
    """A team gets the alerts on its series, and no others; what can wait comes in its own digest."""
    labels = {"severity": "warning"} | labels
    command = ("config", "routes", "test", f"--config.file={whole}", *map("=".join, labels.items()))
    assert run(programs.AMTOOL.required(), *command).strip() == receiver
