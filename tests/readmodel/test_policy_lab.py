"""Trials of thresholds: what they are made from, and when they are made anew."""

from pathlib import Path

import pytest

from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, to_datetime
from flatline.policy_file import PolicyFile, load_policy_file, policy_of
from flatline.readmodel.policy_lab import PolicyLab, PolicyTrial, ThresholdsMoved
from flatline.readmodel.projection import Projection
from flatline.schema.article_record import ArticleRecord
from flatline.schema.link_event import LinkEvent
from tests.readmodel.places import Place
from tests.readmodel.projecting import NOW_MS, TOPICS, Log

ARTICLE = "https://a.example/one"
IN_FORCE = ThresholdsMoved()


def links(*days_ago: int, to: str = ARTICLE, **more: str) -> list[LinkEvent]:
    """Return a link of each of these days."""
    return [
        LinkEvent(f"https://x.example/{days}", to, occurred_at=to_datetime(NOW_MS - days * DAY_MS), **more)  # type: ignore[arg-type]
        for days in days_ago
    ]


def test_only_what_can_be_judged_is_tried_and_changes_count_at_once(place: Place) -> None:
    """Imports are no link days. The same state of the tables is not looked at again, and another one is."""
    log, lab = Log(), PolicyLab(PolicyFile(), Hazard())
    with place.empty() as made:
        projection = Projection(made, TOPICS, Policy())
        log.say(*links(*range(500, 700, 10)), *links(*range(500, 700, 10), to=f"{ARTICLE}/two", discovery="import"))
        projection.apply(log.batch())

        def trial(moved: ThresholdsMoved = IN_FORCE) -> PolicyTrial:
            with made.reading() as connection:
                return lab.trial(connection, moved, now_ms=NOW_MS)

        first = trial()
        assert (first.articles, first.tried.alerts, first.tried.right, first.in_force) == (1, 1, 1, first.tried)
        assert first.pauses[0].article == ARTICLE
        assert trial() is first
        assert trial(ThresholdsMoved(silent_score=0.999)).tried.alerts == 0
        log.say(*links(250))
        projection.apply(log.batch())
        (earlier, later) = trial().pauses[::-1]
    assert earlier.tried is not None
    assert (earlier.tried.ending, later.last_gained_on) == ("wrong", to_datetime(NOW_MS - 250 * DAY_MS).date())
    assert earlier.tried.alerted_on < later.last_gained_on


def test_tiers_keep_thresholds_of_their_own(tmp_path: Path, place: Place) -> None:
    """What a tier says of itself holds whatever the thresholds of all others are moved to."""
    path = tmp_path / "policy.toml"
    text = "[tiers.1]\nsilent_score = 0.999\n"
    path.write_text(text)

    lab = PolicyLab(load_policy_file(path), policy_of(text, path=path).hazard)
    log = Log()
    log.say(ArticleRecord(ARTICLE, tier=1), *links(*range(500, 700, 10)))
    log.say(*links(*range(500, 700, 10), to="https://a.example/two"))
    with place.empty() as made:
        Projection(made, TOPICS, Policy()).apply(log.batch())
        with made.reading() as connection:
            trial = lab.trial(connection, ThresholdsMoved(silent_score=0.5), now_ms=NOW_MS)
    assert [each.article for each in trial.pauses] == ["https://a.example/two"]
    assert "silent_score = 0.5" in trial.policy
    assert "[tiers.1]\nsilent_score = 0.999" in trial.policy
    with pytest.raises(ValueError, match="must be below silent_score"):
        lab.file_with(ThresholdsMoved(silent_score=0.3))
