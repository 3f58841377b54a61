import os
import secrets
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from flatline.local.kafka import Kafka
from flatline.local.ports import Ports
from flatline.local.processes import Child
from flatline.local.supervisor import Supervisor
from flatline.settings import Settings
from tests.postgres import Postgres, installed
from tests.readmodel.places import InFiles, InPostgres, Place

# No property depends on the speed of the machine. A fixture that lives through all examples of a test is meant to.
# The suite tries the same examples each time, so that a failure is due to the change; `make fuzz` looks for new ones.
hypothesis.settings.register_profile(
    "flatline",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
    print_blob=True,
)
# For `make check`: `make test` tries all examples.
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("flatline"), max_examples=20)
# For `make fuzz`: examples that nobody has tried.
hypothesis.settings.register_profile(
    "fuzz", hypothesis.settings.get_profile("flatline"), derandomize=False, max_examples=1000
)
hypothesis.settings.load_profile("flatline")

# A Kafka of a test lives for seconds or minutes. By default most of its CPU time would go into compiling code that is
# meant to run for hours, and into a garbage collector with threads of its own.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

# Programs that are servers, and fixtures that start some.
SERVERS = frozenset({"kafka", "prometheus", "alertmanager"})
SERVER_FIXTURES = frozenset({"broker_of_all", "channel", "cluster", "kafka_bootstrap", "postgres", "talk"})
# Folders whose tests share what takes long to make; elsewhere that is shared within a file at most.
SHARING = ("tests/grafana/", "tests/page/")


class _FilesTogether(LoadScopeScheduling):  # type: ignore[misc]
    """Has the tests that share something run in one process: those of one file, or of one of the folders SHARING."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return next((folder for folder in SHARING if file.startswith(folder)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Distribute the tests so."""
    return _FilesTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start servers, and put them first.

    They take longest and mostly wait: those that only compute fill the gaps in the end.
    """
    for item in items:
        if _has_servers(item):
            item.add_marker(pytest.mark.servers)
    items.sort(key=lambda item: item.get_closest_marker("servers") is None)


def _has_servers(item: pytest.Item) -> bool:
    """Whether a fixture of a test starts servers, or its parameter has one do so."""
    if not isinstance(item, pytest.Function):
        return False
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return (
        bool(SERVER_FIXTURES & set(item.fixturenames))
        or parameters.get("at") == "kafka"
        or parameters.get("place") == "postgresql"
    )


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's settings out of the tests."""
    for field in Settings.model_fields:
        monkeypatch.delenv(f"FLATLINE_{field.upper()}", raising=False)


@pytest.fixture(autouse=True)
def only_marked_tests_start_servers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a test that is not known to start a server fail when it does: `make check` would not be quick any more."""
    if request.node.get_closest_marker("servers") is not None:
        return
    start = Child.start

    def start_others(self: Child) -> None:
        assert self.process.name not in SERVERS, "a test that starts a server is marked as one: pytest.mark.servers"
        start(self)

    monkeypatch.setattr(Child, "start", start_others)


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a real Kafka for the whole session. Tests share it: each works in a `namespace` of its own."""
    folder = tmp_path_factory.mktemp("kafka")
    with Supervisor(folder / "logs", say=print) as supervisor:
        kafka = Kafka(folder / "kafka", Ports(folder / "ports.json"))
        supervisor.start(kafka.process())
        yield kafka.bootstrap


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return a real PostgreSQL for the whole session; without one, the test is skipped."""
    with installed() as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return where read models are made: a test that takes it runs over both databases."""
    if request.param == "sqlite":
        place: Place = InFiles(tmp_path_factory.mktemp("readmodels"))
    else:
        place = InPostgres(request.getfixturevalue("postgres"))
    yield place
    place.close()


@pytest.fixture
def namespace() -> str:
    """Return a prefix of topics and groups that no other test uses."""
    return f"test-{secrets.token_hex(6)}"
