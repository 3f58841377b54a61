"""What a worker costs while no link comes.

Each article is judged once a day, so that costs one judgement, times articles, a day. One judgement is measured on a
worker whose clock is so fast that it is always at it. Verdicts count days, so each judgement publishes one, but for
dormant articles: the verdicts in the topic tell how many articles were judged.
"""

import time
from typing import Final

from tests.bench.worker import Worker, record_count, topics

CLOCK_SPEED: Final = 86_400 / 30

_WINDOW_S: Final = 20
_DAY_S: Final = 86_400


def measure(worker: Worker, *, empty: Worker, fast: Worker, articles: int) -> dict[str, float]:
    """Return the shares of a core and the cost of a judgement.

    ``worker`` knows ``articles`` articles, ``empty`` none; ``fast`` has a clock of `CLOCK_SPEED`, and more articles
    than it may keep decoded, all of which it has judged before.
    """
    workers = worker, empty, fast
    verdicts = topics(fast.namespace).verdicts.name
    before = record_count(fast.bootstrap, verdicts)
    used_s, began_s = [each.cpu_s for each in workers], time.monotonic()
    time.sleep(_WINDOW_S)
    elapsed_s = time.monotonic() - began_s
    share, empty_share, fast_share = (
        (each.cpu_s - before_s) / elapsed_s for each, before_s in zip(workers, used_s, strict=True)
    )
    published = record_count(fast.bootstrap, verdicts) - before
    known, dormant = fast.metric("flatline_articles"), fast.metric("flatline_articles", state="dormant")
    judging_s = (fast_share - empty_share) * elapsed_s / (published * known / (known - dormant))
    return {
        "judging_us_per_article": judging_s * 1e6,
        "idle_judging_core_share": judging_s * articles / _DAY_S,
        "idle_core_share": share,
        "idle_empty_core_share": empty_share,
    }
