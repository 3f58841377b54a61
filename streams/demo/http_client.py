import urllib.request  # noqa: TID251 - the demo's own servers
from typing import Final

_TIMEOUT_S: Final = 10


def get(address: str, path: str) -> str:
    """Return the response of a server at ``host:port`` to GET ``path``. Raise OSError or HTTPException."""
    with urllib.request.urlopen(f"http://{address}{path}", timeout=_TIMEOUT_S) as answer:  # noqa: TID251
        text: str = answer.read().decode()
    return text
