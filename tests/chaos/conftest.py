import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.broker import Broker
from tests.chaos.proxy import Proxy
from tests.chaos.saying import say
from tests.chaos.scale import IS_FULL
from tests.chaos.trial import SESSION_TIMEOUT_S, Trial, running_trial

_FULL_TIMEOUT_S = 3_600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the full versions the time that they need."""
    for item in items:
        if IS_FULL and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(_FULL_TIMEOUT_S))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Return the seed of a test: CHAOS_SEED, which repeats an earlier run, or a new one. It is printed."""
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1 << 32))
    say(f"\n{request.node.name}: CHAOS_SEED={seed}")
    return seed


@pytest.fixture
def chance(seed: int) -> random.Random:
    """Return where a test gets its moments from."""
    return random.Random(seed)


@pytest.fixture(scope="session")
def broker_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Return a Kafka that these tests share, and may break."""
    broker = Broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.kill()


@pytest.fixture
def broker(broker_of_all: Broker) -> Broker:
    """Return a Kafka that runs, and may be broken."""
    if broker_of_all.has_ended:
        broker_of_all.start()
    return broker_of_all


@pytest.fixture
def session_timeout_s() -> float:
    """Return the session timeout of workers. A file of tests may have its own."""
    return SESSION_TIMEOUT_S


@pytest.fixture
def trial(broker: Broker, namespace: str, tmp_path: Path, seed: int, session_timeout_s: float) -> Iterator[Trial]:
    """Return an installation without workers."""
    with running_trial(broker.bootstrap, namespace, tmp_path, seed, session_timeout_s=session_timeout_s) as trial:
        yield trial


@pytest.fixture
def proxy(broker: Broker) -> Iterator[Proxy]:
    """Return the proxy before the test's own Kafka."""
    with broker.proxy as proxy:
        yield proxy
