"""A site that runs at an address of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.http_server import Handler, running_server


@dataclass
class Site:
    """``pages`` by path: XML, ``b"page"`` for a page, or where it redirects to for good. ``agents``: who asked."""

    url: str = ""
    pages: dict[str, bytes] = field(default_factory=dict)
    agents: set[str] = field(default_factory=set)

    def lists(self, *names: str, at: str = "/sitemap.xml") -> None:
        """Publish a sitemap of these articles."""
        urls = "".join(f"<url><loc>{self.url}/{name}</loc></url>" for name in names)
        self.pages[at] = f"<urlset>{urls}</urlset>".encode()


@contextmanager
def running_site() -> Iterator[Site]:
    """Run an empty site."""
    site = Site()

    class Pages(Handler):
        def get(self) -> None:
            site.agents.add(self.headers["User-Agent"])
            page = site.pages.get(self.path)
            if page is not None and page.startswith(b"/"):
                self.answer(301, "text/plain", b"", {"Location": page.decode()})
            else:
                kind = "text/html" if page == b"page" else "application/xml"
                self.answer(404 if page is None else 200, kind, page or b"")

    with running_server(Pages) as at:
        site.url = f"http://{at}"
        yield site
