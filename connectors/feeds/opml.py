"""Lists of feeds in OPML, as feed readers export them."""

from pathlib import Path
from typing import Final

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from flatline_connectors.errors import ConnectorError
from flatline_connectors.pages.links import resolved

_BYTES_MAX: Final = 4 << 20


class OpmlError(ConnectorError):
    """A list of feeds can't be read. The message names the file."""

    remedy = "Export the list of feeds as OPML from a feed reader, or name the feeds in connectors.toml."


def feeds_of(path: Path) -> list[str]:
    """Return the addresses of the feeds that a file lists. Raise `OpmlError`."""
    try:
        with path.open("rb") as file:
            content = file.read(_BYTES_MAX + 1)
        if len(content) > _BYTES_MAX:
            raise OpmlError(f"{path} has more than {_BYTES_MAX:,} bytes.")
        root = fromstring(content)
    except OSError as error:
        raise OpmlError(f"{path} can't be read: {error.strerror}.") from None
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise OpmlError(f"{path} is no OPML: {error}") from None
    if root.tag.lower() != "opml":
        raise OpmlError(f"{path} is no OPML, but {root.tag[:100]!r}.")
    addresses = (resolved(outline.get("xmlUrl") or "", None) for outline in root.iter("outline"))
    return [address for address in dict.fromkeys(addresses) if address]
