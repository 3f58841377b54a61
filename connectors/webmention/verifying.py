"""What a fetched source says of a mention: the link is there, it is not, the page is gone, or nobody can tell."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from flatline.schema.limits import TOKEN_CHARACTERS_MAX
from flatline.schema.link_event import LinkEvent, Page
from flatline_connectors.fetching.outcomes import Action, Fetched, Outcome
from flatline_connectors.rel import bounded_rel
from flatline_connectors.webmention.links import HTML, JSON, FoundLink, HtmlPage, link_in_json, link_in_text
from flatline_connectors.webmention.microformats import Entry, entry_of
from flatline_connectors.webmention.posts import META_FLAG, dates_of, is_on_bridge

SOURCE: Final = "webmention"


class Finding(StrEnum):
    """What became of the verification of a mention."""

    LINKED = "linked"
    NOT_LINKED = "not_linked"
    PAGE_GONE = "page_gone"
    RETRY = "retry"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Verification:
    """A finding, a sentence on it, and the event to send where the link was found."""

    finding: Finding
    detail: str
    event: LinkEvent | None = None
    retry_after_s: float | None = None


def verify(fetched: Fetched, *, target: str, now: datetime) -> Verification:
    """Return what a fetched source says of its link to a target. Slow for large pages."""
    if fetched.outcome is Outcome.GONE:
        return Verification(Finding.PAGE_GONE, "the source was deleted (HTTP status 410)")
    if fetched.outcome is not Outcome.FETCHED:
        may_pass = fetched.outcome.action in {Action.RETRY, Action.WAIT}
        finding = Finding.RETRY if may_pass else Finding.UNREADABLE
        detail = f"the source can't be read: {fetched.outcome}"
        return Verification(finding, detail, retry_after_s=fetched.retry_after_s)
    page = HtmlPage(fetched.body, url=fetched.url, charset=fetched.charset) if fetched.content_type in HTML else None
    if page is not None and page.is_gone:
        return Verification(Finding.PAGE_GONE, "the source was deleted (its meta element Status says 410)")
    try:
        link = _link(fetched, page, target)
    except ValueError as error:
        return Verification(Finding.UNREADABLE, str(error)[:200])
    if link is None:
        return Verification(Finding.NOT_LINKED, "the source does not link to the target")
    entry = entry_of(page, target=target) if page is not None else Entry()
    event = _event(fetched, page, link, entry, target=target, now=now)
    return Verification(Finding.LINKED, "the source links to the target", event)


def _link(fetched: Fetched, page: HtmlPage | None, target: str) -> FoundLink | None:
    if page is not None:
        return page.link_to(target)
    if fetched.content_type in JSON:
        return link_in_json(fetched.body, target)
    return link_in_text(fetched.body, target, charset=fetched.charset)


def _event(
    fetched: Fetched, page: HtmlPage | None, link: FoundLink, entry: Entry, *, target: str, now: datetime
) -> LinkEvent:
    dates = dates_of(entry.published_at, received_at=now)
    return LinkEvent(
        url_from=(page.canonical if page is not None else None) or fetched.url,
        url_to=target,
        occurred_at=dates.occurred_at,
        observed_at=now,
        discovery="link_found",
        anchor=link.anchor or None,
        rel=None if link.rel is None else bounded_rel(link.rel),
        page=Page(
            title=entry.title or None,
            author=entry.author or None,
            published_at=dates.published_at,
            type=entry.kind,
            language=(page.language if page is not None else "")[:TOKEN_CHARACTERS_MAX] or None,
        ),
        flags=[*link.flags, *([META_FLAG] if is_on_bridge(fetched.url) else [])],
        source=SOURCE,
    )


def loss_of(known_from: str, target: str, finding: Finding, *, now: datetime) -> LinkEvent:
    """Return the loss of a known link, because it or its page is gone."""
    reason = "page_gone" if finding is Finding.PAGE_GONE else "removed"
    return LinkEvent(
        url_from=known_from, url_to=target, change="lost", observed_at=now, lost_reason=reason, source=SOURCE
    )
