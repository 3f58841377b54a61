"""Terminates a worker that must not go on."""

import faulthandler
import logging
import os
import sys
from typing import Final, NoReturn

EXIT_SOFTWARE: Final = 70

log = logging.getLogger("flatline.engine")


def exit_unsafe(why: str) -> NoReturn:
    """End the process at once, with the stacks of all threads on stderr and, after them, the reason in the log.

    Nothing more is written or committed on the way out. The reason comes last: people are shown the end of a log.
    """
    faulthandler.dump_traceback(file=sys.__stderr__ or 2, all_threads=True)
    log.critical("%s; ending this worker", why, exc_info=sys.exception())
    logging.shutdown()
    os._exit(EXIT_SOFTWARE)
