"""All formats, in the order in which they are tried. Formats without links come last."""

from typing import Final

from flatline_connectors.files.exports.format import Format
from flatline_connectors.files.exports.formats import (
    ahrefs,
    bing,
    dataforseo,
    hand_kept,
    majestic,
    moz,
    search_console,
    semrush,
)

_ALL: Final = (
    *ahrefs.FORMATS,
    *dataforseo.FORMATS,
    *semrush.FORMATS,
    *majestic.FORMATS,
    *moz.FORMATS,
    *bing.FORMATS,
    *search_console.FORMATS,
    *hand_kept.FORMATS,
)
FORMATS: Final[tuple[Format, ...]] = tuple(sorted(_ALL, key=lambda kind: kind.read is None))
