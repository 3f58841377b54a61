"""The alerts that the simulated story must cause in Slack. It must cause no others."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

from flatline.demo import story
from flatline.demo.notices import DIGEST, Notice, notices_in
from flatline.demo.slack_receiver import Message
from flatline.demo.titles import title_of


class Finding(NamedTuple):
    """An expectation, and whether it was met. ``may_come``: whether it may still be met later."""

    words: str
    is_fine: bool
    may_come: bool


class ExpectedAlert(NamedTuple):
    """An expectation in words, and the notices that meet it."""

    words: str
    notices: frozenset[Notice]

    @classmethod
    def of(cls, words: str, alert: str, subjects: Sequence[str], *, is_over: bool = False) -> Self:
        """Return the expectation of one notice for each subject."""
        return cls(words, frozenset(Notice(alert, subject, is_over) for subject in subjects))


_STOPPED: Final = [title_of(*article) for article in story.STOPPED]
_REVIVED: Final = title_of(*story.REVIVED)

EXPECTED: Final = (
    ExpectedAlert.of(f"{story.DEAD_CRAWLER} went quiet", "sourcestale", [story.DEAD_CRAWLER]),
    ExpectedAlert.of(f"“{_REVIVED}” gained links again", "articlerevived", [_REVIVED]),
    ExpectedAlert.of(f"{len(_STOPPED)} articles of {story.SERIES_THAT_STOPS.name} stopped", "articlesilent", _STOPPED),
    ExpectedAlert.of(f"{story.DEAD_CRAWLER} reports again", "sourcestale", [story.DEAD_CRAWLER], is_over=True),
)
# Long after the end of the story their silence is no longer news.
_ALSO_FINE: Final = frozenset(Notice("articlealertended", title, is_over=True) for title in _STOPPED)


def findings(messages: Sequence[Message], violations: Sequence[Message]) -> list[Finding]:
    """Compare the messages that Slack accepted, and those that it would have rejected, with what was expected."""
    came = frozenset(notice for message in messages for notice in notices_in(message))
    # Uncertain and unimportant articles wait for the digest.
    came = frozenset(notice for notice in came if notice.alert != DIGEST)
    surprises = sorted(came.difference(_ALSO_FINE, *(expectation.notices for expectation in EXPECTED)))
    return [
        *(Finding(expectation.words, came >= expectation.notices, may_come=True) for expectation in EXPECTED),
        Finding(
            f"no other alert: none on articles that {story.DEAD_CRAWLER} covers, none on a pause"
            + "".join(f"; but {notice.alert}{' (ended)' * notice.is_over}: {notice.subject}" for notice in surprises),
            not surprises,
            may_come=False,
        ),
        Finding(
            "no message that Slack would reject" + "".join(f"; but {refused.violation}" for refused in violations),
            not violations,
            may_come=False,
        ),
    ]
