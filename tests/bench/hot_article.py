"""One article with very many links: how much slower the worker is with it than with the same events spread out."""

import os
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.ours import Ours
from tests.bench.rounds import Entrant, take_turns
from tests.bench.workload import Workload

EVENTS: Final = 1_500_000  # long enough for some commits, which come every five seconds while there is much to do
REPEATS: Final = 3
LINKS: Final = 200_000
SHARE: Final = 0.1
ARTICLES: Final = 10_000


def measure(bootstrap: str, folder: Path) -> dict[str, float]:
    """Return the slowdown: 1 is none. Raises WrongResult and LaunchError.

    The article has all its links before the time runs, and gets a tenth of the events after that. There is one
    partition, so that those come first. The other entrant has as many links before, and as many events after, on
    10,000 articles.
    """
    quick = int(os.environ.get("EVENTS", EVENTS))
    links, events = min(LINKS, quick), min(EVENTS, quick)
    spread = Workload(links + events, articles=ARTICLES, partitions=1)
    hot = Workload(links + events, articles=ARTICLES, partitions=1, hot_links=links, hot_share=SHARE)
    entrants = [
        Entrant(Ours("spread", f"{ARTICLES:,} articles"), spread, warm_up=links),
        Entrant(Ours("hot", f"and one of {links:,} links"), hot, warm_up=links),
    ]
    answers = take_turns(bootstrap, folder, entrants, repeats=int(os.environ.get("REPEATS", REPEATS)))
    rates = {name: median(answer.events_per_s for answer in repeats) for name, repeats in answers.items()}
    cpu_s = {name: median(answer.cpu_s_per_million_events for answer in repeats) for name, repeats in answers.items()}
    return {
        "slowdown_hot_article": rates["spread"] / rates["hot"],
        "hot_article_events_per_s": rates["hot"],
        "hot_article_cpu_s_per_million_events": cpu_s["hot"],
        "without_hot_article_events_per_s": rates["spread"],
        "without_hot_article_cpu_s_per_million_events": cpu_s["spread"],
    }
