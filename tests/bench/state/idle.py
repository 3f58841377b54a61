"""What a worker costs while no link comes.

Each article is judged once a day, so that costs one judgement, times articles, a day. One judgement is measured on a
worker whose clock is so fast that it is always at it. Verdicts count days, so each judgement publishes one, but for
dormant articles: the verdicts in the topic tell how many articles were judged.
"""

import time
from typing import Final

from tests.bench.part import WrongResult, setting
from tests.bench.worker import Worker, record_count

_IDLE_S: Final = 20
_JUDGED_WITHIN_S: Final = 300
_ASK_EVERY_S: Final = 1
_DAY_S: Final = 86_400


def clock_speed() -> float:
    """Return how many times as fast as by the wall the clock of the worker is that is always judging."""
    return _DAY_S / setting("IDLE_DAY_S", 30)


def measure(worker: Worker, *, empty: Worker, fast: Worker, articles: int) -> dict[str, float]:
    """Return the shares of a core and the cost of a judgement.

    ``worker`` knows ``articles`` articles, ``empty`` none; ``fast`` has a clock of `clock_speed`, and more articles
    than it may keep decoded, all of which it has judged before. Raises WrongResult when it judges none of them again.
    """
    workers = worker, empty, fast
    verdicts = fast.topics.verdicts
    before = record_count(fast.bootstrap, verdicts)
    used_s, began_s = [each.cpu_s for each in workers], time.monotonic()
    time.sleep(setting("IDLE_S", _IDLE_S))
    while record_count(fast.bootstrap, verdicts) == before:  # few articles are seldom due
        if time.monotonic() > began_s + _JUDGED_WITHIN_S:
            raise WrongResult(f"No article was judged again, {clock_speed():,.0f} times as fast as by the wall")
        time.sleep(_ASK_EVERY_S)
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
