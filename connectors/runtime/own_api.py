"""Asks the API of this installation, which `flatline serve` runs. It is no foreign server: nothing is guarded."""

from typing import Final, NamedTuple

import aiohttp

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


class ApiAnswer(NamedTuple):
    """What it said, whatever the status. ``retry_after_s``: how long it asks to be left alone."""

    status: int
    body: bytes
    retry_after_s: float | None = None


async def ask_own_api(url: str, *, token: str | None) -> ApiAnswer:
    """Return the answer to a GET. ``token``: to send. Raise OSError where nothing answers."""
    headers = {"Accept": "application/json"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as asking,  # noqa: TID251 - our own `flatline serve`
            asking.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            pause = answer.headers.get("Retry-After", "")
            return ApiAnswer(answer.status, await answer.read(), float(pause) if pause.isdecimal() else None)
    except (aiohttp.ClientError, ValueError) as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from None
