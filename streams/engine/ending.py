"""How a worker ends that must not go on."""

import faulthandler
import logging
import os
import sys
from typing import Final, NoReturn

EXIT_SOFTWARE: Final = 70

log = logging.getLogger("flatline.engine")


def die(why: str) -> NoReturn:
    """End the process at once, with the reason in the log and the stacks of all threads on stderr.

    Nothing more is written or committed on the way out.
    """
    log.critical("%s; ending this worker", why, exc_info=sys.exception())
    logging.shutdown()
    faulthandler.dump_traceback(file=sys.__stderr__ or 2, all_threads=True)
    os._exit(EXIT_SOFTWARE)
