"""What a look at a page becomes: link events."""

from datetime import datetime
from typing import Final, Literal

from flatline.schema.limits import REL_TOKENS_MAX, TOKEN_CHARACTERS_MAX
from flatline.schema.link_event import LinkEvent
from flatline_connectors.recheck.judging import Judgement
from flatline_connectors.recheck.known_links import KnownLink
from flatline_connectors.recheck.looks import Verdict
from flatline_connectors.recheck.reading import SeenLink

ANCHOR_CHARACTERS_MAX: Final = 1_000


def events_of(
    link: KnownLink, verdict: Verdict, why: str, judgement: Judgement, now: datetime, *, source: str
) -> list[LinkEvent]:
    """Return what there is to say of a link after a look at ``now``.

    A suspicion of a link that counts as lost says nothing. Nor does a page that could not be read.
    """
    if verdict == "live":
        assert judgement.link is not None
        # Not the address that the page has: it may be a former one, and then another link.
        return [_gain(link, judgement.link, judgement, now, url_to=link.url_to, source=source)]
    if verdict == "suspect" and link.is_live:
        return [
            LinkEvent(link.url_from, link.url_to, change="suspected", observed_at=now, lost_reason=why, source=source)
        ]
    if verdict == "lost":
        loss = LinkEvent(
            link.url_from,
            link.url_to,
            change="lost",
            # Who called it lost before knew better since when; a confirmation does not move that.
            occurred_at=now if link.is_live else link.changed_at,
            observed_at=now,
            lost_reason=why,
            source=source,
        )
        others = judgement.others.values()
        return [
            loss,
            *(
                _gain(link, each, judgement, now, url_to=each.url, source=source, discovery="page_found")
                for each in others
            ),
        ]
    return []


def _gain(
    link: KnownLink,
    seen: SeenLink,
    judgement: Judgement,
    now: datetime,
    *,
    url_to: str,
    source: str,
    discovery: Literal["link_found", "page_found"] = "link_found",
) -> LinkEvent:
    return LinkEvent(
        link.url_from,
        url_to,
        observed_at=now,
        discovery=discovery,
        anchor=seen.anchor[:ANCHOR_CHARACTERS_MAX],
        context=seen.context,
        rel=[token[:TOKEN_CHARACTERS_MAX] for token in seen.rel[:REL_TOKENS_MAX]],
        placement=seen.placement,
        page=judgement.about,
        flags=list(judgement.flags),
        source=source,
    )
