"""Events that flow through an import and an ingest while a test breaks things."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from tests.chaos.events import Events
from tests.chaos.saying import say
from tests.chaos.trial import EXIT_REFUSED
from tests.connectors.pushing import NDJSON, SOURCE, RunningIngest
from tests.integration.running import FLATLINE
from tests.waiting import PATIENCE_S

ANY_SOURCE: Final = f"{SOURCE},*"
"""For the tokens file: the events name sources of their own."""
_PUSHED_AT_ONCE: Final = 100


@contextmanager
def importing(file: Path, environment: dict[str, str], *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Import a file during the block; after the block again for as long as the command says so."""
    command = [FLATLINE, "links", "import", str(file)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        yield
        _, said = process.communicate(timeout=patience_s)
    assert process.returncode in (0, EXIT_REFUSED), said
    if process.returncode:
        say(f"an import had to be run again: {said.decode()}")
        assert b"Import the whole of it again" in said or b"Kafka" in said, said
        assert b"Traceback" not in said, said
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=patience_s)


@contextmanager
def pushing(
    ingest: RunningIngest, events: Events, *, at_once: int = _PUSHED_AT_ONCE, pause_s: float = 0.0
) -> Iterator[list[bytes]]:
    """Push batches during the block, each again until it is taken; the list gets the events that were.

    With a pause between them, so that a long block has no more events than can be checked.
    """
    taken: list[bytes] = []
    failures: list[BaseException] = []
    is_over = threading.Event()

    def push() -> None:
        while not is_over.is_set():
            batch = [record.value or b"" for record in islice(events, at_once)]
            while (answer := ingest.push(b"\n".join(batch), NDJSON)).status != 200:
                assert answer.status in (429, 503), answer
                say(f"a push was answered with {answer.status}")
                time.sleep(int(answer.headers["Retry-After"]))
            assert answer.body == {"accepted": len(batch), "rejected": []}
            taken.extend(batch)
            is_over.wait(pause_s)

    def push_or_tell() -> None:
        try:
            push()
        except BaseException as failure:  # noqa: BLE001 - it is raised where the block ends
            failures.append(failure)

    thread = threading.Thread(target=push_or_tell, name="pushing")
    thread.start()
    try:
        yield taken
    finally:
        is_over.set()
        thread.join(PATIENCE_S)
    assert not thread.is_alive(), "the last push gets no answer"
    if failures:
        raise failures[0]
