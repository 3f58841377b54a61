"""Looks at registered articles that their site no longer lists: moved, gone, or only not listed."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline.schema.article_record import ArticleRecord
from flatline_connectors.fetching.fetcher import HTML, PAGE_BYTES_MAX, Fetcher
from flatline_connectors.fetching.outcomes import Fetched, Outcome
from flatline_connectors.own_site.reading import SiteListing, canonical_host, fetched
from flatline_connectors.own_site.registering import Registry

Key = TypeVar("Key", bytes, str)


@dataclass
class Missing:
    """What became of articles that are not listed. ``moved``: by the old key, to the listed canonical URL.

    ``gone``: the server says so (404, 410). ``unclear``: by key, why nothing can be said.
    """

    moved: dict[bytes, str] = field(default_factory=dict)
    gone: list[bytes] = field(default_factory=list)
    there: int = 0
    unclear: dict[bytes, str] = field(default_factory=dict)


def not_listed(site: SiteListing, registry: Registry) -> dict[bytes, ArticleRecord]:
    """Return the registered articles of the site that it does not list, by key; none unless its listing is whole."""
    if not site.is_whole:
        return {}
    listed = {registry.current(url.encode()) for url in site.articles}
    return {
        key: record
        for key, record in registry.records.items()
        if key not in listed and key not in registry.removed and canonical_host(key.decode()) in site.hosts
    }


async def look_for(
    fetcher: Fetcher,
    records: Iterable[tuple[bytes, ArticleRecord]],
    listed: Collection[str],
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Missing:
    """Fetch these articles and tell what became of them.

    A permanent redirect to a page that is listed is a move. It is none if it leads to the front page, or if several
    articles are redirected to one page: sites answer so for pages that they have deleted.
    """
    found = Missing()
    redirected: dict[bytes, str] = {}
    for key, record in records:
        progress(record.url)
        page = await fetched(fetcher, record.url, accepted=HTML, bytes_max=PAGE_BYTES_MAX)
        look = look_of(page, key.decode())
        match look.fate:
            case "gone":
                found.gone.append(key)
            case "there":
                found.there += 1
            case "moved" if look.detail in listed:
                redirected[key] = look.detail
            case "moved":
                found.unclear[key] = f"it redirects to {look.detail}"
            case "unclear":
                found.unclear[key] = look.detail
    found.moved = moves_among(redirected)
    for key, target in redirected.items():
        if key not in found.moved:
            found.unclear[key] = f"it redirects to {target}, as do others"
    return found


class Look(NamedTuple):
    """What became of an article. ``detail``: the canonical URL to which it has moved, or why nothing can be said."""

    fate: Literal["there", "gone", "moved", "unclear"]
    detail: str = ""


def look_of(page: Fetched, url: str) -> Look:
    """Return what the fetch of an article says, which is registered at a canonical URL."""
    if page.outcome in {Outcome.GONE, Outcome.NOT_FOUND}:
        return Look("gone")
    if page.outcome is not Outcome.FETCHED:
        return Look("unclear", f"{page.outcome}: {page.detail}")
    target = _target(page)
    if target == url:
        return Look("there")
    if page.is_moved and urlsplit(target).path.strip("/"):
        return Look("moved", target)
    return Look("unclear", f"it redirects to {page.url}")


def moves_among(redirected: Mapping[Key, str]) -> dict[Key, str]:
    """Return the redirects to pages to which nothing else is redirected."""
    targets = Counter(redirected.values())
    return {key: target for key, target in redirected.items() if targets[target] == 1}


def _target(page: Fetched) -> str:
    try:
        return canonicalize(page.url)
    except InvalidUrl:
        return ""
