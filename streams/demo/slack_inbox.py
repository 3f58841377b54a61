import asyncio
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from flatline.demo.slack_receiver import Message, SlackReceiver


class SlackInbox:
    """A SlackReceiver on a thread of its own, from `with` to the end of its body, for code without an event loop.

    ``url``   the webhook
    """

    url: str

    def __init__(self) -> None:
        self._receiver = SlackReceiver()
        self._url: Future[str] = Future()
        self._over = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="slack", daemon=True)
        self._taken_shown = self._refused_shown = 0

    @property
    def messages(self) -> list[Message]:
        """The messages that Slack would have accepted."""
        return self._receiver.messages

    @property
    def violations(self) -> list[Message]:
        """The messages that Slack would have rejected."""
        return self._receiver.violations

    def arrivals(self) -> list[Message]:
        """Return the messages since the last call, accepted or not."""
        taken, refused = self.messages[self._taken_shown :], self.violations[self._refused_shown :]
        self._taken_shown += len(taken)
        self._refused_shown += len(refused)
        return taken + refused

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = self._url.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._receive())

    async def _receive(self) -> None:
        try:
            async with self._receiver:
                self._url.set_result(self._receiver.url)
                await self._over.wait()
        except OSError as error:
            self._url.set_exception(error)
