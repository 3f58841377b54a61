"""`flatline articles show`."""

import sys

import msgspec
import typer
from rich.console import Console

from flatline.cli.exit_codes import FAILED
from flatline.cli.options import Article, Json, with_settings
from flatline.schema.rejection import Rejected
from flatline.settings import Settings


@with_settings()
def show_article(article: Article, *, json: Json = False, settings: Settings) -> None:
    """Show the newest verdict on an article, and its links.

    `flatline explain` shows why.
    """
    from flatline.cli.unknown_article import unknown_article
    from flatline.cli.verdict_view import show_links, show_verdict
    from flatline.domain.urls.canonical import absolute, article_key
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline.readmodel.explaining import known_keys
    from flatline.readmodel.latest_moves import latest_moves
    from flatline.readmodel.latest_verdicts import latest_values
    from flatline.schema import codec
    from flatline.schema.partitioning import partition_of

    try:
        key = article_key(absolute(article, field="article"), field="article")
    except Rejected as rejected:
        raise typer.BadParameter(rejected.detail) from None
    cluster, topics = settings.cluster, serving_topics(settings, Role.READ_MODEL)
    key = latest_moves(cluster, topics).current(key)
    partition = partition_of(key, topics.verdicts.partitions)
    value = latest_values(cluster, topics.verdicts, partition=partition).get(key)
    if value is None:
        unknown = unknown_article(key.decode(), known_keys(cluster, topics), "Kafka")
        Console(stderr=True, highlight=False).print(unknown, markup=False, soft_wrap=True)
        raise typer.Exit(FAILED)
    verdict = codec.verdicts.decode(value)
    if json:
        sys.stdout.buffer.write(msgspec.json.encode(verdict) + b"\n")
        return
    console = Console(highlight=False)
    show_verdict(verdict, console)
    console.print()
    show_links(verdict, console)
    console.print(f"\n`flatline explain {verdict.article}` shows what this is based on.", markup=False, soft_wrap=True)
