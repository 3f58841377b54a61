"""How a worker ends that must not go on."""

import logging
import os
import sys
from typing import Final, NoReturn

EXIT_SOFTWARE: Final = 70

log = logging.getLogger("flatline.engine")


def die(why: str) -> NoReturn:
    """End the process at once. Faust would ack what it was working on, and commit on the way out."""
    log.critical("%s; ending this worker", why, exc_info=sys.exception())
    logging.shutdown()
    os._exit(EXIT_SOFTWARE)
