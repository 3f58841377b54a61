import socket
from pathlib import Path

from flatline.local.ports import LOOPBACK, Ports


def listen(port: int) -> socket.socket:
    """Take a port."""
    taken = socket.create_server((LOOPBACK, port))
    assert taken.getsockname()[1] == port
    return taken


def test_ports_can_be_listened_on_and_differ(tmp_path: Path) -> None:
    """Each name gets a port of its own that a server can bind."""
    ports = Ports(tmp_path / "ports.json")
    claimed = [ports.claim(name) for name in "abcdef"]
    assert len(set(claimed)) == len(claimed)
    for port in claimed:
        listen(port).close()


def test_last_times_port_comes_again_while_it_is_free(tmp_path: Path) -> None:
    """Bookmarks and curl lines go on working over restarts; a port that somebody took is replaced."""
    first = Ports(tmp_path / "ports.json").claim("ingest")
    assert Ports(tmp_path / "ports.json", preferred={"ingest": 8710}).claim("ingest") == first
    with listen(first):
        assert Ports(tmp_path / "ports.json").claim("ingest") != first


def test_preferred_port_is_taken_if_free(tmp_path: Path) -> None:
    """The documented port serves unless somebody else listens there, and no two names get it."""
    free = Ports(tmp_path / "other.json").claim("any")
    ports = Ports(tmp_path / "ports.json", preferred={"a": free, "b": free})
    assert ports.claim("a") == free
    assert ports.claim("b") != free
    with listen(free):
        assert Ports(tmp_path / "new.json", preferred={"a": free}).claim("a") != free
