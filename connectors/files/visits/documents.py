"""Visits in saved JSON answers of Plausible's and Matomo's interfaces.

https://plausible.io/docs/stats-api, https://developer.matomo.org/api-reference/reporting-api. Matomo's members are
taken by name, and never by position.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.files.exports.errors import UnreadableExport
from flatline_connectors.files.exports.row import Skipped
from flatline_connectors.files.visits.visit import Visit, count_of, day_of

Found = Iterator[tuple[int, Visit | Skipped | Rejected]]
"""The rows of a document, each with its number from 1."""

PLAUSIBLE: Final = "plausible-api"
MATOMO_WEBSITES: Final = "matomo-websites"
MATOMO_VISITS: Final = "matomo-visits"

_NO_REFERRER: Final = Skipped("without a referrer")
_REST: Final = Skipped("the rest of a list that was cut off")
_DIMENSIONS: Final = ("time:day", "event:page", "visit:referrer")


@dataclass(frozen=True)
class Document:
    """An answer that was recognised. ``remarks`` are for people."""

    format: str
    rows: Found
    remarks: list[str] = field(default_factory=list)


def document_of(name: str, answer: Any, *, article: str | None) -> Document:
    """Return what a JSON document is. Raise `UnreadableExport` for one that is none, or that can't be joined.

    ``article``: of which article somebody asked Matomo.
    """
    if isinstance(answer, dict):
        if answer.get("result") == "error" or "error" in answer:
            message = answer.get("message") or answer.get("error")
            raise UnreadableExport(f"{name} is an error: {str(message)[:200]}", remedy="Ask again.")
        if "results" in answer:
            return _plausible(name, answer)
        if isinstance(answer.get("zip"), str):
            raise UnreadableExport(
                f"{name} is an export of Umami with pages and referrers apart: nobody can tell who sent visits where.",
                remedy="Export the table website_event as CSV, with url_path, referrer_domain and created_at.",
            )
        if all(isinstance(rows, list) for rows in answer.values()) and all(key[:4].isdecimal() for key in answer):
            return _matomo_websites(name, answer, article)
    elif isinstance(answer, list) and all(isinstance(visit, dict) for visit in answer):
        if any("actionDetails" in visit for visit in answer):
            return Document(MATOMO_VISITS, _matomo_visits(answer))
        if any("nb_visits" in visit for visit in answer):
            raise UnreadableExport(
                f"{name} holds visits of Matomo that name no day.", remedy="Ask with period=day and date=FIRST,LAST."
            )
    raise UnreadableExport(
        f"{name} is JSON, and no visits that are known.", remedy="connectors/README.md lists what can be read."
    )


def _plausible(name: str, answer: Mapping[str, Any]) -> Document:
    query = answer.get("query")
    dimensions = query.get("dimensions") if isinstance(query, dict) else None
    metrics = query.get("metrics") if isinstance(query, dict) else None
    rows = answer["results"]
    if not (isinstance(dimensions, list) and isinstance(metrics, list) and isinstance(rows, list)):
        raise UnreadableExport(
            f"{name} is no answer of Plausible's API version 2: it lacks query.dimensions or query.metrics.",
            remedy="POST /api/v2/query.",
        )
    if missing := [dimension for dimension in _DIMENSIONS if dimension not in dimensions]:
        raise UnreadableExport(
            f"{name} is an answer of Plausible without {', '.join(missing)}: nobody can tell who sent visits where.",
            remedy=f"Query the dimensions {', '.join(_DIMENSIONS)}.",
        )
    metric = next((place for wanted in ("visits", "visitors") for place in _places(metrics, wanted)), None)
    if metric is None:
        raise UnreadableExport(f"{name} has neither visits nor visitors.", remedy="Query the metric visits.")
    meta, pagination = answer.get("meta"), query.get("pagination") if isinstance(query, dict) else None
    total = meta.get("total_rows") if isinstance(meta, dict) else None
    offset = pagination.get("offset") if isinstance(pagination, dict) else 0
    remarks = []
    if isinstance(total, int) and isinstance(offset, int) and offset + len(rows) < total:
        remarks.append(f"{name} ends at row {offset + len(rows):,} of {total:,}: import the further pages, too.")
    return Document(PLAUSIBLE, _plausible_rows(rows, dimensions, metric), remarks)


def _places(names: list[Any], wanted: str) -> list[int]:
    return [place for place, name in enumerate(names) if name == wanted]


def _plausible_rows(rows: list[Any], dimensions: list[Any], metric: int) -> Found:
    for number, row in enumerate(rows, start=1):
        try:
            texts = dict(zip(dimensions, map(str, row["dimensions"]), strict=True))
            count = count_of(str(row["metrics"][metric]))
            day, page, referrer = (texts[dimension] for dimension in _DIMENSIONS)
            is_direct = "." not in referrer
            host = texts.get("event:hostname", "")
            yield number, _NO_REFERRER if is_direct else Visit(host, page, referrer, day_of(day), count)
        except Rejected as rejected:
            yield number, rejected
        except (KeyError, TypeError, ValueError, IndexError):
            yield number, Rejected(Reason.WRONG_TYPE, "the row does not have the dimensions and metrics of the query")


def _matomo_websites(name: str, answer: Mapping[str, Any], article: str | None) -> Document:
    if article is None:
        raise UnreadableExport(
            f"{name} holds the referring websites of a whole Matomo site: nobody can tell which article they led to.",
            remedy="Ask with segment=pageUrl==ARTICLE, and name the article with --article; or ask "
            "Live.getLastVisitsDetails.",
        )
    return Document(MATOMO_WEBSITES, _matomo_website_rows(answer, article))


def _matomo_website_rows(answer: Mapping[str, Any], article: str) -> Found:
    rows = ((day, row) for day, found in answer.items() for row in found)
    for number, (day, row) in enumerate(rows, start=1):
        try:
            referrer = row.get("url") or row["label"]
            if str(row["label"]).lower() in {"others", "-1"}:
                yield number, _REST
            else:
                yield number, Visit("", article, str(referrer), day_of(day), count_of(str(row["nb_visits"])))
        except Rejected as rejected:
            yield number, rejected
        except (KeyError, AttributeError):
            yield number, Rejected(Reason.MISSING_FIELD, "the row lacks label or nb_visits")


def _matomo_visits(visits: list[Any]) -> Found:
    for number, visit in enumerate(visits, start=1):
        try:
            referrer = visit.get("referrerUrl") or ""
            if not referrer:
                yield number, _NO_REFERRER
                continue
            pages = [action for action in visit["actionDetails"] if action.get("type", "action") == "action"]
            if not pages:
                yield number, Skipped("not a page")
            else:
                yield number, Visit("", str(pages[0]["url"]), str(referrer), day_of(str(visit["serverDate"])))
        except Rejected as rejected:
            yield number, rejected
        except (KeyError, AttributeError, TypeError):
            yield number, Rejected(Reason.MISSING_FIELD, "the visit lacks serverDate or actionDetails with url")
