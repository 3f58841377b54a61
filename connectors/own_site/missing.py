"""Looks at registered articles that their site no longer lists: moved, gone, or only not listed."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline.schema.article_record import ArticleRecord
from flatline_connectors.fetching.fetcher import HTML, PAGE_BYTES_MAX, Fetcher
from flatline_connectors.fetching.outcomes import Fetched, Outcome
from flatline_connectors.own_site.reading import SiteListing, canonical_host, fetched
from flatline_connectors.own_site.registering import Registry


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
        if page.outcome in {Outcome.GONE, Outcome.NOT_FOUND}:
            found.gone.append(key)
        elif page.outcome is not Outcome.FETCHED:
            found.unclear[key] = f"{page.outcome}: {page.detail}"
        elif (target := _target(page)) == key.decode():
            found.there += 1
        elif page.is_moved and target in listed and urlsplit(target).path.strip("/"):
            redirected[key] = target
        else:
            found.unclear[key] = f"it redirects to {page.url}"
    targets = Counter(redirected.values())
    for key, target in redirected.items():
        if targets[target] == 1:
            found.moved[key] = target
        else:
            found.unclear[key] = f"it redirects to {target}, as do others"
    return found


def _target(page: Fetched) -> str:
    try:
        return canonicalize(page.url)
    except InvalidUrl:
        return ""
