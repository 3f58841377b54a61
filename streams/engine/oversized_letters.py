"""Shortens dead letters that are too long for their topic: the broker would refuse them, and the worker would end."""

from typing import Final

from flatline.engine.batch_writer import batch_bytes_max
from flatline.engine.log import Outgoing
from flatline.schema.dead_letter import CUT_HEADER

_CUT_HEADER_BYTES: Final = 32  # its name, its number, and their lengths


def shortened(letter: Outgoing, bytes_max: int) -> Outgoing:
    """Return a dead letter of at most ``bytes_max`` bytes: its value is cut, and a header says after how many bytes.

    If that is not enough, the key is left out, too.
    """
    size, value = batch_bytes_max(letter), letter.value or b""
    if size <= bytes_max:
        return letter
    kept = max(0, len(value) - (size - bytes_max) - _CUT_HEADER_BYTES)
    headers = [each for each in letter.headers if each[0] != CUT_HEADER]
    cut = letter._replace(value=value[:kept], headers=[*headers, (CUT_HEADER, str(kept).encode())])
    return cut if batch_bytes_max(cut) <= bytes_max else cut._replace(key=None)
