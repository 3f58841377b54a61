"""What workers keep beside the offsets that they commit: how far the verdicts are.

A committed offset says up to where records are in the state; this, up to where they are in the verdicts as well.
"""

import re

_JUDGED = re.compile(r"judged=(\d+)")


def metadata_of(judged: int) -> str:
    """Return the metadata of an offset: the verdicts hold all records before ``judged``."""
    return f"judged={judged}"


def judged_until(metadata: str | None) -> int:
    """Return the offset up to which verdicts hold all records; 0 where the metadata doesn't say."""
    found = _JUDGED.fullmatch(metadata or "")
    return int(found[1]) if found else 0
