"""What the kernel knows about processes: the tests ask it, not the code under test."""

from pathlib import Path


def children_of(pid: int) -> dict[int, str]:
    """Return the command line of each child of a process, by pid."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name, which may hold anything) state parent ...
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                command = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                children[int(stat.parent.name)] = command
        except (FileNotFoundError, ProcessLookupError):
            continue
    return children


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent to notice doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
