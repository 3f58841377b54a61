"""One look at a page, and what it says in comparison with the look before."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from flatline.domain.time import to_datetime, to_ms
from flatline.schema.limits import TEXT_CHARACTERS_MAX, TITLE_CHARACTERS_MAX
from flatline.schema.link_event import LinkEvent, Page
from flatline_connectors.files.exports.row import Placement
from flatline_connectors.rel import bounded_rel

SECOND_LOOK_AFTER: Final = timedelta(hours=24)
"""So much later a link that is missing is lost. Before, it is suspected: pages fail for an hour, and recover."""

_OK: Final = 200
_NOT_FOUND: Final = 404
_GONE: Final = 410


class SeenLink(Struct, frozen=True):
    """A link on a page. ``rel`` are the tokens of its attribute."""

    anchor: str = ""
    rel: Sequence[str] = ()
    placement: Placement | None = None


class Look(Struct, frozen=True):
    """What a spider saw when it fetched a page.

    ``url``           where the page was, after redirects
    ``is_read_well``  whether all links that people see are there: not those of a consent wall or an empty shell
    ``links``         links to our sites, by their canonical targets
    """

    url: str
    status: int
    seen_at: datetime
    is_read_well: bool = True
    title: str = ""
    links: Mapping[str, SeenLink] = {}


Known = Mapping[str, int | None]
"""The targets that a page is known to link to, each with the time (ms) since which it is suspected to be gone."""


def difference(known: Known | None, look: Look) -> tuple[list[LinkEvent], Known | None]:
    """Return the events that a look gives, and what is known of the page after it.

    ``known`` is None for a page that nobody has looked at. A page that can't be read changes nothing.
    """
    if look.status == _OK and look.is_read_well:
        return _of_page(known, look)
    if known and look.status in {_NOT_FOUND, _GONE}:
        is_final = look.status == _GONE
        return _of_missing(known, known.keys(), look, reason="page_gone", is_final=is_final)
    return [], known


def _of_page(known: Known | None, look: Look) -> tuple[list[LinkEvent], Known]:
    events = []
    for target, link in look.links.items():
        if known is None or target not in known:
            events.append(_gained(target, link, look, is_new_page=known is None))
        elif known[target] is not None:  # it was only missed
            events.append(_gained(target, link, look, is_new_page=False))
    missing = [] if known is None else [target for target in known if target not in look.links]
    lost, left = _of_missing(known or {}, missing, look, reason="removed", is_final=False)
    return events + lost, {**left, **dict.fromkeys(look.links)}


def _of_missing(
    known: Known, missing: Iterable[str], look: Look, *, reason: str, is_final: bool
) -> tuple[list[LinkEvent], dict[str, int | None]]:
    events, left = [], dict(known)
    for target in missing:
        since_ms = known[target]
        is_lost = is_final or (since_ms is not None and look.seen_at - to_datetime(since_ms) >= SECOND_LOOK_AFTER)
        if is_lost:
            del left[target]
        elif since_ms is None:
            left[target] = to_ms(look.seen_at)
        else:
            continue
        events.append(
            LinkEvent(
                url_from=look.url,
                url_to=target,
                change="lost" if is_lost else "suspected",
                observed_at=look.seen_at,
                lost_reason=reason,
            )
        )
    return events, left


def _gained(target: str, link: SeenLink, look: Look, *, is_new_page: bool) -> LinkEvent:
    return LinkEvent(
        url_from=look.url,
        url_to=target,
        observed_at=look.seen_at,
        discovery="page_found" if is_new_page else "link_found",
        anchor=link.anchor[:TEXT_CHARACTERS_MAX] or None,
        rel=bounded_rel(link.rel),
        placement=link.placement,
        page=Page(title=look.title[:TITLE_CHARACTERS_MAX]) if look.title else None,
    )
