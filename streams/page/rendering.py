"""Templates to HTML. Whatever comes from events is foreign: it is escaped, kept apart in direction, and cut."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flatline.domain.events.look_changes import LOOK_CHANGE_PHRASES
from flatline.domain.formatting import count, percent
from flatline.readmodel.queries.views import LinkRow
from flatline.schema.lost_reason import LOST_REASON_PHRASES

FOLDER: Final = Path(__file__).parent
_CHARACTERS_MAX: Final = 90
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400
_RECENT_DAYS: Final = 60
_YEAR_DAYS: Final = 365.25

_TONES: Final = {
    "silent": "bad",
    "quality_gone": "bad",
    "mass_loss": "bad",
    "cooling": "doubt",
    "under_curve": "doubt",
    "growing": "good",
    "bursting": "good",
    "above_curve": "good",
    "revived": "news",
}


NEW_LOOKS_SHOWN: Final = 3
"""Of one link."""


def environment() -> Environment:
    """Return what renders the templates of this package."""
    templates = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(
        ago=ago,
        article_path=article_path,
        bare=bare,
        exact=exact,
        is_web=is_web,
        iso_day=iso_day,
        loss_reason=loss_reason,
        new_looks=new_looks,
        number=number,
        percent=percent,
        rfc3339=rfc3339,
        shortened=shortened,
        tone=lambda name: _TONES.get(str(name), ""),
        with_query=with_query,
        words=words,
    )
    return templates


def words(name: object) -> str:
    """Return a name of the contract as words: ``mass_loss`` is "mass loss"."""
    return str(name).replace("_", " ")


def number(value: float) -> str:
    """Return a whole number with thousands apart."""
    return f"{value:,.0f}"


def shortened(text: object, characters_max: int = _CHARACTERS_MAX) -> str:
    """Return a text on one line that is no longer than ``characters_max``; what is cut ends with an ellipsis."""
    line = " ".join(str(text).split())
    return line if len(line) <= characters_max else line[: characters_max - 1].rstrip() + "…"


def bare(url: str) -> str:
    """Return an address without its scheme."""
    return url.removeprefix("https://").removeprefix("http://").removesuffix("/")


def is_web(url: str) -> bool:
    """Whether an address may be a link: ``javascript:`` and the like may not."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def article_path(url: str) -> str:
    """Return the path of an article's page."""
    return with_query("/article", url=url)


def with_query(path: str, **query: object) -> str:
    """Return a path with those parameters that are said."""
    said = {name: value for name, value in query.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(said)}" if said else path


def iso_day(day: date) -> str:
    """Return a date, or the UTC date of an instant, as 2026-01-31."""
    return f"{day:%Y-%m-%d}"


def rfc3339(instant: datetime) -> str:
    """Return an instant as RFC 3339 in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def exact(instant: datetime) -> str:
    """Return an instant for people who want to know exactly."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ago(instant: date, now: datetime) -> str:
    """Return how long ago an instant, or a date, was: "4 minutes ago", "2 years ago"; "now" up to a minute."""
    if not isinstance(instant, datetime):
        instant = datetime(instant.year, instant.month, instant.day, tzinfo=UTC)
        seconds = (now - instant).total_seconds()
        if 0 <= seconds < _DAY_S:
            return "today"
    else:
        seconds = (now - instant).total_seconds()
    length = _length(abs(seconds))
    if length is None:
        return "now"
    return f"{length} ago" if seconds > 0 else f"in {length}"


def _length(seconds: float) -> str | None:
    if seconds < _MINUTE_S:
        return None
    if seconds < _HOUR_S:
        return count(int(seconds // _MINUTE_S), "minute")
    if seconds < _DAY_S:
        return count(int(seconds // _HOUR_S), "hour")
    days = seconds / _DAY_S
    if days < _RECENT_DAYS:
        return count(int(days), "day")
    if days < 2 * _YEAR_DAYS:
        return count(int(days * 12 / _YEAR_DAYS), "month")
    return count(int(days / _YEAR_DAYS), "year")


def new_looks(link: LinkRow) -> list[str]:
    """Return how a link changed its look, the newest first, in words."""
    phrases = {kind.value: phrase for kind, phrase in LOOK_CHANGE_PHRASES.items()}
    return [
        " ".join(filter(None, (phrases[change.change], f"{change.at:%Y-%m-%d}", change.reason)))
        for change in link.changes
        if change.change in phrases
    ][:NEW_LOOKS_SHOWN]


def loss_reason(link: LinkRow) -> str | None:
    """Return why a link is lost: as the contract has it, else in the words of the newest loss that gives a reason."""
    if link.lost_reason is not None:
        return LOST_REASON_PHRASES[link.lost_reason]
    return next((change.reason for change in link.changes if change.change == "lost" and change.reason), None)
