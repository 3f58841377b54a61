"""Commits as `git rev-list` and `git diff-tree` print them: pure functions of their output."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

REV_LIST_FORMAT: Final = "%H %at %ct %P"
_REGULAR_FILES: Final = frozenset({"100644", "100755", "100664"})
_NO_OBJECT: Final = "0"


class Commit(NamedTuple):
    """A commit. Times are seconds since the epoch, as its author's and its committer's clock had them."""

    id: str
    authored_s: int
    committed_s: int
    parents: tuple[str, ...]


@dataclass(frozen=True)
class FileChange:
    """What a commit did to a file. A path and its object are None where the file is not there: before, or after.

    Objects are the ids of contents; only regular files count, and no symbolic links or submodules. ``is_copy``: the
    text was in another file until now, which has a different one now.
    """

    old_path: str | None
    old_object: str | None
    new_path: str | None
    new_object: str | None
    is_copy: bool = False


class UnreadableOutput(Exception):
    """Git printed something else than it should."""


def commits_of(output: bytes) -> list[Commit]:
    """Read what `rev-list --format` with `REV_LIST_FORMAT` prints. Raise `UnreadableOutput`."""
    commits = []
    for line in output.decode("ascii", "replace").splitlines():
        if line.startswith("commit "):
            continue
        identifier, authored, committed, *parents = line.split(" ")
        try:
            commits.append(Commit(identifier, int(authored), int(committed), tuple(filter(None, parents))))
        except ValueError:
            raise UnreadableOutput(f"a commit without times: {line[:200]!r}") from None
    return commits


def changes_of(output: bytes) -> dict[str, list[FileChange]]:
    """Read what `diff-tree --stdin -r -z --raw --no-abbrev` prints: changes by commit. One without any is not there."""
    changes: dict[str, list[FileChange]] = {}
    of_commit: list[FileChange] = []
    fields = iter(output.split(b"\0"))
    for field in fields:
        if field.startswith(b":"):
            of_commit += _change(field, fields)
        elif field:
            of_commit = changes[field.decode("ascii", "replace").strip()] = []
    return changes


def _change(field: bytes, fields: Iterator[bytes]) -> Iterator[FileChange]:
    try:
        old_mode, new_mode, old_object, new_object, status = field[1:].decode("ascii").split(" ")
        path = _path(next(fields))
        new_path = _path(next(fields)) if status[0] in "RC" else path
    except (ValueError, StopIteration, IndexError):
        raise UnreadableOutput(f"a change that can't be read: {field[:200]!r}") from None
    was_file = old_mode in _REGULAR_FILES and status[0] not in "AC"
    is_file = new_mode in _REGULAR_FILES and bool(new_object.strip(_NO_OBJECT))
    if was_file or is_file:
        yield FileChange(
            path if was_file else None,
            old_object if was_file else None,
            new_path if is_file else None,
            new_object if is_file else None,
            is_copy=status[0] == "C",
        )


def _path(name: bytes) -> str:
    # Whatever bytes a name has, it stays the same name.
    return name.decode("utf-8", "surrogateescape")
