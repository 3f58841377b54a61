"""The same job on stock Faust: an agent, a table, one write of the article for each new link."""

import asyncio
import os
from typing import Any

import faust
from xxhash import xxh3_64_hexdigest

from flatline.domain.time import day_of, to_ms
from flatline.domain.urls.canonical import referring_domain
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected
from tests.bench.run import Run, Stopwatch, Totals, committed


def main(run: Run) -> None:
    """Run the app until everything is committed."""
    app = faust.App(
        run.namespace,
        broker=f"kafka://{run.bootstrap}",
        store="memory://",
        topic_partitions=run.partitions,
        topic_replication_factor=1,
        consumer_auto_offset_reset="earliest",
        datadir=run.folder,
        web_enabled=False,
    )
    links = app.topic(run.topic, value_type=bytes, value_serializer="raw", key_serializer="raw")
    articles = app.Table("articles", partitions=run.partitions)
    stopwatch = Stopwatch(run)
    tasks: list[asyncio.Future[None]] = []

    async def finish() -> None:
        await committed(app, run)
        stopwatch.stop()(_totals(articles)).give(run)
        os._exit(0)

    @app.agent(links)
    async def accumulate(stream: Any) -> None:
        async for value in stream:
            try:
                event = codec.links.decode(value)
            except Rejected:
                continue
            article = articles.get(event.url_to) or {"links": {}, "domains": {}, "days": {}, "total": 0, "last_ms": 0}
            if _gain(article, event):
                articles[event.url_to] = article
            if stopwatch.applied(1):
                tasks.append(asyncio.ensure_future(finish()))

    faust.Worker(app, loglevel="WARN", quiet=True, redirect_stdouts=False).execute_from_commandline()


def _gain(article: dict[str, Any], event: LinkEvent) -> bool:
    """Add a link to an article; return whether it is new there."""
    link = xxh3_64_hexdigest(event.url_from.encode())
    if link in article["links"] or event.occurred_at is None:
        return False
    gained_ms = to_ms(event.occurred_at)
    day, domain = str(day_of(gained_ms)), referring_domain(event.url_from)
    article["links"][link] = 1
    article["domains"][domain] = 1
    article["days"][day] = article["days"].get(day, 0) + 1
    article["total"] += 1
    article["last_ms"] = max(gained_ms, article["last_ms"])
    return True


def _totals(articles: Any) -> Totals:
    accumulated = list(articles.values())
    return Totals(
        links=sum(article["total"] for article in accumulated),
        referring_domains=sum(len(article["domains"]) for article in accumulated),
        articles=len(accumulated),
    )


if __name__ == "__main__":
    main(Run.from_environment())
