"""Dead letters, as their topic takes them: one that is too long for it must not end a worker."""

from typing import Final

from flatline.engine.batch_writer import batch_bytes_max
from flatline.engine.log import Outgoing
from flatline.schema.dead_letter import CUT_HEADER

_CUT_HEADER_BYTES: Final = 32  # its name, its number, and their lengths


def cut_to(letter: Outgoing, bytes_max: int) -> Outgoing:
    """Return a dead letter that a topic takes which takes so many bytes: with the beginning of its value, and a header.

    The key goes, too, where nothing else is left to go.
    """
    size, value = batch_bytes_max(letter), letter.value or b""
    if size <= bytes_max:
        return letter
    kept = max(0, len(value) - (size - bytes_max) - _CUT_HEADER_BYTES)
    headers = [each for each in letter.headers if each[0] != CUT_HEADER]
    cut = letter._replace(value=value[:kept], headers=[*headers, (CUT_HEADER, str(kept).encode())])
    return cut if batch_bytes_max(cut) <= bytes_max else cut._replace(key=None)
