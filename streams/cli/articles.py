"""`flatline articles`: list, register and remove articles."""

from typing import Annotated

import typer

from flatline.cli.article_list import list_articles
from flatline.cli.article_show import show_article
from flatline.cli.grammar import noun
from flatline.cli.options import Json, RecordsFile, Strict, Yes, with_settings
from flatline.clock import clock_from
from flatline.schema.rejection import Rejected
from flatline.settings import Settings

app = noun("Your articles and their verdicts.")
app.command("list")(list_articles)
app.command("show")(show_article)


@app.command()
@with_settings()
def add(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Any address of the article, or the label `article` of its alerts.")
    ],
    *,
    title: Annotated[str, typer.Option(help="Title, used in alerts.")] = "",
    published_at: Annotated[str, typer.Option(help="Publication date: 2026-01-31, or 2026-01-31T12:00:00Z.")] = "",
    author: Annotated[str, typer.Option(help="Author.")] = "",
    series: Annotated[str, typer.Option(help="Series. Alerts of a series come in one message.")] = "",
    strategy: Annotated[str, typer.Option(help="Content strategy.")] = "",
    tier: Annotated[int, typer.Option(min=1, max=3, help="Importance; 1 is highest.")] = 2,
    alias: Annotated[list[str] | None, typer.Option(help="A former address of the article. Repeatable.")] = None,
    settings: Settings,
) -> None:
    """Register one article, or change what is registered.

    Prints the key of the article: its canonical URL.
    """
    from flatline.domain.urls.canonical import absolute
    from flatline_connectors.sending import articles
    from flatline_connectors.sending.producer import Producer

    try:
        texts = {
            "url": absolute(url, field="url"),
            "title": title,
            "published_at": published_at,
            "author": author,
            "series": series,
            "strategy": strategy,
            "tier": str(tier),
            "aliases": " ".join(absolute(each, field="alias") for each in alias or ()),
        }
        article = articles.prepare(articles.from_texts(texts))
    except Rejected as rejected:
        raise typer.BadParameter(rejected.detail) from None
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role

    topics = serving_topics(settings, Role.CONNECTORS)
    with Producer(settings.cluster, topics, now_ms=clock_from(settings).now_ms) as producer:
        producer.send_article(article)
    typer.echo(article.key.decode())


@app.command("import")
@with_settings()
def import_file(
    file: RecordsFile,
    *,
    strict: Strict = False,
    json: Json = False,
    settings: Settings,
) -> None:
    """Register the articles of a file.

    NDJSON has one article record per line. CSV has these columns in any order: url, title, published_at, author,
    series, strategy, tier, aliases (separated by spaces). Only url is required. Lines that can't be read go to the
    dead-letter topic with the reason.
    """
    from flatline.cli.importing import ImportRoute, import_all
    from flatline_connectors.sending import articles
    from flatline_connectors.sending.producer import Producer

    def route(producer: Producer) -> ImportRoute[articles.PreparedArticle]:
        return ImportRoute(articles.prepare, producer.send_article, as_lines=articles.TABLE.as_ndjson)

    import_all([file], route, settings, as_json=json, is_strict=strict)


@app.command()
@with_settings()
def fetch(
    addresses: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[URL]...",
            help="A site of yours (yours.example), or the URL of a sitemap or feed of it. Without one: the listings "
            "of your site records.",
            show_default=False,
        ),
    ] = None,
    *,
    yes: Yes = False,
    missing_max: Annotated[
        int, typer.Option(min=0, help="How many registered articles to look at that the sitemaps do not list.")
    ] = 50,
    settings: Settings,
) -> None:
    """Register the articles that your site lists.

    Reads the sitemaps of a site, with all that they name, and feeds. New articles are registered with what is said
    there: title, publication date, author; and with the series that the site's record has for their path. What is
    registered already stays; it only gets what it lacks. Articles that are not listed any more are looked at: permanent
    redirects become former addresses of the new article.
    """
    from flatline.cli import article_fetch

    article_fetch.fetch(addresses or [], settings, yes=yes, missing_max=missing_max)


@app.command()
@with_settings()
def remove(
    urls: Annotated[
        list[str],
        typer.Argument(metavar="URL", help="Any address of each article, or the label `article` of its alerts."),
    ],
    *,
    yes: Yes = False,
    settings: Settings,
) -> None:
    """Forget articles for good: verdicts, metrics, registration.

    Links, visits and registrations from before the removal stay forgotten, even when they are sent again. Registering
    an article again brings it back with what comes after its removal.
    """
    from flatline.domain.urls.canonical import absolute, article_key
    from flatline.readmodel.latest_moves import latest_moves
    from flatline.readmodel.latest_verdicts import latest_verdicts
    from flatline_connectors.sending import articles
    from flatline_connectors.sending.producer import Producer

    try:
        keys = [article_key(absolute(url, field="url"), field="url") for url in urls]
    except Rejected as rejected:
        raise typer.BadParameter(rejected.detail) from None
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role

    roles = (Role.READ_MODEL, Role.CONNECTORS) if yes else (Role.READ_MODEL,)
    topics, clock = serving_topics(settings, *roles), clock_from(settings)
    moves = latest_moves(settings.cluster, topics)
    known = {verdict.article: verdict for verdict in latest_verdicts(settings.cluster, topics.verdicts)}
    removed = list(dict.fromkeys(moves.current(key).decode() for key in keys))
    for url in removed:
        verdict = known.get(url)
        typer.echo(f"{url}: {'not known' if verdict is None else f'{verdict.gained_total:,} links gained'}")
    if not yes:
        typer.echo("Nothing was removed. Add --yes to do it.")
        return
    with Producer(settings.cluster, topics, now_ms=clock.now_ms) as producer:
        for url in removed:
            producer.send_removal(articles.removal_of(url, removed_ms=clock.now_ms()))
    typer.echo(f"{len(removed):,} removed.")
