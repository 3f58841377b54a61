from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import Connection

from flatline.api.access import Loopback
from flatline.api.resending import ResendRequest
from flatline.api.writing import MarkRequest
from flatline.clock import WallClock
from flatline.domain.learned.hazard import Hazard
from flatline.domain.time import to_datetime
from flatline.page.app import Page
from flatline.page.forms import Forms
from flatline.policy_file import PolicyFile
from flatline.readmodel.alert_rows import apply_marks
from flatline.readmodel.other_rows import apply_dead_letters
from flatline.readmodel.policy_lab import PolicyLab
from flatline.readmodel.queries.alerts import find_alert
from flatline.schema import codec
from flatline.schema.alert_mark import AlertMark
from flatline.schema.dead_letter import resent
from flatline_connectors.ingest.answers import Refused
from tests.page.portfolio import HOSTILE, NOW_MS, TOPICS, Portfolio, Record, portfolio


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portfolio]:
    """Return a read model of the simulated history."""
    made = portfolio(tmp_path_factory.mktemp("portfolio"))
    yield made
    made.database.close()


@pytest.fixture
def page(known: Portfolio) -> web.Application:
    """Return the page over it, as of NOW_MS."""

    async def reading(query: Callable[[Connection], Any]) -> Any:
        with known.database.reading() as tables:
            return query(tables)

    async def mark(_request: web.Request, number: str, said: MarkRequest) -> None:
        """Put a mark into the read model, as if it came by way of Kafka."""
        with known.database.reading() as tables:
            alert = find_alert(tables, number)
        if alert is None:
            raise Refused(404, "not_found", "There is no alert with this id.")
        at = to_datetime(NOW_MS)
        record = AlertMark(alert.subject, alert.kind, alert.since, said.mark, at, because=said.because, by=HOSTILE[0])
        with known.database.writing() as tables:
            apply_marks(tables, [Record(number.encode(), codec.alert_marks.encode(record), NOW_MS, 0)])

    async def resend(_request: web.Request, number: str, _asked: ResendRequest) -> None:
        """Note in the read model that a dead letter was sent again."""
        with known.database.writing() as tables:
            apply_dead_letters(tables, [Record(None, b"", NOW_MS, 99, tuple(resent(int(number), by=HOSTILE[0])))])

    app = web.Application()
    page = Page(
        reading,
        now_ms=lambda: NOW_MS,
        waiting=lambda: "",
        partitions=TOPICS.layout.partitions,
        wall_ms=WallClock().now_ms,
        forms=Forms(Loopback(), may_write=True),
        mark=mark,
        resend=resend,
        policy_lab=PolicyLab(PolicyFile(), Hazard()),
    )
    app.add_routes(page.routes())
    return app
