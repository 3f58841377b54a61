import os
import secrets
from pathlib import Path

SOURCE = "local"


def ensure_tokens_file(file: Path) -> None:
    """Make a tokens file with one token, readable for its owner alone, if there is none.

    It is that of the source `local`, and may write as any other: whoever can read it owns the installation.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as tokens:
        tokens.write(f"{SOURCE},*:{secrets.token_urlsafe(32)}\n")
