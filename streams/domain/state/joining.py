"""What is known of an article's links in several places, as segments to look at.

An article with 100,000 links at each of two addresses is put together whenever it is judged, and the event loop waits:
most of these pages link to one of the addresses only, and their segments are taken as they are.
"""

from collections.abc import Iterable, Sequence

from flatline.domain.state.segment import Segment


def joined_segments(parts: Iterable[Sequence[Segment]]) -> list[Segment]:
    """Return segments that share no page, and hold all that is known in any part; the parts don't change.

    Some belong to a part, they are in no order, and may hold any number of links: whoever wants to change one copies
    it. The segments of a part share no page.
    """
    joined: list[Segment] = []
    for part in parts:
        joined = _joined(joined, part)
    return joined


def _joined(one: Sequence[Segment], other: Sequence[Segment]) -> list[Segment]:
    pages = {page for segment in one for page in segment.page_numbers()}
    # Of the pages in both, where they are in the other one.
    places: dict[int, tuple[Segment, int]] = {}
    left = []
    for segment in other:
        numbers = segment.page_numbers()
        if pages.isdisjoint(numbers):
            left.append(segment)
            continue
        rest = []
        for number, page in enumerate(numbers):
            if page in pages:
                places[page] = segment, number
            else:
                rest.append(number)
        if rest:
            left.append(segment.chosen(rest))
    return [*(segment.joined_with(places) for segment in one), *left] if places else [*one, *left]
