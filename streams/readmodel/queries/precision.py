"""How right alerts were: by the links that came after them, and by what people say."""

from typing import Annotated

from msgspec import Meta, Struct
from sqlalchemy import Connection, and_, case, exists, func, select

from flatline.domain.formatting import count, percent
from flatline.domain.time import DAY_MS
from flatline.readmodel.tables import addresses, alert_marks, alerts, links
from flatline.schema.alert_mark import AlertKind, Mark


class MeasuredPrecision(Struct, frozen=True):
    """How right alerts were.

    An alert that an article is silent says how probable it is that no link comes in `horizon_days`. It is decided when
    these days are over, and has come true if no link was gained in them; links that were imported don't count.
    """

    decided: Annotated[int, Meta(description="Alerts on silent articles, with a probability, whose days are over")]
    came_true: Annotated[int, Meta(description="Of these, those after which no link came in these days")]
    said_mean: Annotated[float | None, Meta(description="The mean of the probabilities that these alerts said")]
    right: Annotated[int, Meta(description="Alerts of all kinds that are marked right now")]
    expected: int
    wrong: int


def measured_precision(connection: Connection, *, now_ms: int) -> MeasuredPrecision:
    """Return how right alerts were, by what is known at ``now_ms``."""
    columns = alerts.c
    end_ms = columns.alerted_ms + columns.horizon_days * DAY_MS
    came = exists().where(
        addresses.c.key == columns.subject,
        links.c.article_id == addresses.c.article_id,
        links.c.is_shown,
        links.c.is_organic,
        links.c.first_gained_ms > columns.alerted_ms,
        links.c.first_gained_ms <= end_ms,
    )
    decided = and_(columns.kind == AlertKind.SILENT.value, columns.probability.is_not(None), end_ms <= now_ms)
    decided_alerts, came_true, said = connection.execute(
        select(func.count(), func.sum(case((came, 0), else_=1)), func.avg(columns.probability)).where(decided)
    ).one()
    marked = select(alert_marks.c.mark, func.count()).group_by(alert_marks.c.mark)
    by_mark: dict[str, int] = dict(connection.execute(marked).all())
    return MeasuredPrecision(
        decided=decided_alerts,
        came_true=int(came_true or 0),
        said_mean=None if said is None else float(said),
        right=by_mark.get(Mark.RIGHT.value, 0),
        expected=by_mark.get(Mark.EXPECTED.value, 0),
        wrong=by_mark.get(Mark.WRONG.value, 0),
    )


def came_true_sentence(precision: MeasuredPrecision) -> str:
    """Say how many alerts came true, and what was said of them."""
    if not precision.decided:
        return (
            "No silent alert is old enough to be checked: it comes true if no link comes in the days that it speaks of."
        )
    told = count(precision.decided, "silent alert")
    said = "" if precision.said_mean is None else f" They said {percent(precision.said_mean)} on average."
    share = precision.came_true / precision.decided
    return (
        f"{told} {'is' if precision.decided == 1 else 'are'} old enough to be checked. {precision.came_true:,} came "
        f"true ({percent(share)}): no link came in the days that the alert spoke of.{said}"
    )


def marked_sentence(precision: MeasuredPrecision) -> str:
    """Say how many alerts are marked how."""
    total = precision.right + precision.expected + precision.wrong
    if not total:
        return "Nobody has marked an alert yet."
    return (
        f"People marked {count(total, 'alert')}: {precision.right:,} right, {precision.expected:,} expected, "
        f"{precision.wrong:,} wrong."
    )
