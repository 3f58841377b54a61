"""Lines of files into Kafka: the records among them to their topic, the others to the dead-letter topic."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.files.lines import Line, LineFile, UnusableLine
from flatline_connectors.sending.producer import Producer

SOURCE: Final = "import"

T = TypeVar("T")

_LINES_BETWEEN_LOOKS: Final = 500


class RejectedLine(NamedTuple):
    """Where a rejected line stands, and what is wrong with it."""

    file: str
    number: int
    detail: str


@dataclass
class Tally:
    """How far an import has come. Blank lines don't count."""

    lines: int = 0
    accepted: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)
    # The first line of each reason: enough to see what is wrong with a file, however large.
    examples: dict[Reason, RejectedLine] = field(default_factory=dict)

    def reject(self, rejected: Rejected, *, file: str, number: int) -> None:
        """Count a rejected line."""
        self.rejected[rejected.reason] += 1
        self.examples.setdefault(rejected.reason, RejectedLine(file, number, rejected.detail))


def take(
    file: LineFile,
    tally: Tally,
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
            tally.reject(rejected, file=name, number=line.number)
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
