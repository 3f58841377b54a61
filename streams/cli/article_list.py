"""`flatline articles list`."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from time import monotonic, sleep
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flatline.cli.options import Json, with_settings
from flatline.domain.formatting import percent
from flatline.schema.verdict import State, Verdict
from flatline.settings import Settings
from flatline.state_styles import STATE_STYLES

if TYPE_CHECKING:
    from flatline.readmodel.queries.views import ArticleRow

FIELDS: Final = (
    "article",
    "state",
    "since",
    "gained_total",
    "lost_total",
    "live",
    "referring_domains",
    "is_floor",
    "last_gained_at",
    "probability",
    "score",
    "reason",
    "impact",
)
_POLL_S: Final = 0.5


class Sort(StrEnum):
    """What to sort by."""

    ARTICLE = "article"
    GAINED = "gained"
    LAST_GAINED = "last-gained"
    SCORE = "score"
    SINCE = "since"


_SORT_KEYS: Final[dict[Sort, Callable[[Verdict], Any]]] = {
    Sort.ARTICLE: lambda verdict: verdict.article,
    Sort.GAINED: lambda verdict: -verdict.gained_total,
    Sort.LAST_GAINED: lambda verdict: -verdict.last_gained_at.timestamp() if verdict.last_gained_at else 0,
    Sort.SCORE: lambda verdict: 1 if verdict.score is None else -verdict.score,
    Sort.SINCE: lambda verdict: -verdict.since.timestamp(),
}
_API_SORTS: Final = {
    Sort.ARTICLE: "article",
    Sort.GAINED: "-gained",
    Sort.LAST_GAINED: "-last_gained",
    Sort.SCORE: "-score",
    Sort.SINCE: "-since",
}
_PAGE_ROWS: Final = 500


@with_settings()
def list_articles(
    *,
    state: Annotated[list[State] | None, typer.Option(help="Only articles in this state. Repeatable.")] = None,
    sort: Annotated[Sort, typer.Option(help="Sort by this; the highest or newest comes first.")] = Sort.ARTICLE,
    json: Json = False,
    wait: Annotated[
        float,
        typer.Option(help="Wait up to this many seconds until the verdicts include every record sent before.", min=0),
    ] = 0,
    settings: Settings,
) -> None:
    """List articles with their newest verdicts.

    The table comes from the API where one answers at FLATLINE_PAGE_URL, which is fast. Otherwise, and with --json or
    --wait, all verdicts are read from Kafka.
    """
    if not json and not wait:
        listed = _from_api(settings, state or [], sort)
        if listed is not None:
            Console().print(article_table(listed))
            return
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline.readmodel.latest_verdicts import latest_verdicts, waiting_records

    topics = serving_topics(settings, Role.READ_MODEL)
    give_up_at = monotonic() + wait
    while (waiting := waiting_records(settings.cluster, topics)) and monotonic() < give_up_at:
        sleep(_POLL_S)
    if waiting:
        Console(stderr=True).print(
            f"[yellow]{waiting:,} records are not processed yet; these verdicts may lack them.[/yellow]"
        )
    verdicts = latest_verdicts(settings.cluster, topics.verdicts)
    chosen = sorted((v for v in verdicts if not state or v.state in state), key=_SORT_KEYS[sort])
    if json:
        options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
        for verdict in chosen:
            sys.stdout.buffer.write(orjson.dumps(_row(verdict), default=msgspec.to_builtins, option=options))
    else:
        Console().print(article_table(chosen))


def _from_api(settings: Settings, states: list[State], sort: Sort) -> "list[ArticleRow] | None":
    """Ask the API that was named for its articles; None where none was, or it gives none."""
    if "page_url" not in settings.model_fields_set:
        return None
    from flatline.api.client import ApiClient, ApiError
    from flatline.readmodel.queries.views import ArticleRow

    query = {"state": [each.value for each in states], "sort": _API_SORTS[sort], "limit": _PAGE_ROWS}
    try:
        client = ApiClient(settings.page_url, token_file=settings.api_token_file)
        return [row for row in client.rows("/articles", ArticleRow, query) if row.state is not None]
    except ApiError:
        return None


def _row(verdict: Verdict) -> dict[str, object]:
    return {field: getattr(verdict, field) for field in FIELDS}


def article_table(verdicts: "Sequence[Verdict | ArticleRow]") -> Table:
    """Return the newest verdicts as a table; counts that are minimums carry a ≥."""
    table = Table(box=None, caption=f"{len(verdicts):,} articles", caption_justify="left")
    for heading in ("state", "since"):
        table.add_column(heading, no_wrap=True)
    table.add_column("article", overflow="fold")
    for heading in ("gained", "lost", "live", "domains", "probability"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("last gained", no_wrap=True)
    for verdict in verdicts:
        at_least = "≥ " if verdict.is_floor else ""
        table.add_row(
            Text(verdict.state or "", STATE_STYLES.get(verdict.state, "") if verdict.state else ""),
            _day(verdict.since),
            Text(verdict.title or verdict.article.removeprefix("https://")),
            f"{at_least}{verdict.gained_total:,}",
            f"{at_least}{verdict.lost_total:,}",
            f"{at_least}{verdict.live:,}",
            f"{at_least}{verdict.referring_domains:,}",
            "" if verdict.probability is None else percent(verdict.probability),
            _day(verdict.last_gained_at),
        )
    return table


def _day(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%d}"
