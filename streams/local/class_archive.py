"""The archive of Kafka's classes (class data sharing): Java maps it in the place of reading and verifying jars."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from flatline.local import programs
from flatline.local.kafka import Kafka
from flatline.local.ports import Ports
from flatline.local.supervisor import Supervisor

# It ends before it would be worth compiling anything well.
_HASTE: Final = ("-XX:TieredStopAtLevel=1",)
# Writing takes seconds, and that only once.
_WRITTEN_WITHIN_S: Final = 600


def write(file: Path) -> None:
    """Write the classes that a Kafka loads from start to end. Raises LaunchError, or OSError if Java wrote none.

    The archive is for these jars and this Java; any other Java ignores it.
    """
    file.unlink(missing_ok=True)
    unfinished = file.with_suffix(".new")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        process = Kafka(folder / "kafka", Ports(folder / "ports.json")).process()
        java, *arguments = process.command
        archiving = replace(process, command=[java, f"-XX:ArchiveClassesAtExit={unfinished}", *_HASTE, *arguments])
        with Supervisor(folder / "logs", say=lambda _: None, grace_s=_WRITTEN_WITHIN_S) as supervisor:
            supervisor.start(archiving)
    unfinished.replace(file)


if __name__ == "__main__":
    write(programs.KAFKA_CLASSES)
