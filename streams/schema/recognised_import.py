"""Imports that sources sent without a label: how many links each partition counted, and which were recognised.

An *import* is what one source reports as gained at one instant, from many pages: a collection that it brought at once.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.limits import SourceName
from flatline.schema.link_event import Instant

FINGERPRINT_BITS = 48  # every language reads such a number exactly

Fingerprint = Annotated[int, Meta(ge=0, lt=1 << FINGERPRINT_BITS)]
Fingerprints = Annotated[list[Fingerprint], Meta(max_length=1_000)]


class ImportPart(Struct, frozen=True, gc=False):
    """Links that a source reported as gained at one instant, as far as one partition has them: some or all of these."""

    source: SourceName
    occurred_at: Instant
    links: Fingerprints
    pages: Annotated[Fingerprints, Meta(description="The pages that they are on, as far as they matter")]
    version: Literal[1] = 1


class RecognisedImport(Struct, frozen=True, gc=False):
    """Links that a source reported as gained at ``occurred_at`` are an import. Compacted by source and instant."""

    source: SourceName
    occurred_at: Instant
    links: Annotated[int, Meta(ge=0, description="At least so many links")]
    pages: Annotated[int, Meta(ge=0, description="from at least so many pages")]
    version: Literal[1] = 1


class LabellingSource(Struct, frozen=True, gc=False):
    """The source labels its imports, so none is recognised without a label. Compacted by source."""

    source: SourceName
    version: Literal[1] = 1
