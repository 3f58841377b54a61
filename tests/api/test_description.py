"""Whatever its description allows or forbids, and whatever records hold, the API answers as the description says."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import assume, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from flatline.api.openapi import LIVE, description
from tests.api.answering import of_log, serving
from tests.api.histories import history
from tests.readmodel.projecting import database

LINE_CHARACTERS_MAX = 8_000
"""Of the first line of a request: longer ones are refused before they are looked at."""

# A stream has no end. What it says is tested in test_answers.py.
DESCRIBED = schemathesis.openapi.from_dict(description()).exclude(path=LIVE)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the API over a history with hostile texts; nothing can be written."""
    folder = tmp_path_factory.mktemp("described")
    made = of_log(history(), database(folder))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    served = serving(made, folder)
    client: Any = asyncio.run_coroutine_threadsafe(served.__aenter__(), loop).result()
    try:
        yield str(client.make_url("/"))
    finally:
        asyncio.run_coroutine_threadsafe(served.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        made.close()


@pytest.mark.long
@DESCRIBED.parametrize()
@settings(max_examples=20)
def test_it_answers_as_it_says(case: Case, address: str) -> None:
    """What does not fit is refused, and each answer has a status, a type and a body that are described."""
    assume(len(case.as_curl_command()) < LINE_CHARACTERS_MAX)
    # Whether an address or a cursor is one can't be said by a schema.
    case.call_and_validate(base_url=address, excluded_checks=[positive_data_acceptance])
