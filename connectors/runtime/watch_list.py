"""The sections of connectors.toml that watch some sites through all sources that need no account."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from flatline_connectors.runtime.section import Section
from flatline_connectors.sites import host_of

WATCHED: Final[dict[str, str]] = {"own-site": "6h", "hacker-news": "10m", "wikimedia": "1m", "bluesky": "1m"}
"""Kinds of connectors, each with how often it runs."""
FEEDS: Final = ("feeds", "1h")
_NAME_CHARACTERS_MAX: Final = 64
_NO_NAME: Final = re.compile(r"[^a-z0-9-]+")


class Watching(NamedTuple):
    """A section that watches the sites. ``text``: what to add to the file; None: it is there already."""

    name: str
    kind: str
    text: str | None


def watch_list(sites: Sequence[str], feeds: Sequence[str], existing: Sequence[Section]) -> list[Watching]:
    """Return the sections that watch these hosts, given those that a file has.

    A section that names no sites takes those of the site records, and is taken for one that watches these.
    """
    watching = [_watching(kind, {"every": every}, sites, existing) for kind, every in WATCHED.items()]
    if feeds:
        kind, every = FEEDS
        watching.append(_watching(kind, {"every": every, "feeds": list(feeds)}, sites, existing))
    return watching


def _watching(kind: str, keys: dict[str, object], sites: Sequence[str], existing: Sequence[Section]) -> Watching:
    for section in existing:
        if section.kind.name == kind and _covers(section, keys, sites):
            return Watching(section.name, kind, None)
    taken = {section.name for section in existing}
    of_site = _NO_NAME.sub("-", f"{kind}-{sites[0]}")[:_NAME_CHARACTERS_MAX]
    numbered = (f"{kind}-{number}" for number in range(2, len(taken) + 3))
    name = next(name for name in (kind, of_site, *numbered) if name not in taken)
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in {**keys, "sites": [*sites]}.items()]
    return Watching(name, kind, "\n".join([f"[{name}]", f'kind = "{kind}"', *lines, ""]))


def _covers(section: Section, keys: dict[str, object], sites: Sequence[str]) -> bool:
    options = section.options
    feeds = keys.get("feeds", ())
    assert isinstance(feeds, Sequence)
    watched = {host_of(site) for site in options.sites}
    return (not watched or {*sites} <= watched) and {*feeds} <= {*getattr(options, "feeds", ())}
