from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import Connection

from flatline.page.app import Page
from tests.page.portfolio import NOW_MS, TOPICS, Portfolio, portfolio


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

    app = web.Application()
    page = Page(reading, now_ms=lambda: NOW_MS, waiting=lambda: "", partitions=TOPICS.layout.partitions)
    app.add_routes(page.routes())
    return app
