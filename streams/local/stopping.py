import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Never

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _StopRequested(BaseException):
    """Not an Exception: nothing on the way takes it for an error of its own."""


@contextmanager
def until_stopped() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM or a closed terminal end the body early, in order, as if it had come to its end.

    The first of them counts; those that follow can't break off what it ends. In the main thread only.
    """

    def stop(_number: int, _frame: FrameType | None) -> Never:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise _StopRequested

    previous = {each: signal.signal(each, stop) for each in _SIGNALS}
    try:
        yield
    except _StopRequested:
        pass
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)
