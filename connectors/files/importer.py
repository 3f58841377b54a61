"""Lines of files into Kafka: the records among them to their topic, the others to the dead-letter topic."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from flatline.schema.rejected_lines import RejectedLines
from flatline.schema.rejection import Rejected
from flatline_connectors.files.lines import Line, LineFile, UnusableLine
from flatline_connectors.sending.producer import Producer

SOURCE: Final = "import"

T = TypeVar("T")

_LINES_BETWEEN_LOOKS: Final = 500


@dataclass
class ImportCounts:
    """How far an import has come. Blank lines don't count."""

    lines: int = 0
    accepted: int = 0
    rejected: RejectedLines = field(default_factory=RejectedLines)


def take(
    file: LineFile,
    tally: ImportCounts,
    producer: Producer,
    *,
    prepare: Callable[[bytes], T],
    send: Callable[[T], None],
    as_lines: Callable[[LineFile], Iterator[Line | UnusableLine]] = iter,
) -> Iterator[None]:
    """Send each line of the file, in order, and count it in ``tally``; yields now and then, for whoever watches.

    Raise `DeliveryFailed`, and what reading raises. What was sent is on its way: `Producer.flush` waits for it.
    """
    name = file.name
    for line in as_lines(file):
        try:
            if isinstance(line, UnusableLine):
                raise line.rejected
            prepared = prepare(line.value)
        except Rejected as rejected:
            tally.rejected.reject(rejected, file=name, number=line.number)
            producer.send_dead_letter(line.value, rejected, origin={"file": name, "line": line.number})
        else:
            send(prepared)
            tally.accepted += 1
        tally.lines += 1
        if tally.lines % _LINES_BETWEEN_LOOKS == 0:
            yield


def say_finished(producer: Producer) -> None:
    """Say, once Kafka has every link, that the import has seen all there is."""
    producer.heartbeat(SOURCE)
