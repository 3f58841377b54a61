"""The Kafka of an installation without the rest of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flatline.local.kafka import Kafka
from flatline.local.lock import sole_use_of
from flatline.local.ports import Ports
from flatline.local.supervisor import Supervisor
from flatline.settings import Settings


@contextmanager
def own_kafka(settings: Settings, say: Callable[[str], None]) -> Iterator[Settings]:
    """Give settings with a Kafka that runs: that which they name, else that of `flatline up`, which is started.

    Raises LaunchError where `flatline up` runs.
    """
    folder = settings.data_dir.resolve() / "kafka"
    if "kafka_bootstrap" in settings.model_fields_set or not folder.exists():
        yield settings
        return
    with sole_use_of(folder.parent), Supervisor(folder.parent / "logs", say) as supervisor:
        kafka = Kafka(folder, Ports(folder.parent / "ports.json"))
        supervisor.start(kafka.process())
        yield settings.model_copy(update={"kafka_bootstrap": kafka.bootstrap})
