"""Rows of tables as the types of `views`."""

from datetime import datetime

from sqlalchemy import RowMapping

from flatline.domain.time import to_datetime
from flatline.readmodel.queries.views import ArticleRow
from flatline.schema.verdict import State


def instant(at_ms: int | None) -> datetime | None:
    """Return ms since the epoch as a datetime."""
    return None if at_ms is None else to_datetime(at_ms)


def article_row(row: RowMapping) -> ArticleRow:
    """Return a row of `articles`."""
    return ArticleRow(
        article=row["key"],
        site=row["site"],
        owner=row["owner"],
        title=row["title"],
        author=row["author"],
        series=row["series"],
        strategy=row["strategy"],
        tier=row["tier"],
        published_at=instant(row["published_ms"]),
        state=None if row["state"] is None else State(row["state"]),
        since=instant(row["since_ms"]),
        reason=row["reason"],
        probability=row["probability"],
        score=row["score"],
        suppressed=bool(row["suppressed"]),
        judged_at=instant(row["judged_ms"]),
        gained_total=row["gained"],
        is_floor=bool(row["is_floor"]),
        lost_total=row["lost"],
        live=row["live"],
        referring_domains=row["domains"],
        first_gained_at=instant(row["first_gained_ms"]),
        last_gained_at=instant(row["last_gained_ms"]),
    )
