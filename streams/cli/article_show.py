"""`flatline articles show`."""

import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from flatline.schema.rejection import Rejected
from flatline.settings import load_settings


def show_article(
    article: Annotated[str, typer.Argument(help="Any address of the article, or the label `article` of its alerts.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object: the verdict as Kafka has it.")] = False,
) -> None:
    """Show the newest verdict on an article, and what is counted of its links. `flatline explain` shows why."""
    from flatline.cli.unknown_article import unknown_article
    from flatline.cli.verdict_view import show_links, show_verdict
    from flatline.domain.urls.canonical import absolute, article_key
    from flatline.generations import serving_topics
    from flatline.readmodel.explaining import known_keys
    from flatline.readmodel.latest_moves import latest_moves
    from flatline.readmodel.latest_verdicts import latest_values
    from flatline.schema import codec
    from flatline.schema.partitioning import partition_of

    try:
        key = article_key(absolute(article, field="article"), field="article")
    except Rejected as rejected:
        raise typer.BadParameter(rejected.detail) from None
    settings = load_settings()
    bootstrap, topics = settings.kafka_bootstrap, serving_topics(settings)
    key = latest_moves(bootstrap, topics).current(key)
    partition = partition_of(key, topics.verdicts.partitions)
    value = latest_values(bootstrap, topics.verdicts, partition=partition).get(key)
    if value is None:
        unknown = unknown_article(key.decode(), known_keys(bootstrap, topics), "Kafka")
        Console(stderr=True, highlight=False).print(unknown, markup=False, soft_wrap=True)
        raise typer.Exit(1)
    verdict = codec.verdicts.decode(value)
    if json:
        sys.stdout.buffer.write(msgspec.json.encode(verdict) + b"\n")
        return
    console = Console(highlight=False)
    show_verdict(verdict, console)
    console.print()
    show_links(verdict, console)
    console.print(f"\n`flatline explain {verdict.article}` shows what this rests on.", markup=False, soft_wrap=True)
