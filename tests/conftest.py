import secrets
from collections.abc import Iterator

import hypothesis
import pytest

from deploy.local.kafka import Kafka
from deploy.local.ports import Ports
from deploy.local.supervisor import Supervisor
from streams.settings import Settings

# No property depends on the speed of the machine. A fixture that lives through all examples of a test is meant to.
hypothesis.settings.register_profile(
    "flatline",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
    print_blob=True,
)
hypothesis.settings.load_profile("flatline")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's settings out of the tests."""
    for field in Settings.model_fields:
        monkeypatch.delenv(f"FLATLINE_{field.upper()}", raising=False)


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a real Kafka for the whole session. Tests share it: each works in a `namespace` of its own."""
    folder = tmp_path_factory.mktemp("kafka")
    with Supervisor(folder / "logs", say=print) as supervisor:
        kafka = Kafka(folder / "kafka", Ports(folder / "ports.json"))
        supervisor.start(kafka.process())
        yield kafka.bootstrap


@pytest.fixture
def namespace() -> str:
    """Return a prefix of topics and groups that no other test uses."""
    return f"test-{secrets.token_hex(6)}"
