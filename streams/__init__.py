"""Flatline: the links that content earns, and when they stop.

Link events go in, verdicts come out, without Kafka:

>>> import flatline
>>> from datetime import UTC, datetime, timedelta
>>> events = [
...     flatline.LinkEvent(
...         url_from=f"https://blog{week}.example/",
...         url_to="https://yours.example/guide",
...         observed_at=datetime(2025, 1, 1, tzinfo=UTC) + timedelta(weeks=week),
...     )
...     for week in range(30)
... ]
>>> article = flatline.fold(events)["https://yours.example/guide"]
>>> str(flatline.judge(article, now=datetime(2025, 8, 1, tzinfo=UTC)).state)
'steady'
>>> str(flatline.judge(article, now=datetime(2025, 12, 1, tzinfo=UTC)).state)
'silent'
>>> flatline.explain(events, "https://yours.example/guide").pace.usual_gap_days
7.0

``LinkEvent`` is what a connector reports; ``decode_event``, ``encode_event``, ``read_events`` and ``write_events`` are
its JSON and files of it. ``fold`` adds events to their articles (``Article``, to be kept as bytes by ``dump_article``
and ``load_article``); ``judge`` says how one stands (``Verdict``, ``State``); ``explain`` says why (``Explanation``);
``run_backtest`` says which alerts would have come (``BacktestReport``). ``Policy`` has the thresholds,
``load_policy`` reads a file of them. ``Producer`` sends events to Kafka. ``FlatlineError`` is the base of all errors,
``Rejected`` what bad input raises, and ``canonical_url`` the one spelling of an article's address.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flatline.backtest.report import BacktestReport
    from flatline.domain.explanation.explained import Explanation
    from flatline.domain.policy.policy import Policy
    from flatline.domain.state.article import Article
    from flatline.errors import FlatlineError
    from flatline.library.articles import dump_article, fold, judge, load_article
    from flatline.library.events import canonical_url, decode_event, encode_event, read_events, write_events
    from flatline.library.producer import Producer
    from flatline.library.replays import explain, run_backtest
    from flatline.policy_file import load_policy
    from flatline.schema.link_event import LinkEvent
    from flatline.schema.rejection import Rejected
    from flatline.schema.verdict import State, Verdict

# Imported when they are asked for: numpy and Kafka's client would take half a second that most callers don't need.
_MODULES = {
    "Article": "flatline.domain.state.article",
    "Explanation": "flatline.domain.explanation.explained",
    "FlatlineError": "flatline.errors",
    "LinkEvent": "flatline.schema.link_event",
    "Policy": "flatline.domain.policy.policy",
    "Producer": "flatline.library.producer",
    "Rejected": "flatline.schema.rejection",
    "BacktestReport": "flatline.backtest.report",
    "State": "flatline.schema.verdict",
    "Verdict": "flatline.schema.verdict",
    "canonical_url": "flatline.library.events",
    "decode_event": "flatline.library.events",
    "dump_article": "flatline.library.articles",
    "encode_event": "flatline.library.events",
    "explain": "flatline.library.replays",
    "fold": "flatline.library.articles",
    "judge": "flatline.library.articles",
    "load_article": "flatline.library.articles",
    "load_policy": "flatline.policy_file",
    "read_events": "flatline.library.events",
    "run_backtest": "flatline.library.replays",
    "write_events": "flatline.library.events",
}

__all__ = [
    "Article",
    "BacktestReport",
    "Explanation",
    "FlatlineError",
    "LinkEvent",
    "Policy",
    "Producer",
    "Rejected",
    "State",
    "Verdict",
    "canonical_url",
    "decode_event",
    "dump_article",
    "encode_event",
    "explain",
    "fold",
    "judge",
    "load_article",
    "load_policy",
    "read_events",
    "run_backtest",
    "write_events",
]


def __getattr__(name: str) -> Any:
    """Import one of the names."""
    if name not in _MODULES:
        raise AttributeError(f"flatline has no {name}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """Return the names that are there for others."""
    return __all__
