"""A login for browsers: a cookie holds a token of the tokens file. Pages are read with it, and nothing is written."""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from flatline.api.access import COOKIE

_MAX_AGE_S: Final = 30 * 86_400
_TOKEN_CHARACTERS_MAX: Final = 1_000

IsToken = Callable[[str], bool]
"""Whether a text is a token, compared in constant time."""


class Login:
    """Takes a token from a form. ``page`` renders the form with a message."""

    def __init__(self, is_token: IsToken, page: Callable[[str, str], web.Response]) -> None:
        self._is_token = is_token
        self._page = page

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get("/login", self._show), web.post("/login", self._take), web.post("/logout", _forget)]

    async def _show(self, request: web.Request) -> web.Response:
        return self._page(request.query.get("next", "/"), "")

    async def _take(self, request: web.Request) -> web.Response:
        form = await request.post()
        token, path = str(form.get("token", "")).strip(), str(form.get("next", "/"))
        if len(token) > _TOKEN_CHARACTERS_MAX or not self._is_token(token):
            response = self._page(path, "That is no token of the tokens file.")
            response.set_status(401)
            return response
        response = web.Response(status=303, headers={"Location": own_path(path)})
        response.set_cookie(COOKIE, token, max_age=_MAX_AGE_S, httponly=True, samesite="Strict", secure=request.secure)
        return response


async def _forget(_request: web.Request) -> web.Response:
    response = web.Response(status=303, headers={"Location": "/login"})
    response.del_cookie(COOKIE)
    return response


def own_path(path: str) -> str:
    """Return a path of this server that a form names; ``/`` for one that leads elsewhere: ``//elsewhere.example``."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if is_own else "/"
