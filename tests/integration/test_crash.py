"""Crashes in the middle: every count is that of how the history was made, and every broken line is accounted for."""

import random
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from streams.schema.topics import Topics
from tests.histories import Counts, make_history
from tests.integration.reading import read_all
from tests.integration.running import Installation, importing, until

EVENTS = 80_000
ARTICLES = 1_500
KILLS = 6
SEED = 20_261_122


def test_counts_survive_kill_nine(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """Two workers are killed again and again while a disordered history with repeats and broken lines is imported."""
    history = make_history(events=EVENTS, articles=ARTICLES, seed=SEED)
    path = tmp_path / "history.ndjson"
    path.write_bytes(b"\n".join(history.lines) + b"\n")
    chance = random.Random(SEED)
    with Installation(kafka_bootstrap, namespace, tmp_path) as installation:
        installation.start(1)
        installation.start(2)
        with importing(installation, path):
            for kill in range(KILLS):
                time.sleep(chance.uniform(0.5, 3))
                number = 1 + kill % 2
                installation.kill(number)
                installation.start(number)
        until("everything is accumulated", lambda: _counts(installation).keys() == history.counts.keys())
        counted = _counts(installation)
    wrong = {
        article: (counted[article], count) for article, count in history.counts.items() if counted[article] != count
    }
    assert not wrong
    letters = read_all(kafka_bootstrap, Topics(namespace=namespace).dead_letters)
    assert Counter(letter.value for letter in letters) == Counter(list(history.broken))
    assert {letter.value: letter.headers["reason"] for letter in letters} == history.broken


def _counts(installation: Installation) -> dict[str, Counts]:
    return {
        article: Counts(
            gained_total=row["gained_total"],  # type: ignore[arg-type]
            lost_total=row["lost_total"],  # type: ignore[arg-type]
            live=row["live"],  # type: ignore[arg-type]
            referring_domains=row["referring_domains"],  # type: ignore[arg-type]
            last_gained_at=datetime.fromisoformat(str(row["last_gained_at"])),
        )
        for article, row in installation.articles().items()
    }
