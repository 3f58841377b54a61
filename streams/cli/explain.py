"""`flatline explain`."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flatline.cli.exit_codes import FAILED
from flatline.cli.options import Article, Articles, Heartbeats, Json, On, WatchFrom, with_settings
from flatline.cli.unknown_article import unknown_article
from flatline.clock import clock_from
from flatline.schema.rejection import Rejected
from flatline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flatline.domain.explanation.explained import Explanation
    from flatline.domain.policy.policy import Policy


@with_settings("policy_file")
def explain(
    article: Article,
    *,
    files: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="Read link events from NDJSON instead of Kafka. Repeatable."),
    ] = None,
    articles: Articles = None,
    heartbeats: Heartbeats = None,
    on: On = None,
    watch_from: WatchFrom = None,
    links: Annotated[int, typer.Option(min=0, help="How many of the newest links to list.")] = 10,
    json: Json = False,
    settings: Settings,
) -> None:
    """Show everything that the verdict on an article is based on.

    The links gained and expected, the probability of silence and what changes it most, the newest links with their
    quality, the sources and how far each has reported, the groups of the article, and the thresholds in force.
    """
    import msgspec

    from flatline.cli.explanation_view import show
    from flatline.domain.urls.canonical import absolute, article_key
    from flatline.policy_file import load_policy

    if not files and any((articles, heartbeats, on, watch_from)):
        raise typer.BadParameter("--articles, --heartbeats, --on and --watch-from go with --from")
    try:
        key = article_key(absolute(article, field="article"), field="article")
    except Rejected as rejected:
        raise typer.BadParameter(rejected.detail) from None
    policy_in_force = load_policy(settings.policy_file)
    errors = Console(stderr=True, highlight=False)
    if files:
        found, known, known_where = _by_files(
            key,
            policy_in_force,
            settings,
            files=files,
            articles=articles or [],
            heartbeats=heartbeats or [],
            on=on,
            since=watch_from,
            links=links,
        )
    else:
        found, known, known_where = _by_kafka(key, policy_in_force, settings, errors, links=links)
    if found is None:
        errors.print(unknown_article(key.decode(), known, known_where), markup=False, soft_wrap=True)
        raise typer.Exit(FAILED)
    if json:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    else:
        show(found, Console(highlight=False), is_live=not files)


def _by_files(
    key: bytes,
    policy_in_force: "Policy",
    settings: Settings,
    *,
    files: list[Path],
    articles: list[Path],
    heartbeats: list[Path],
    on: datetime | None,
    since: datetime | None,
    links: int,
) -> "tuple[Explanation | None, Iterable[str], str]":
    """Return the explanation, None where the article is not known; the known ones; and where they are known."""
    from flatline.backtest.explaining import explain_history
    from flatline.cli.histories import read_histories
    from flatline.domain.time import EARLIEST_MS, day_of, to_ms

    histories = read_histories(
        files,
        articles,
        heartbeats,
        policy_in_force.ignored,
        Console(stderr=True, highlight=False),
        now_ms=clock_from(settings).now_ms(),
        about=key,
    )
    day = day_of(to_ms(on) if on else histories.end_ms)
    found = explain_history(
        histories,
        key,
        policy_in_force,
        on_day=day,
        links=links,
        watched_since_ms=to_ms(since) if since else EARLIEST_MS,
    )
    where = "these files" if on is None else f"these files by {on:%Y-%m-%d}"
    return found, (each.decode() for each in histories.keys if each != key), where


def _by_kafka(
    key: bytes, policy_in_force: "Policy", settings: Settings, errors: Console, *, links: int
) -> "tuple[Explanation | None, Iterable[str], str]":
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline.readmodel.explaining import explain_live, known_keys

    topics = serving_topics(settings, Role.READ_MODEL)
    cluster = settings.cluster
    with errors.status("reading its partition"):
        found = explain_live(cluster, topics, key, policy_in_force, now_ms=clock_from(settings).now_ms(), links=links)
    return found, known_keys(cluster, topics) if found is None else [], "Kafka"
