"""Alerts: what verdicts alert of, how records name them, and articles that a mark takes out of the judgement."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from flatline.domain.time import to_ms
from flatline.schema import codec
from flatline.schema.alert_mark import AlertKind, AlertMark, ExpectedBecause, Mark
from flatline.schema.group import GroupState, GroupVerdict
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.verdict import State, Verdict

_ID_DIGITS: Final = 32
_ALERTING_STATES: Final = {State.SILENT: AlertKind.SILENT, State.COOLING: AlertKind.COOLING}


class Alert(NamedTuple):
    """What a verdict alerts of. ``subject``: the article key, or `kind/name` of a group."""

    subject: str
    kind: AlertKind
    since_ms: int
    reason: str

    @property
    def id(self) -> str:
        """The alert's id."""
        return alert_id(self.subject, self.kind, self.since_ms)


def alert_id(subject: str, kind: AlertKind, since_ms: int) -> str:
    """Return the id of an alert: 32 hexadecimal digits, the same everywhere."""
    named = f"{kind.value}\n{since_ms}\n{subject}".encode(errors="surrogatepass")
    return sha256(named).hexdigest()[:_ID_DIGITS]


def alerts_of(verdict: Verdict) -> Iterator[Alert]:
    """Yield what a verdict on an article alerts of."""
    if (kind := _ALERTING_STATES.get(verdict.state)) is not None:
        yield Alert(verdict.article, kind, to_ms(verdict.since), verdict.reason)
    for finding in verdict.findings:
        yield Alert(verdict.article, AlertKind(finding.kind.value), to_ms(finding.since), finding.reason)


def alerts_of_group(verdict: GroupVerdict) -> Iterator[Alert]:
    """Yield what a verdict on a group alerts of."""
    if verdict.state is GroupState.UNDER_CURVE:
        subject = f"{verdict.kind.value}/{verdict.name}"
        yield Alert(subject, AlertKind.UNDER_CURVE, to_ms(verdict.since), verdict.reason)


def checked(mark: AlertMark) -> AlertMark:
    """Return a mark whose reason goes with it. Raise `Rejected` otherwise."""
    if (mark.because is not None) != (mark.mark is Mark.EXPECTED):
        raise Rejected(Reason.INVALID_VALUE, "because: needed with the mark `expected`, and with no other one")
    return mark


def read_mark(key: bytes, value: bytes) -> AlertMark:
    """Return the mark of a record. Raise `Rejected`, also where the key is not the id of the alert that is marked."""
    mark = checked(codec.alert_marks.decode(value))
    if key != alert_id(mark.subject, mark.kind, to_ms(mark.since)).encode():
        raise Rejected(Reason.INVALID_VALUE, "the key is not the id of the alert")
    return mark


class Retirements:
    """Articles that a mark says are retired: they are not judged.

    The last mark of each alert holds. So an article is retired until the alert that says so is marked otherwise.

    ``log``  the article keys as that changed, in that order: whoever knows its first n may look at the others only
    """

    def __init__(self) -> None:
        self._by_alert: dict[bytes, tuple[bytes, int]] = {}
        self._by_article: dict[bytes, dict[bytes, int]] = {}
        self.log: list[bytes] = []

    def receive_record(self, key: bytes, value: bytes | None, recorded_ms: int) -> None:
        """Take a record of the topic, or a tombstone. Raise `Rejected`."""
        mark = None if value is None else read_mark(key, value)
        if (former := self._by_alert.pop(key, None)) is not None:
            article, _ = former
            del self._by_article[article][key]
            self.log.append(article)
        if mark is not None and mark.because is ExpectedBecause.RETIRED:
            article, marked_ms = mark.subject.encode(), min(to_ms(mark.marked_at), recorded_ms)
            self._by_alert[key] = article, marked_ms
            self._by_article.setdefault(article, {})[key] = marked_ms
            self.log.append(article)

    def retired_ms(self, article: bytes) -> int | None:
        """Return since when an article is retired; None if it is not."""
        return min(self._by_article.get(article, {}).values(), default=None)
