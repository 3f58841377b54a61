"""The table of articles: filtered, sorted, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from sqlalchemy import Connection

from flatline.domain.formatting import count
from flatline.page.drawings import Spark
from flatline.page.rendering import with_query
from flatline.page.saved_views import NAME_CHARACTERS_MAX, SavedView
from flatline.page.views.pages_of_lists import page_or_first
from flatline.page.views.sparks import gained_in_28_days, sparks
from flatline.readmodel.queries.articles import ArticleFilter, Sort, choices_of, count_articles, list_articles
from flatline.readmodel.queries.views import ArticleRow
from flatline.schema.verdict import State

ROWS: Final = 50
_NAMES: Final = ("series", "author", "strategy", "site")
_CHARACTERS_MAX: Final = 500

SORTS: Final[tuple[tuple[Sort, str], ...]] = (
    ("attention", "Needs a look first"),
    ("probability", "Least likely to gain a link"),
    ("since", "Changed last"),
    ("gained", "Most links"),
    ("live", "Most live links"),
    ("domains", "Most domains"),
    ("last_gained", "Newest link"),
    ("article", "Address"),
)


@dataclass(frozen=True)
class ShownArticle:
    """An article, and what the table shows beside it."""

    row: ArticleRow
    gained_28: int
    spark: Spark


@dataclass(frozen=True)
class ArticlesView:
    """The page. ``chosen``: filters, search and sorting by their names, as they were asked for.

    ``saved``: views that the reader's browser remembers.
    """

    shown: Sequence[ShownArticle]
    chosen: Mapping[str, str]
    choices: Mapping[str, Sequence[str]]
    total_words: str
    next_path: str | None
    csv_path: str
    saved: Sequence[SavedView]
    name_characters_max: int = NAME_CHARACTERS_MAX
    states: Sequence[str] = tuple(each.value for each in State)
    sorts: Sequence[tuple[str, str]] = SORTS


def articles_view(
    connection: Connection,
    query: Mapping[str, str],
    *,
    now_ms: int,
    is_fragment: bool,
    saved: Sequence[SavedView] = (),
) -> ArticlesView:
    """Return the page that a query asks for; what it asks in vain is left out. A fragment has no choices of filters."""
    asked = {name: query.get(name, "")[:_CHARACTERS_MAX] for name in ("q", "state", *_NAMES, "suppressed")}
    sort: Any = query.get("sort")
    sort = sort if sort in get_args(Sort) else SORTS[0][0]
    chosen = ArticleFilter(
        state=[State(asked["state"])] if asked["state"] in set(State) else [],
        suppressed=True if asked["suppressed"] else None,
        q=asked["q"] or None,
        series=asked["series"] or None,
        author=asked["author"] or None,
        strategy=asked["strategy"] or None,
        site=asked["site"] or None,
    )

    page = page_or_first(
        lambda cursor: list_articles(
            connection, chosen, sort=sort, is_descending=sort != "article", cursor=cursor, limit=ROWS
        ),
        query.get("after"),
    )
    drawn, gained = (
        sparks(connection, page.rows, now_ms=now_ms),
        gained_in_28_days(connection, page.rows, now_ms=now_ms),
    )
    order = "" if sort == "article" else "-"
    return ArticlesView(
        shown=[ShownArticle(row, gained.get(row.article, 0), drawn[row.article]) for row in page.rows],
        chosen=asked | {"sort": sort},
        choices={} if is_fragment else {name: choices_of(connection, name) for name in _NAMES},
        total_words=count(count_articles(connection, chosen), "article"),
        next_path=with_query("/articles", **asked, sort=sort, after=page.next) if page.next else None,
        csv_path=with_query("/api/v1/articles", **asked, sort=f"{order}{sort}", format="csv"),
        saved=saved,
    )
