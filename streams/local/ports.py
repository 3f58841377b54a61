import json
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes the local ports of outgoing connections (32768 to 60999): none of those
# can grab a port between our look and the server's bind.
_RANGE = range(15_000, 32_000)
_TRIED = 100


class Ports:
    """Free ports on 127.0.0.1, by name: those of last time, kept in ``file``, wherever they are still free.

    Else the ``preferred`` one is taken, else any.
    """

    def __init__(self, file: Path, preferred: Mapping[str, int] | None = None) -> None:
        self._file = file
        self._preferred = preferred or {}
        self._remembered: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        self._claimed: set[int] = set()

    def claim(self, name: str) -> int:
        """Return a port that was free a moment ago and that nobody else got from here."""
        candidates = [ports[name] for ports in (self._remembered, self._preferred) if name in ports]
        port = next(filter(self._is_free, candidates), None)
        while port is None or not self._is_free(port):
            port = secrets.choice(_RANGE)
        self._claimed.add(port)
        self._remembered[name] = port
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self._remembered, indent=2))
        return port

    def _is_free(self, port: int) -> bool:
        return port not in self._claimed and is_free(LOOPBACK, port)


def first_free(host: str, port: int) -> int:
    """Return the first free port from one on, so that several processes can simply be started; else that one."""
    return next((each for each in range(port, port + _TRIED) if is_free(host, each)), port)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As the servers do: a port in TIME_WAIT is free, one that somebody listens on isn't.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
