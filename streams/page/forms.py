"""Forms that write: who may send them, and that it was our page that they were sent from."""

import hmac
import secrets
from hashlib import sha256
from typing import Final, NamedTuple

from aiohttp import web

from flatline.api.access import COOKIE, Access, ScopedTokens, has_scope, is_own_origin
from flatline_connectors.ingest.answers import Refused

SESSION: Final = "flatline_session"
FIELD: Final = "form_token"
_SESSION_CHARACTERS: Final = 43  # of 32 bytes in base64url
_PURPOSE: Final = b"flatline form"


class Session(NamedTuple):
    """Of a browser. ``form_token``: what a form has to send back; empty where this browser may not write.

    ``new_cookie``  a cookie that the browser lacks yet
    """

    form_token: str
    new_cookie: str | None = None


class Forms:
    """Gives forms a token that only a page of ours can know, and checks it when a form comes back.

    It is made of the browser's cookie, so every process that knows the cookie can check it, and none has to remember
    it: of the token somebody logged in with, or of a random cookie where nobody has to log in, or a proxy saw to that.
    """

    def __init__(self, access: Access, *, may_write: bool) -> None:
        """``may_write``: whether anybody may."""
        self._access = access
        self._may_write = may_write

    def session(self, request: web.Request) -> Session:
        """Return the session of the browser that sent a request."""
        if not self._may_write:
            return Session("")
        if isinstance(self._access, ScopedTokens):
            proxy = self._access.proxy_of(request)
            if proxy is None:
                token = request.cookies.get(COOKIE, "")
                return Session(_form_token(token) if self._access.may_write(token) else "")
            if not has_scope(proxy, "write"):
                return Session("")
        cookie = request.cookies.get(SESSION, "")
        if len(cookie) == _SESSION_CHARACTERS and cookie.isascii():
            return Session(_form_token(cookie))
        cookie = secrets.token_urlsafe(32)
        return Session(_form_token(cookie), cookie)

    async def received(self, request: web.Request) -> dict[str, str]:
        """Return the fields of a form. Raise `Refused` unless a page of ours sent it, for somebody who may write."""
        if not is_own_origin(request):
            raise Refused(403, "foreign_origin", "A page of another server sent this form.")
        session = self.session(request)
        if not session.form_token:
            raise Refused(403, "forbidden", "Nothing can be written here without a token that has the scope write.")
        fields = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        given = fields.pop(FIELD, "").encode(errors="surrogateescape")
        if session.new_cookie is not None or not hmac.compare_digest(given, session.form_token.encode()):
            raise Refused(403, "old_form", "This form is of another session: go back, load the page again, and repeat.")
        return fields


def _form_token(cookie: str) -> str:
    return hmac.new(cookie.encode(errors="surrogateescape"), _PURPOSE, sha256).hexdigest()
