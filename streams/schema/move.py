"""The move: articles have another address now. Compacted by both addresses: ``old new``, or ``old new alias``."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.limits import Url
from flatline.schema.link_event import Instant


class Move(Struct, frozen=True, omit_defaults=True, gc=False):
    """What is known of the old address counts for the new one, and so do later events.

    Either both end in ``/*``, and all addresses below the old one moved, or neither does, and one article did. Of
    several moves of an address the newest holds; a newer record of the same pair can undo it.
    """

    old: Annotated[Url, Meta(description="One address, or all below it: https://old.example/*")]
    new: Url
    decided_at: Annotated[Instant, Meta(description="Of several records of the same pair the newest counts")]
    version: Literal[1] = 1
    is_alias: Annotated[bool, Meta(description="true: an alias of an article record, written by a worker")] = False
    is_undone: Annotated[bool, Meta(description="true: it did not move, after all")] = False
