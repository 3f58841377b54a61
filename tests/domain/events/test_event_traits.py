"""From events to flags and traits: what each field of an event adds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.events import anchors
from flatline.domain.events.event_traits import flags_and_traits_of
from flatline.domain.events.pages import DECLARED, GUESSED, READINGS, PageKind, Reading
from flatline.domain.state import link, link_traits
from flatline.schema.link_event import LinkEvent, Page

URL = "https://site.example/a"
PROSE = "As we said last week, the engine of the future thinks."


def _event(**fields: object) -> LinkEvent:
    return LinkEvent(url_from=URL, url_to="https://ours.example/b", **fields)  # type: ignore[arg-type]


def _traits(flags_and_traits: int) -> int:
    return flags_and_traits << link.FLAG_BITS


@pytest.mark.parametrize(
    ("fields", "flags_and_traits", "why"),
    [
        ({}, 0, "nothing is known"),
        ({"anchor": "here"}, link.GENERIC_ANCHOR, "what any link may be called"),
        ({"anchor": ""}, link.PLAIN_ANCHOR, "an image without a text"),
        ({"anchor": "https://yours.example/x"}, link.PLAIN_ANCHOR, "what is said, although it says nothing"),
        ({"flags": ["spam", "floor"]}, link.SPAM, "what a tool says of it"),
        ({"flags": ["canonical"]}, link.NOT_EDITORIAL, "nobody wrote it"),
        ({"flags": ["image", "sitewide", "a flag of tomorrow"]}, 0, "a link like any other"),
        ({"context": ""}, link.BARE, "the producer looked, and there was no text"),
        ({"context": "Read this:"}, link.BARE, "hardly any"),
        ({"context": "Read what they say of it:"}, 0, "neither prose nor bare"),
        ({"context": PROSE}, link.IN_PROSE, "a sentence"),
        (
            {"context": f"{PROSE} Sponsored by Engines Ltd."},
            link.IN_PROSE | _traits(link_traits.reading(READINGS.index(Reading(PageKind.SPONSORED, GUESSED)))),
            "the text itself says that it is paid for",
        ),
        ({"context": "We sponsored this conference and told everybody of it."}, link.IN_PROSE, "tells of sponsoring"),
        ({"placement": "footer"}, _traits(link_traits.placement("footer")), "as the producer says"),
        ({"authority": 71.4}, _traits(link_traits.authority(71)), "rounded"),
        ({"authority": 0}, _traits(link_traits.authority(0)), "nobody is not nothing known"),
        (
            {"page": Page(type="NewsArticle")},
            _traits(link_traits.reading(READINGS.index(Reading(PageKind.NEWS, DECLARED)))),
            "as the page says",
        ),
        (
            {"anchor": "how engines think"},
            _traits(anchors.fingerprint("how engines think") | link_traits.PHRASE),
            "a phrase, to be looked for on other domains",
        ),
    ],
)
def test_marks(fields: dict[str, object], flags_and_traits: int, why: str) -> None:
    """Each field says what it says, and no more."""
    assert flags_and_traits_of(_event(**fields)) == flags_and_traits, why


@given(
    st.none() | st.text(max_size=400),
    st.none() | st.text(max_size=80),
    st.none() | st.sampled_from([each for each in link_traits.PLACEMENTS if each]),
    st.none() | st.floats(0, 100),
    st.none() | st.builds(Page, title=st.none() | st.text(), type=st.none() | st.text(min_size=1)),
)
def test_marks_of_anything(
    anchor: str | None, context: str | None, placement: str | None, authority: float | None, page: Page | None
) -> None:
    """Whatever a page says: the flags are those of quality, and the traits fit into their column."""
    flags_and_traits = flags_and_traits_of(
        _event(anchor=anchor, context=context, placement=placement, authority=authority, page=page)
    )
    known = link.STUFFED_ANCHOR | link.GENERIC_ANCHOR | link.PLAIN_ANCHOR | link.IN_PROSE | link.BARE
    assert flags_and_traits & (1 << link.FLAG_BITS) - 1 & ~known == 0
    assert 0 <= flags_and_traits >> link.FLAG_BITS < 1 << 8 * link_traits.BYTES
    assert link_traits.placement_of(flags_and_traits >> link.FLAG_BITS) == placement
