"""The receiver's endpoint: POST takes a mention, GET tells what became of one."""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from flatline_connectors.fetching.addresses import MayConnect
from flatline_connectors.ingest import answers
from flatline_connectors.ingest.answers import Refused
from flatline_connectors.ingest.bodies import small_body
from flatline_connectors.webmention.mentions import Mention, TooManyPending
from flatline_connectors.webmention.receiver import Receiver, status_of
from flatline_connectors.webmention.requests import FORM, FORM_BYTES_MAX, InvalidMention, addresses_of

PATH: Final = "/webmention"
_RETRY_AFTER_S: Final = 300


class WebmentionRoutes:
    """Answers senders. ``is_ours`` and ``may_connect`` as in `addresses_of`."""

    def __init__(self, receiver: Receiver, *, is_ours: Callable[[str], bool], may_connect: MayConnect) -> None:
        self._receiver = receiver
        self._is_ours = is_ours
        self._may_connect = may_connect

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.post(PATH, self._receive), web.get(f"{PATH}/{{id}}", self._status)]

    async def _receive(self, request: web.Request) -> web.Response:
        if request.content_type != FORM:
            raise Refused(415, "unsupported_type", f"Content-Type must be {FORM}.")
        form = await small_body(request, bytes_max=FORM_BYTES_MAX, what="The form")
        try:
            addresses = addresses_of(form, is_ours=self._is_ours, may_connect=self._may_connect)
        except InvalidMention as invalid:
            raise Refused(400, invalid.code, str(invalid)) from None
        try:
            mention = self._receiver.receive(addresses)
        except TooManyPending as full:
            if full.is_of_host:
                message = f"Many mentions of {addresses.host} wait to be verified. Send it again later."
                raise Refused(429, "too_many_mentions", message, retry_after_s=_RETRY_AFTER_S) from None
            message = "Many mentions wait to be verified. Send it again later."
            raise Refused(503, "too_many_mentions", message, retry_after_s=_RETRY_AFTER_S) from None
        return _answer(mention, status=201)

    async def _status(self, request: web.Request) -> web.Response:
        mention = self._receiver.get(request.match_info["id"])
        if mention is None:
            raise Refused(404, "not_found", "There is no such mention, or it came to nothing a week ago.")
        return _answer(mention, status=200)


def _answer(mention: Mention, *, status: int) -> web.Response:
    """Answer with what is known of a mention. 201 and not 202: its status has a page (section 3.2)."""
    response = answers.plain(status, {**status_of(mention)})
    if status == 201:  # noqa: PLR2004
        response.headers["Location"] = f"{PATH}/{mention.id}"
    return response
