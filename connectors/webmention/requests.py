"""Requests of senders: a form with the addresses of a source and a target."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from flatline_connectors.fetching.addresses import MayConnect
from flatline_connectors.fetching.exchange import target_of
from flatline_connectors.fetching.outcomes import Failed
from flatline_connectors.pages.links import resolved

FORM: Final = "application/x-www-form-urlencoded"
FORM_BYTES_MAX: Final = 16 * 1024
_FIELDS_MAX: Final = 20


class InvalidMention(ValueError):
    """A form that is no Webmention for us. ``code`` is one of a few; the message is for whoever sent it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Addresses:
    """The two addresses, as browsers write them; ``host`` is the source's."""

    source: str
    target: str
    host: str


def addresses_of(form: bytes, *, is_ours: Callable[[str], bool], may_connect: MayConnect) -> Addresses:
    """Return the addresses of a form (section 3.2.1 of the Recommendation). Raise `InvalidMention`.

    ``is_ours``: whether an address is on a site that receives mentions. ``may_connect``: as of the fetcher.
    """
    try:
        fields = parse_qs(form.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict")
    except ValueError:
        raise InvalidMention("invalid_form", "The body is no form with source and target.") from None
    source, target = _address(fields, "source"), _address(fields, "target")
    asked = target_of(source)
    if asked.url == target_of(target).url:
        raise InvalidMention("same_address", "source and target are the same page.")
    if not is_ours(target):
        raise InvalidMention("unknown_target", "target is on no site that receives Webmentions here.")
    literal = asked.host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(literal)
    except ValueError:
        pass  # a name: what it resolves to is checked when it is fetched
    else:
        if not may_connect(literal):
            raise InvalidMention("forbidden_source", "source is at an address that is not public.")
    return Addresses(source, target, asked.host)


def _address(fields: dict[str, list[str]], name: str) -> str:
    values = fields.get(name, [])
    if len(values) != 1:
        raise InvalidMention(f"invalid_{name}", f"The form needs exactly one {name}.")
    try:
        target_of(values[0].strip())
    except Failed as failed:
        raise InvalidMention(f"invalid_{name}", f"{name}: {failed.detail}.") from None
    address = resolved(values[0], None)
    assert address is not None
    return address
