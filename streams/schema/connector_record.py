"""What is kept of a connector between its runs: its position, and how its last run ended. Compacted by key."""

from typing import Annotated, Final, Literal, NamedTuple

from msgspec import Meta, Raw, Struct

from flatline.schema.heartbeat import Count
from flatline.schema.link_event import Instant

CONNECTOR_PARTITIONS: Final = 8
POSITION_BYTES_MAX: Final = 1_000_000  # below what Kafka takes by default

# It becomes a metric label, a key in Kafka and the name of a folder.
ConnectorName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}(?!\n)$")]
RunOutcome = Literal["completed", "waiting", "out_of_budget", "failed", "stopped"]
BudgetUnit = Literal["requests", "rows", "units"]


class ConnectorPosition(Struct, frozen=True, omit_defaults=True):
    """How far a connector is: Kafka has acknowledged everything up to there. Its key is position/NAME.

    A part of a position that is kept in several records has the key position/NAME/PART.
    """

    connector: ConnectorName
    kind: str
    state: Annotated[Raw, Meta(description="A JSON object of the kind's own type, with its version")]
    saved_at: Instant
    version: Literal[1] = 1
    part: Annotated[
        tuple[str, str] | None, Meta(description="The state is the value of this key of this field of the state")
    ] = None


class ConnectorStatus(Struct, frozen=True, omit_defaults=True):
    """How the last run of a connector ended, and what it has spent of its budget. Its key is status/NAME.

    ``failures`` counts the runs since the last one that was completed; waiting for a budget is no failure.
    """

    connector: ConnectorName
    kind: str
    ran_at: Instant | None = None
    next_run_at: Instant | None = None
    completed_at: Instant | None = None
    outcome: RunOutcome | None = None
    detail: str = ""
    failures: Count = 0
    seen_until: Instant | None = None
    period_began_at: Instant | None = None
    spent: Annotated[dict[BudgetUnit, Count], Meta(description="Since the period of the budget began")] = {}
    version: Literal[1] = 1


def position_key(connector: str, part: str = "") -> bytes:
    """Return the key of a connector's position, or of a part of it."""
    return f"position/{connector}/{part}".removesuffix("/").encode()


class ParsedKey(NamedTuple):
    """What a record of the topic is about. ``part``: of a position; empty: it is a whole one."""

    kind: str
    connector: str
    part: str


def parsed_key(key: bytes | None) -> ParsedKey:
    """Return what `position_key` and `status_key` made a key of."""
    kind, _, rest = (key or b"").decode(errors="replace").partition("/")
    connector, _, part = rest.partition("/")
    return ParsedKey(kind, connector, part)


def status_key(connector: str) -> bytes:
    """Return the key of a connector's status."""
    return f"status/{connector}".encode()
