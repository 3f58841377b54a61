"""The routes of the page."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec
from aiohttp import web
from sqlalchemy import Connection

from flatline.api.access import is_own_origin
from flatline.api.annotating import Annotating, AnnotationRequest
from flatline.api.resending import ResendRequest
from flatline.api.snoozing import DAYS_MAX, SnoozeRequest, Snoozing
from flatline.api.writing import MarkRequest
from flatline.domain.snoozes import labels_in
from flatline.domain.time import to_datetime
from flatline.page.forms import SESSION, Forms, Session
from flatline.page.login import IsToken, Login, own_path
from flatline.page.looked import COOKIE, COOKIE_MAX_AGE_S, Looked
from flatline.page.rendering import FOLDER, environment, with_query
from flatline.page.runbook import runbook_html
from flatline.page.saved_views import COOKIE as VIEWS
from flatline.page.saved_views import FIELDS as VIEW_FIELDS
from flatline.page.saved_views import saved_views, with_view, without_view
from flatline.page.views.alerts import alerts_view
from flatline.page.views.article import article_view
from flatline.page.views.articles import articles_view
from flatline.page.views.frame import Frame
from flatline.page.views.groups import groups_view
from flatline.page.views.live import live_view
from flatline.page.views.lost import lost_view
from flatline.page.views.peers import peers_view
from flatline.page.views.policy import moved_in, policy_view
from flatline.page.views.snoozes import snooze_view
from flatline.page.views.sources import sources_view
from flatline.page.views.today import has_trouble, today_view
from flatline.policy_text import text_of
from flatline.readmodel.policy_lab import PolicyLab
from flatline.readmodel.queries.alerts import find_alert
from flatline.readmodel.queries.annotations import find_annotation
from flatline.readmodel.queries.others import find_dead_letter
from flatline.readmodel.queries.snoozes import SnoozeRow, list_snoozes
from flatline.schema.alert_mark import Mark
from flatline_connectors.ingest.answers import Refused

T = TypeVar("T")

HEADERS: Final = {
    # Scripts and styles are files of ours, and no text of others can bring any.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # With no-referrer, browsers would not say that our own forms are from here.
    "Referrer-Policy": "same-origin",
    "Vary": "HX-Request, Cookie",
}
_RELOAD_S: Final = 3
ANCHOR: Final = "alert-"
_LOOK_AGAIN_S: Final = 0.1
_LOOKS_MAX: Final = 30
_FILTER_CHARACTERS_MAX: Final = 8_192

TakeMark = Callable[[web.Request, str, MarkRequest], Awaitable[Any]]
"""Takes what somebody says of the alert with an id. Raises `Refused`."""

TakeResend = Callable[[web.Request, str, ResendRequest], Awaitable[Any]]
"""Sends the record of the dead letter with an offset. Raises `Refused`."""

_STATIC_HEADERS: Final = {"Cache-Control": "no-cache"}
_STATIC: Final = frozenset({".css", ".js", ".svg"})


class Page:
    """Answers with HTML what the read model says.

    ``reading``     runs a query in a thread of its own, on one state of the tables
    ``now_ms``      the time of the installation
    ``waiting``     a sentence on records that the read model doesn't hold yet, or nothing
    ``partitions``  of the topics that are keyed by article
    ``is_token``    whether a text is a token that may read; None where nobody needs one
    ``forms``       checks forms that write, and ``mark`` takes what one says of an alert; None where nothing is written
    ``snoozing``    takes snoozes, which go by ``wall_ms``
    ``annotating``  takes annotations
    ``resend``      sends dead letters again
    ``policy_lab``  tries thresholds
    """

    def __init__(
        self,
        reading: Callable[[Callable[[Connection], Any]], Awaitable[Any]],
        *,
        now_ms: Callable[[], int],
        waiting: Callable[[], str],
        partitions: int,
        wall_ms: Callable[[], int],
        policy_lab: PolicyLab,
        is_token: IsToken | None = None,
        forms: Forms | None = None,
        mark: TakeMark | None = None,
        snoozing: Snoozing | None = None,
        annotating: Annotating | None = None,
        resend: TakeResend | None = None,
    ) -> None:
        self._reading = reading
        self._now_ms = now_ms
        self._waiting = waiting
        self._partitions = partitions
        self._forms = forms
        self._mark = mark
        self._snoozing = snoozing
        self._annotating = annotating
        self._resend = resend
        self._wall_ms = wall_ms
        self._policy_lab = policy_lab
        self._templates = environment()
        self._login = None if is_token is None else Login(is_token, self._login_page)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/", self._today),
            web.get("/articles", self._articles),
            web.post("/articles/views", self._save_view),
            web.post("/articles/views/remove", self._remove_view),
            web.get("/article", self._article),
            web.get("/groups", self._groups),
            web.get("/peers", self._peers),
            web.get("/alerts", self._alerts),
            web.get("/snooze", self._snooze),
            *([web.post("/snooze", self._take_snooze), web.post("/wake", self._take_wake)] if self._snoozing else ()),
            *(
                [web.post("/annotate", self._take_annotation), web.post("/annotate/remove", self._take_removal)]
                if self._annotating
                else ()
            ),
            *([web.post("/dead-letters/{id}/resend", self._take_resend)] if self._resend else ()),
            *([web.post("/alerts/{id}/mark", self._take_mark)] if self._mark else ()),
            web.get("/lost", self._lost),
            web.get("/sources", self._sources),
            web.get("/live", self._live),
            web.get("/policy", self._policy),
            web.get("/policy/file", self._policy_file),
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
        is_fragment = _is_fragment(request)
        return await self._answer(
            request,
            "_articles.html" if is_fragment else "articles.html",
            lambda tables: articles_view(
                tables,
                request.query,
                now_ms=self._now_ms(),
                is_fragment=is_fragment,
                saved=saved_views(request.cookies.get(VIEWS)),
            ),
        )

    async def _save_view(self, request: web.Request) -> web.Response:
        """Take a form that names a view of the articles: the browser keeps it, so whoever may read may save."""
        fields = await _own_form(request)
        try:
            cookie = with_view(saved_views(request.cookies.get(VIEWS)), fields.get("name", ""), fields)
        except ValueError as error:
            raise Refused(422, "wrong_type", f"The view can't be saved: {error}.") from None
        return _to_articles(request, cookie, {name: fields[name] for name in VIEW_FIELDS if fields.get(name)})

    async def _remove_view(self, request: web.Request) -> web.Response:
        """Take a form that removes a view."""
        name = (await _own_form(request)).get("name", "")
        return _to_articles(request, without_view(saved_views(request.cookies.get(VIEWS)), name), {})

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

    async def _alerts(self, request: web.Request) -> web.Response:
        now_ms = self._now_ms()
        return await self._answer(
            request, "alerts.html", lambda tables: alerts_view(tables, request.query, now_ms=now_ms)
        )

    async def _take_mark(self, request: web.Request) -> web.Response:
        """Take a form that says something of an alert, and lead back to where it was sent."""
        assert self._forms is not None
        assert self._mark is not None
        fields, number = await self._forms.received(request), request.match_info["id"]
        mark, _, because = fields.get("mark", "").partition("/")
        try:
            said = msgspec.convert({"mark": mark, "because": because or None}, MarkRequest)
        except msgspec.ValidationError as error:
            raise Refused(422, "wrong_type", str(error)) from None
        await self._mark(request, number, said)
        shown = (None if said.mark is Mark.WITHDRAWN else said.mark), said.because
        await self._until(
            lambda tables: find_alert(tables, number),
            lambda alert: alert is None or (alert.mark, alert.because) == shown,
        )
        back = own_path(fields.get("back", "/"))
        return web.Response(status=303, headers={"Location": f"{back}#{ANCHOR}{number}"})

    async def _snooze(self, request: web.Request) -> web.Response:
        wall_ms, number = self._wall_ms(), request.query.get("alert", "")
        matchers = request.query.get("filter", "")[:_FILTER_CHARACTERS_MAX]
        return await self._answer(
            request, "snooze.html", lambda tables: snooze_view(tables, matchers, number, now_ms=wall_ms)
        )

    async def _take_snooze(self, request: web.Request) -> web.Response:
        """Take a form that silences alerts."""
        assert self._forms is not None
        assert self._snoozing is not None
        fields = await self._forms.received(request)
        labels = labels_in(fields.get("filter", ""))
        try:
            days = msgspec.convert(fields.get("days"), Annotated[int, msgspec.Meta(ge=1, le=DAYS_MAX)], strict=False)
            until = to_datetime(self._wall_ms()) + timedelta(days=days)
            given = {"labels": labels, "until": until, "why": fields.get("why", "").strip()}
            by = {"by": name} if (name := fields.get("by", "").strip()) else {}
            asked = msgspec.convert(given | by, SnoozeRequest)
        except msgspec.ValidationError as error:
            raise Refused(422, "wrong_type", str(error)) from None
        said = await self._snoozing.snooze(request, asked)
        return await self._to_snoozes(lambda rows: any(row.id == said.id and row.until == said.until for row in rows))

    async def _take_wake(self, request: web.Request) -> web.Response:
        """Take a form that ends a snooze."""
        assert self._forms is not None
        assert self._snoozing is not None
        said = await self._snoozing.end((await self._forms.received(request)).get("snooze", ""))
        return await self._to_snoozes(lambda rows: any(row.id == said.id and row.is_ended for row in rows))

    async def _to_snoozes(self, is_there: Callable[[Sequence[SnoozeRow]], bool]) -> web.Response:
        await self._until(list_snoozes, is_there)
        return web.Response(status=303, headers={"Location": "/snooze"})

    async def _take_annotation(self, request: web.Request) -> web.Response:
        """Take a form that annotates an article, its site or everything, and lead back to the article."""
        assert self._forms is not None
        assert self._annotating is not None
        fields = await self._forms.received(request)
        subject, name = fields.get("on", ""), fields.get("by", "").strip()
        given = {"day": fields.get("day"), "text": fields.get("text", "").strip(), "by": name or None}
        if subject in ("article", "site"):
            given[subject] = fields.get(subject)
        elif subject != "everything":
            raise Refused(422, "wrong_type", "on: article, site or everything")
        try:
            asked = msgspec.convert(given, AnnotationRequest)
        except msgspec.ValidationError as error:
            raise Refused(422, "wrong_type", str(error)) from None
        said = await self._annotating.annotate(request, asked)
        await self._until(lambda tables: find_annotation(tables, said.id), lambda found: found is not None)
        return _to_annotations(fields)

    async def _take_removal(self, request: web.Request) -> web.Response:
        """Take a form that removes an annotation, and lead back to the article."""
        assert self._forms is not None
        assert self._annotating is not None
        fields = await self._forms.received(request)
        said = await self._annotating.remove(request, fields.get("annotation", ""))
        await self._until(lambda tables: find_annotation(tables, said.id), lambda found: found is None)
        return _to_annotations(fields)

    async def _take_resend(self, request: web.Request) -> web.Response:
        """Take a form with the record of a dead letter, send it, and lead back to the other ones."""
        assert self._forms is not None
        assert self._resend is not None
        fields, number = await self._forms.received(request), request.match_info["id"]
        try:
            asked = msgspec.convert({name: fields.get(name) for name in ("kind", "value")}, ResendRequest)
        except msgspec.ValidationError as error:
            raise Refused(422, "wrong_type", str(error)) from None
        await self._resend(request, number, asked)
        await self._until(
            lambda tables: find_dead_letter(tables, number),
            lambda letter: letter is None or letter.resent_at is not None,
        )
        return web.Response(status=303, headers={"Location": "/sources"})

    async def _until(self, ask: Callable[[Connection], T], is_there: Callable[[T], bool]) -> None:
        """Wait until the read model has what was said, so that the page shows it; not for long, as it will."""
        for _ in range(_LOOKS_MAX):
            if is_there(await self._reading(ask)):
                return
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _groups(self, request: web.Request) -> web.Response:
        return await self._answer(
            request, "groups.html", lambda tables: groups_view(tables, request.query, partitions=self._partitions)
        )

    async def _peers(self, request: web.Request) -> web.Response:
        now_ms = self._now_ms()
        return await self._answer(request, "peers.html", lambda tables: peers_view(tables, now_ms=now_ms))

    async def _lost(self, request: web.Request) -> web.Response:
        now_ms = self._now_ms()
        return await self._answer(request, "lost.html", lambda tables: lost_view(tables, request.query, now_ms=now_ms))

    async def _sources(self, request: web.Request) -> web.Response:
        now_ms = self._now_ms()
        return await self._answer(request, "sources.html", lambda tables: sources_view(tables, now_ms=now_ms))

    async def _live(self, request: web.Request) -> web.Response:
        template = "_live.html" if _is_fragment(request) else "live.html"
        return await self._answer(request, template, lambda tables: live_view(tables, request.query))

    async def _policy(self, request: web.Request) -> web.Response:
        now_ms = self._now_ms()
        return await self._answer(
            request,
            "_policy.html" if _is_fragment(request) else "policy.html",
            lambda tables: policy_view(tables, self._policy_lab, request.query, now_ms=now_ms),
        )

    async def _policy_file(self, request: web.Request) -> web.Response:
        """Answer with the policy in force with thresholds moved, as a file."""
        lab = self._policy_lab
        try:
            text = text_of(lab.file_with(moved_in(request.query, lab.in_force)))
        except ValueError as error:
            return await self._message(request, 400, "No such policy", f"{error}.")
        headers = HEADERS | {"Content-Disposition": 'attachment; filename="policy.toml"'}
        return web.Response(text=text, content_type="application/toml", headers=headers)

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
        session = Session("") if self._forms is None else self._forms.session(request)
        frame, view = await self._reading(lambda tables: (self._frame(tables, request, session), view_of(tables)))
        if view is None:
            return None
        response = self._html(template, frame, view)
        if session.new_cookie is not None:
            response.set_cookie(SESSION, session.new_cookie, httponly=True, samesite="Strict", secure=request.secure)
        return response

    def _html(self, template: str, frame: Frame, view: Any, status: int = HTTPStatus.OK) -> web.Response:
        text = self._templates.get_template(template).render(frame=frame, view=view, now=frame.now)
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)

    def _frame(self, tables: Connection, request: web.Request, session: Session) -> Frame:
        return Frame(
            path=request.path,
            now=to_datetime(self._now_ms()),
            has_trouble=has_trouble(tables),
            waiting=self._waiting(),
            query=request.query.get("q", "")[:200] if request.path == "/articles" else "",
            form_token=session.form_token,
            here=request.path_qs,
        )


def _is_fragment(request: web.Request) -> bool:
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


async def _own_form(request: web.Request) -> dict[str, str]:
    """Return the fields of a form that changes only a cookie. Raise `Refused` if another server's page sent it."""
    if not is_own_origin(request):
        raise Refused(403, "foreign_origin", "A page of another server sent this form.")
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _to_annotations(fields: Mapping[str, str]) -> web.Response:
    path = with_query("/article", url=fields.get("article", ""))
    return web.Response(status=303, headers={"Location": f"{path}#annotations"})


def _to_articles(request: web.Request, views: str, query: Mapping[str, str]) -> web.Response:
    response = web.Response(status=303, headers={"Location": with_query("/articles", **query)})
    response.set_cookie(VIEWS, views, max_age=COOKIE_MAX_AGE_S, httponly=True, samesite="Lax", secure=request.secure)
    return response


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
