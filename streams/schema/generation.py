"""The generation: which state serves, and which topics it is made from. Compacted by what the record is about."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

SERVING: Final = b"serving"
BUILDING: Final = b"building"
ERASING: Final = b"erasing"


class Layout(Struct, frozen=True, gc=False):
    """A set of the topics that are keyed by article, and how many partitions each of them has."""

    number: Annotated[int, Meta(ge=1)]
    partitions: Annotated[int, Meta(ge=1)]


class Generation(Struct, frozen=True, omit_defaults=True, gc=False):
    """The state that serves. Workers go over to the one with the highest ``number``; it never falls."""

    layout: Layout
    number: Annotated[int, Meta(ge=1)] = 1
    state: Annotated[int, Meta(ge=1, description="Number of the changelog, and of the consumer group")] = 1
    former_state: Annotated[int | None, Meta(description="A state that can serve again")] = None
    former_layouts: Annotated[list[Layout], Meta(description="Topics that producers may still write to")] = []
    version: Literal[1] = 1


class Building(Struct, frozen=True, omit_defaults=True, gc=False):
    """A state that is being made from the log, to be gone on with when that was interrupted."""

    layout: Layout
    state: int
    rules: Annotated[str, Meta(description="Fingerprint of the rules by which it is made")]
    version: Literal[1] = 1


class Erasing(Struct, frozen=True, omit_defaults=True, gc=False):
    """An erasure has begun to delete topics: nothing may read or write any until one has ended."""

    version: Literal[1] = 1
