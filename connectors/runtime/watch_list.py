"""The sections of connectors.toml that watch some sites through all sources that need no account."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from flatline_connectors.runtime.section import Section
from flatline_connectors.sites import host_of

WATCHED: Final[dict[str, str]] = {"own-site": "6h", "hacker-news": "10m", "wikimedia": "1m", "bluesky": "1m"}
"""Kinds of connectors, each with how often it runs."""
_NAMED: Final = {"feeds": "1h", "crossref": "6h", "datacite": "1d"}
"""Those that have to be told what to look for."""
_NAME_CHARACTERS_MAX: Final = 64
_NO_NAME: Final = re.compile(r"[^a-z0-9-]+")


class Watching(NamedTuple):
    """A section that watches the sites. ``text``: what to add to the file; None: it is there already."""

    name: str
    kind: str
    text: str | None


def watch_list(
    sites: Sequence[str],
    existing: Sequence[Section],
    *,
    feeds: Sequence[str] = (),
    prefixes: Sequence[str] = (),
) -> list[Watching]:
    """Return the sections that watch these hosts, given those that a file has.

    ``feeds``: addresses of others' feeds; ``prefixes``: DOI prefixes, such as 10.5555. A section that names no sites
    takes those of the site records, and is taken for one that watches these.
    """
    watching = [_watching(kind, every, {}, sites, existing) for kind, every in WATCHED.items()]
    for kind, every in _NAMED.items():
        key, values = ("feeds", feeds) if kind == "feeds" else ("prefixes", prefixes)
        if values:
            watching.append(_watching(kind, every, {key: [*values]}, sites, existing))
    return watching


def _watching(
    kind: str, every: str, named: dict[str, list[str]], sites: Sequence[str], existing: Sequence[Section]
) -> Watching:
    for section in existing:
        if section.kind.name == kind and _covers(section, named, sites):
            return Watching(section.name, kind, None)
    taken = {section.name for section in existing}
    of_site = _NO_NAME.sub("-", f"{kind}-{sites[0]}")[:_NAME_CHARACTERS_MAX]
    numbered = (f"{kind}-{number}" for number in range(2, len(taken) + 3))
    name = next(name for name in (kind, of_site, *numbered) if name not in taken)
    keys = {"every": every, **named, "sites": [*sites]}
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in keys.items()]
    return Watching(name, kind, "\n".join([f"[{name}]", f'kind = "{kind}"', *lines, ""]))


def _covers(section: Section, named: dict[str, list[str]], sites: Sequence[str]) -> bool:
    options = section.options
    watched = {host_of(site) for site in options.sites}
    return (not watched or {*sites} <= watched) and all(
        {*values} <= {*getattr(options, key)} for key, values in named.items()
    )
