"""What the figures should be, where there is such a figure."""

from collections.abc import Mapping
from typing import Final

AT_LEAST: Final[Mapping[str, float]] = {
    "vs_kafka_streams": 4,
    "vs_bytewax": 1.8,
    "vs_faust": 30,
    "vs_ceiling": 0.45,
    "recovery_articles_per_s": 150_000,
}
AT_MOST: Final[Mapping[str, float]] = {
    "slowdown_million_articles": 1.15,
    "slowdown_hot_article": 1.15,
    "bytes_per_link": 24,
    "bytes_per_article": 1_024,
    "ready_after_s": 20,
    "latency_p99_ms": 1_500,
    "idle_judging_core_share": 0.02,
    "scrape_ms": 100,
    "restart_commit_p99_s": 0.6,
    "restart_loop_blocked_max_s": 0.2,
    "restart_scrape_max_ms": 100,
    "policy_lab_first_trial_s": 5,
}


def wanted(name: str) -> str:
    """Say what a figure should be; nothing where there is no target."""
    if name in AT_LEAST:
        return f"≥ {AT_LEAST[name]:,g}"
    return f"≤ {AT_MOST[name]:,g}" if name in AT_MOST else ""


def is_missed(name: str, figure: float) -> bool:
    """Whether there is a target that the figure does not reach."""
    return figure < AT_LEAST.get(name, figure) or figure > AT_MOST.get(name, figure)
