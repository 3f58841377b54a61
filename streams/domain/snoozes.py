"""Snoozes as records name them, and the labels of alerts that they are about."""

import re
from hashlib import sha256
from typing import Final

import msgspec

from flatline.domain.urls.canonical import slug
from flatline.schema import codec
from flatline.schema.alert_mark import AlertKind
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.snooze import Snooze

_ID_DIGITS: Final = 32
_ALERT_NAMES: Final = {
    AlertKind.SILENT: "ArticleSilent",
    AlertKind.COOLING: "ArticleCooling",
    AlertKind.QUALITY_GONE: "ArticleQualityGone",
    AlertKind.MASS_LOSS: "ArticleMassLoss",
    AlertKind.UNDER_CURVE: "GroupUnderCurve",
}
_MATCHER: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\.", re.DOTALL)
_ESCAPES: Final = {"\\n": "\n"}


def snooze_id(labels: dict[str, str]) -> str:
    """Return the id of the snooze of alerts with these labels: 32 hexadecimal digits, the same everywhere."""
    return sha256(msgspec.json.encode(sorted(labels.items()))).hexdigest()[:_ID_DIGITS]


def read_snooze(key: bytes, value: bytes) -> Snooze:
    """Return the snooze of a record. Raise `Rejected`, also where the key is not its id."""
    snooze = codec.snoozes.decode(value)
    if key != snooze_id(snooze.labels).encode():
        raise Rejected(Reason.INVALID_VALUE, "the key is not the id of the snooze")
    return snooze


def labels_of(subject: str, kind: AlertKind) -> dict[str, str]:
    """Return the labels that Prometheus' alert on a subject has: on an article, or on a group (`kind/name`)."""
    name = _ALERT_NAMES[kind]
    if kind is not AlertKind.UNDER_CURVE:
        return {"alertname": name, "article": slug(subject)}
    group_kind, _, group = subject.partition("/")
    return {"alertname": name, "kind": group_kind, "group": group}


def labels_in(matchers: str) -> dict[str, str]:
    """Return the labels that matchers of Alertmanager name: ``{alertname="ArticleSilent",series="Notes"}``.

    Nothing where they say anything but that labels are equal to something.
    """
    rest, labels = matchers.strip().removeprefix("{").removesuffix("}"), {}
    while rest:
        found = _MATCHER.match(rest)
        if found is None:
            return {}
        labels[found[1]] = _ESCAPED.sub(lambda escape: _ESCAPES.get(escape[0], escape[0][1:]), found[2])
        rest = rest[found.end() :]
    return labels
