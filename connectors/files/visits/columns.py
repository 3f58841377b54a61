"""Visits in tables: exports of Google Analytics 4 and of Umami's database; and those that can't be joined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from flatline_connectors.files.exports.columns import Cells, Columns
from flatline_connectors.files.exports.row import Skipped
from flatline_connectors.files.exports.table import column_key
from flatline_connectors.files.visits.visit import Visit, count_of, day_of

ReadVisit = Callable[[Cells], Visit | Skipped]

_PAGES: Final = (
    "Landing page + query string",
    "Landing page",
    "Page location",
    "Full page URL",
    "Page path + query string",
    "Page path",
)
_SOURCES: Final = ("Session source / medium", "Page referrer", "Session source")
_COUNTS: Final = ("Sessions", "Entrances", "Views", "Total users", "Active users")
_NOTHING: Final = frozenset({"", "(not set)"})


@dataclass(frozen=True)
class TableKind:
    """A kind of table: the columns that tell it, one of each group; ``refusal`` and ``remedy`` if it can't be read."""

    name: str
    required: Sequence[Sequence[str]]
    read: Callable[[Columns], ReadVisit] | None = None
    refusal: str = ""
    remedy: str = ""

    def fits(self, header: Sequence[str]) -> bool:
        """Whether a header is one of this kind."""
        keys = {column_key(name) for name in header}
        return all(any(column_key(name) in keys for name in names) for names in self.required)


def _ga4(columns: Columns) -> ReadVisit:
    day, page, sessions = columns.raw("Date"), columns.text(*_PAGES), columns.raw(*_COUNTS)
    source, medium = columns.text(*_SOURCES), columns.text("Session medium")
    is_url = not any(name in columns for name in ("Session source / medium", "Session source"))

    def read(cells: Cells) -> Visit | Skipped:
        if not any(cell.strip() for cell in (day(cells), page(cells), source(cells))):
            return Skipped("totals")
        address, referrer = page(cells), source(cells)
        if address in _NOTHING or referrer in _NOTHING:
            return Skipped("(not set)")
        referrer, _, medium_beside = referrer.partition(" / ")
        if not is_url and (medium_beside or medium(cells)) not in {"referral", ""}:
            return Skipped("no referral")
        return Visit("", address, referrer, day_of(day(cells).strip()), count_of(sessions(cells)))

    return read


def _umami(columns: Columns) -> ReadVisit:
    host, page, day = columns.text("hostname"), columns.text("url_path"), columns.raw("created_at")
    referrer, kind = columns.text("referrer_domain"), columns.text("event_type")

    def read(cells: Cells) -> Visit | Skipped:
        if kind(cells) not in {"", "1"}:  # 2 is an event of the site's own
            return Skipped("not a page view")
        if not referrer(cells):
            return Skipped("without a referrer")
        return Visit(host(cells), page(cells), referrer(cells), day_of(day(cells).strip()))

    return read


_APART: Final = "pages and referrers are in tables of their own, so nobody can tell who sent visits where"
_PLAUSIBLE_REMEDY: Final = (
    "Query Plausible's API version 2 with the dimensions time:day, event:page and visit:referrer; import the answer."
)

KINDS: Final = (
    TableKind("ga4", (("Date",), _PAGES, _SOURCES, _COUNTS), _ga4),
    TableKind("umami-events", (("url_path",), ("referrer_domain",), ("created_at",)), _umami),
    TableKind(
        "ga4-without-a-day",
        (("Nth day", "Nth week", "Nth month", "Week", "Month"), _PAGES, _COUNTS),
        refusal="it has no column Date",
        remedy="Add the dimension Date to the report, and export it again.",
    ),
    TableKind(
        "ga4-without-referrers",
        (_PAGES, _COUNTS),
        refusal="it has no column Date, or none that says where visits came from",
        remedy="Add the dimensions Date and Session source / medium to the report, and export it again.",
    ),
    TableKind(
        "plausible-sources",
        (("date",), ("source",), ("referrer",), ("visits", "visitors")),
        refusal=_APART,
        remedy=_PLAUSIBLE_REMEDY,
    ),
    TableKind(
        "plausible-pages",
        (("date",), ("hostname",), ("page",), ("visits", "visitors")),
        refusal=_APART,
        remedy=_PLAUSIBLE_REMEDY,
    ),
    TableKind(
        "plausible-top-list",
        (("name",), ("visitors",)),
        refusal=_APART,
        remedy=_PLAUSIBLE_REMEDY,
    ),
    TableKind(
        "umami-totals",
        (("x",), ("y",)),
        refusal=_APART,
        remedy="Export the table website_event as CSV, with url_path, referrer_domain and created_at.",
    ),
)


def kind_of(header: Sequence[str]) -> TableKind | None:
    """Return the kind of a table with this header; None if it is unknown."""
    return next((kind for kind in KINDS if kind.fits(header)), None)
