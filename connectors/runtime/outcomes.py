"""What the runtime does about each way in which a run can fail: a finite table."""

import traceback
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kafka.errors import KafkaError

from flatline.schema.connector_record import BudgetUnit, RunOutcome
from flatline_connectors.errors import ConnectorError
from flatline_connectors.fetching.outcomes import Action, Failed
from flatline_connectors.runtime.connector import PollFailed
from flatline_connectors.sending.delivery import DeliveryFailed
from flatline_connectors.sending.producer import KafkaUnavailable

_FRAMES_SHOWN: Final = 3


class BudgetExhausted(Exception):
    """The budget does not allow any more until ``resets_at``."""

    def __init__(self, unit: BudgetUnit, limit: int, resets_at: datetime) -> None:
        super().__init__(f"the budget of {limit:,} {unit} is spent until {resets_at:%Y-%m-%d %H:%M} UTC")
        self.unit = unit
        self.resets_at = resets_at


class RepeatedPage(Exception):
    """A connector says that there is more, and does not move: it would ask for the same page for ever."""

    def __init__(self) -> None:
        super().__init__("there is said to be more, but the position does not move: the same page came again")


@dataclass(frozen=True)
class Remedy:
    """What to do about a failure; ``detail`` is for people, ``until`` the earliest time to go on."""

    action: Action
    detail: str
    retry_after_s: float | None = None
    until: datetime | None = None


# The first row that fits counts; subclasses are of their base class' row. Errors that say themselves what to do are in
# none. Whatever is of the last row may be a mistake in our own code: it is tried again when the next run is due.
ACTIONS: Final[tuple[tuple[type[Exception], Action], ...]] = (
    (RepeatedPage, Action.WAIT),
    (DeliveryFailed, Action.RETRY),
    (KafkaUnavailable, Action.RETRY),
    (KafkaError, Action.RETRY),
    (ConnectorError, Action.STOP),
    (OSError, Action.RETRY),
    (Exception, Action.WAIT),
)

# How a run ended that ended with each of these.
RUN_OUTCOMES: Final[dict[Action, RunOutcome]] = {
    Action.RETRY: "failed",
    Action.WAIT: "waiting",
    Action.SKIP: "failed",
    Action.STOP: "stopped",
}


def remedy_for(error: Exception) -> Remedy:
    """Return what to do about an error that ended a poll, or the sending of what it found."""
    match error:
        case PollFailed():
            return Remedy(error.action, error.detail, error.retry_after_s)
        case Failed():
            return Remedy(error.outcome.action, str(error.outcome), error.retry_after_s)
        case BudgetExhausted():
            return Remedy(Action.WAIT, str(error), until=error.resets_at)
    action = next(action for kind, action in ACTIONS if isinstance(error, kind))
    is_ours = isinstance(error, RepeatedPage | ConnectorError | KafkaError)
    return Remedy(action, str(error) if is_ours else _unlisted(error))


def _unlisted(error: Exception) -> str:
    """Return an error's type and place. Its text may quote anything, an address with a token for one."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_SHOWN:]
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    said = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__}{said}{f' in {places}' if places else ''}"
