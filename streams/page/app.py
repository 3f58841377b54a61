"""The routes of the page."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from flatline.domain.time import to_datetime
from flatline.page.login import IsToken, Login
from flatline.page.looked import COOKIE, COOKIE_MAX_AGE_S, Looked
from flatline.page.rendering import FOLDER, environment, with_query
from flatline.page.runbook import runbook_html
from flatline.page.views.article import article_view
from flatline.page.views.articles import articles_view
from flatline.page.views.frame import Frame
from flatline.page.views.groups import groups_view
from flatline.page.views.lost import lost_view
from flatline.page.views.sources import sources_view
from flatline.page.views.today import has_trouble, today_view

HEADERS: Final = {
    # Scripts and styles are files of ours, and no text of others can bring any.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Vary": "HX-Request, Cookie",
}
_RELOAD_S: Final = 3
_STATIC_HEADERS: Final = {"Cache-Control": "no-cache"}
_STATIC: Final = frozenset({".css", ".js", ".svg"})


class Page:
    """Answers with HTML what the read model says.

    ``reading``     runs a query in a thread of its own, on one state of the tables
    ``now_ms``      the time of the installation
    ``waiting``     a sentence on records that the read model doesn't hold yet, or nothing
    ``partitions``  of the topics that are keyed by article
    ``is_token``    whether a text is a token that may read; None where nobody needs one
    """

    def __init__(
        self,
        reading: Callable[[Callable[[Connection], Any]], Awaitable[Any]],
        *,
        now_ms: Callable[[], int],
        waiting: Callable[[], str],
        partitions: int,
        is_token: IsToken | None = None,
    ) -> None:
        self._reading = reading
        self._now_ms = now_ms
        self._waiting = waiting
        self._partitions = partitions
        self._templates = environment()
        self._login = None if is_token is None else Login(is_token, self._login_page)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/", self._today),
            web.get("/articles", self._articles),
            web.get("/article", self._article),
            web.get("/groups", self._groups),
            web.get("/lost", self._lost),
            web.get("/sources", self._sources),
            web.get("/runbook", self._runbook),
            web.get("/static/{path:.+}", _static),
            *(self._login.routes() if self._login else ()),
        ]

    def is_public(self, path: str) -> bool:
        """Whether anybody may see what is at a path: the login, and what it looks like."""
        return path in ("/login", "/logout") or path.startswith("/static/")

    def refused(self, request: web.Request, status: int, message: str) -> web.Response:
        """Return a page that says why there is none; whoever needs a token is asked for one."""
        if status == HTTPStatus.UNAUTHORIZED:
            return web.Response(status=303, headers={"Location": with_query("/login", next=request.path_qs)})
        title, is_waiting = HTTPStatus(status).phrase, status == HTTPStatus.SERVICE_UNAVAILABLE
        view = {"title": title, "message": message, "reload_s": _RELOAD_S if is_waiting else None}
        return self._html("message.html", Frame(request.path, to_datetime(self._now_ms())), view, status)

    async def _today(self, request: web.Request) -> web.Response:
        now_ms = self._now_ms()
        looked = Looked.again(request.cookies.get(COOKIE), now_ms=now_ms)
        response = await self._answer(
            request, "today.html", lambda tables: today_view(tables, now_ms=now_ms, looked_ms=looked.before_ms)
        )
        response.set_cookie(
            COOKIE, looked.cookie, max_age=COOKIE_MAX_AGE_S, httponly=True, samesite="Lax", secure=request.secure
        )
        return response

    async def _articles(self, request: web.Request) -> web.Response:
        is_fragment = (
            request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers
        )
        return await self._answer(
            request,
            "_articles.html" if is_fragment else "articles.html",
            lambda tables: articles_view(tables, request.query, now_ms=self._now_ms(), is_fragment=is_fragment),
        )

    async def _article(self, request: web.Request) -> web.Response:
        url = request.query.get("url", "")
        now_ms = self._now_ms()
        response = await self._answer_if_there(
            request,
            "article.html",
            lambda tables: article_view(tables, url, request.query, partitions=self._partitions, now_ms=now_ms),
        )
        if response is None:
            message = f"{url[:200]} is no address of an article that is registered, or that links lead to."
            return await self._message(request, 404, "No such article", message)
        return response

    async def _groups(self, request: web.Request) -> web.Response:
        return await self._answer(request, "groups.html", groups_view)

    async def _lost(self, request: web.Request) -> web.Response:
        now_ms = self._now_ms()
        return await self._answer(request, "lost.html", lambda tables: lost_view(tables, request.query, now_ms=now_ms))

    async def _sources(self, request: web.Request) -> web.Response:
        now_ms = self._now_ms()
        return await self._answer(request, "sources.html", lambda tables: sources_view(tables, now_ms=now_ms))

    async def _runbook(self, request: web.Request) -> web.Response:
        return await self._answer(request, "runbook.html", lambda _: {"html": runbook_html()})

    async def _message(self, request: web.Request, status: int, title: str, message: str) -> web.Response:
        view = {"title": title, "message": message, "reload_s": None}
        response = await self._answer(request, "message.html", lambda _: view)
        response.set_status(status)
        return response

    def _login_page(self, path: str, message: str) -> web.Response:
        frame = Frame("/login", to_datetime(self._now_ms()), pages=())
        return self._html("login.html", frame, {"next": path, "message": message})

    async def _answer(self, request: web.Request, template: str, view_of: Callable[[Connection], Any]) -> web.Response:
        response = await self._answer_if_there(request, template, view_of)
        assert response is not None
        return response

    async def _answer_if_there(
        self, request: web.Request, template: str, view_of: Callable[[Connection], Any]
    ) -> web.Response | None:
        """Return a page; None where there is no view."""
        frame, view = await self._reading(lambda tables: (self._frame(tables, request), view_of(tables)))
        if view is None:
            return None
        return self._html(template, frame, view)

    def _html(self, template: str, frame: Frame, view: Any, status: int = HTTPStatus.OK) -> web.Response:
        text = self._templates.get_template(template).render(frame=frame, view=view, now=frame.now)
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)

    def _frame(self, tables: Connection, request: web.Request) -> Frame:
        return Frame(
            path=request.path,
            now=to_datetime(self._now_ms()),
            has_trouble=has_trouble(tables),
            waiting=self._waiting(),
            query=request.query.get("q", "")[:200] if request.path == "/articles" else "",
        )


async def _static(request: web.Request) -> web.StreamResponse:
    file = _file(request.match_info)
    if file is None:
        raise web.HTTPNotFound
    return web.FileResponse(file, headers=_STATIC_HEADERS)


def _file(match: Mapping[str, str]) -> Path | None:
    """Return the file of a path below /static; None where there is none: the scripts of others come at set-up."""
    folder, _, name = match["path"].rpartition("/")
    if folder not in ("", "vendor") or Path(name).suffix not in _STATIC or Path(name).name != name:
        return None
    file = FOLDER / (folder or "static") / name
    return file if file.is_file() else None
