import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.domain.rhythm import DAY_MS
from tests.grafana.histories import FileHistory, History, SimulatedHistory
from tests.grafana.installation import Lived, lived_through

# A file of link events: the dashboards' queries are run on that in the place of the simulated history.
HISTORY_VARIABLE = "FLATLINE_HISTORY_TEST"


@pytest.fixture(scope="session")
def own_history() -> Path | None:
    """Return the file that the developer wants played."""
    file = os.environ.get(HISTORY_VARIABLE)
    return Path(file) if file else None


@pytest.fixture(scope="session")
def lived(own_history: Path | None, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Return what a real Prometheus has seen of a real installation that lived through a history: once a session."""
    today = time.time_ns() // 1_000_000 // DAY_MS
    history: History = FileHistory(own_history) if own_history else SimulatedHistory(today=today)
    with pytest.MonkeyPatch.context() as patch:
        for variable in [name for name in os.environ if name.startswith("FLATLINE_")]:
            patch.delenv(variable)
        folder = tmp_path_factory.mktemp("lived")
        with lived_through(history, folder, bootstrap=kafka_bootstrap, namespace=folder.name) as found:
            yield found
