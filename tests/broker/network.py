"""What lies between a client and the broker: requests that arrive when the schedule says so, and answers likewise."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Network(Protocol):
    """Brings a client's requests to the broker."""

    async def call(self, name: str, effect: Callable[[], T], *, is_ready: Callable[[], bool] = ...) -> T:
        """Have ``effect`` happen at the broker, once it ``is_ready`` for it, and return or raise its answer."""


def always() -> bool:
    """Return True: the broker answers at once."""
    return True


class PromptNetwork:
    """Brings every request to the broker in the next turn of the event loop. ``background`` is what a broker does then.

    What waits for the background waits a few turns.
    """

    def __init__(self, background: Callable[[], None]) -> None:
        self._background = background

    async def call(self, name: str, effect: Callable[[], T], *, is_ready: Callable[[], bool] = always) -> T:  # noqa: ARG002
        """Wait until the broker is ready, and return its answer."""
        await self._turn()
        while not is_ready():
            await self._turn()
        answer = effect()
        await asyncio.sleep(0)
        return answer

    async def _turn(self) -> None:
        await asyncio.sleep(0)
        self._background()


class Request:
    """A request on its way: to the broker until it ``has_arrived``, then its answer back to the client."""

    def __init__(self, name: str, effect: Callable[[], Any], is_ready: Callable[[], bool]) -> None:
        self.name = name
        self.has_arrived = False
        self._effect = effect
        self._is_ready = is_ready
        self._answer: Any = None
        self._error: Exception | None = None
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @property
    def can_move(self) -> bool:
        """Whether it can arrive now, or its answer."""
        return self.has_arrived or self._is_ready()

    def arrive(self) -> None:
        """Have its effect happen at the broker."""
        self.has_arrived = True
        try:
            self._answer = self._effect()
        except Exception as error:  # noqa: BLE001
            self._error = error

    def answer(self) -> None:
        """Bring the answer to the client, unless it doesn't wait any more."""
        if self.future.done():
            return
        if self._error is None:
            self.future.set_result(self._answer)
        else:
            self.future.set_exception(self._error)

    def fail(self, error: Exception) -> None:
        """Have the client get an error instead of the answer, whether or not the request has arrived."""
        if not self.future.done():
            self.future.set_exception(error)


class SteppedNetwork:
    """The network of one process: holds its requests until a schedule moves them, or cuts them off for ever.

    What is under way when the process dies may still arrive.
    """

    def __init__(self) -> None:
        self.under_way: list[Request] = []
        self.is_cut = False

    async def call(self, name: str, effect: Callable[[], T], *, is_ready: Callable[[], bool] = always) -> T:
        """Wait for the schedule, and return or raise the answer."""
        if self.is_cut:
            raise ConnectionError("this process is no more")
        request = Request(name, effect, is_ready)
        self.under_way.append(request)
        answer: T = await request.future
        return answer

    def movable(self) -> list[Request]:
        """Return the requests that can move now."""
        return [request for request in self.under_way if request.can_move]

    def move(self, request: Request) -> None:
        """Bring a request to the broker, or its answer back."""
        if request.has_arrived:
            self.under_way.remove(request)
            request.answer()
        else:
            request.arrive()

    def lose(self, request: Request, error: Exception) -> None:
        """Lose a request, or its answer: the client gets an error, and what arrived stays done."""
        self.under_way.remove(request)
        request.fail(error)
