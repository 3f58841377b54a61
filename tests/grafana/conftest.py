import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from flatline.domain.time import DAY_MS
from flatline.local import programs
from tests.grafana.histories import FileHistory, SimulatedHistory
from tests.grafana.installation import Lived, lived_through

SIMULATED: Final = "simulated"
# A file of link events: the dashboards' queries are run on that in the place of all else.
HISTORY_VARIABLE: Final = "FLATLINE_HISTORY_TEST"
SAMPLE: Final = programs.PROJECT.parent / "shared" / "data" / "sample.ndjson.zst"


def histories() -> list[str]:
    """Return what is played: the simulated history, and a real one where it is there; or what the developer wants."""
    if file := os.environ.get(HISTORY_VARIABLE):
        return [file]
    return [SIMULATED, *([str(SAMPLE)] if SAMPLE.exists() else [])]


@pytest.fixture(scope="session", params=histories(), ids=lambda history: Path(history).name)
def lived(
    request: pytest.FixtureRequest, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lived]:
    """Return what a real Prometheus has seen of a real installation that lived through a history: once a session."""
    today = time.time_ns() // 1_000_000 // DAY_MS
    history = SimulatedHistory(today=today) if request.param == SIMULATED else FileHistory(Path(request.param))
    with pytest.MonkeyPatch.context() as patch:
        for variable in [name for name in os.environ if name.startswith("FLATLINE_")]:
            patch.delenv(variable)
        folder = tmp_path_factory.mktemp("lived")
        with lived_through(history, folder, bootstrap=kafka_bootstrap, namespace=folder.name) as found:
            yield found
