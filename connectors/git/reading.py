"""Reads a repository's history, from a position on, in batches of commits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from flatline.schema.link_event import LinkEvent
from flatline_connectors.git.commits import Commit
from flatline_connectors.git.history import History, UnreadableFile
from flatline_connectors.git.repository import TIP, Repository

COMMITS_MAX: Final = 200
"""Commits of a batch."""


@dataclass(frozen=True)
class Batch:
    """The events of some commits. ``commit`` is the last of them; ``moved`` as in `History`.

    ``is_last``  whether no more commits are there; ``unreadable``: files that could not be read
    """

    events: list[LinkEvent]
    commit: str
    moved: Mapping[str, str]
    is_last: bool
    unreadable: list[UnreadableFile]


class Ahead:
    """The commits that are to be read. They are listed once for all batches, as git has to walk through all of them."""

    def __init__(self) -> None:
        self._tip = ""
        self._ids: list[str] = []
        self._read = 0
        self._after: str | None = None

    def batch(self, repository: Repository, tip: str, after: str | None) -> tuple[list[Commit], bool]:
        """Return the commits of the batch after one, and whether no more are there."""
        end = self._read + COMMITS_MAX
        if tip == self._tip and after is not None and self._ids[end - 1 : end] == [after]:
            self._read = end
        elif (tip, after) != (self._tip, self._after):
            self._ids, self._read = repository.line(tip, after), 0
        self._tip, self._after = tip, after
        end = self._read + COMMITS_MAX
        return repository.commits(self._ids[self._read : end]), end >= len(self._ids)


def read_batch(
    repository: Repository,
    *,
    ahead: Ahead,
    after: str | None,
    moved: Mapping[str, str],
    url_of: Callable[[str], str | None],
    is_wanted: Callable[[str], bool],
    read_at: datetime,
) -> Batch:
    """Return the events of the next commits after one, or of the first ones.

    ``ahead`` is the same for all batches. Where the commit is no longer in the history (rewritten, or a branch was
    merged the other way round), the two states are compared as if the newest commit had made all the difference; where
    it is lost, all is read again. Raise `flatline_connectors.git.commits.UnreadableOutput`.
    """
    tip = repository.commit_of(TIP)
    assert tip, "something was fetched"
    if after is not None and repository.commit_of(after) is None:
        after, moved = None, {}
    commits, is_last = ahead.batch(repository, tip, after)
    if after is not None and after != tip and (not commits or after not in commits[0].parents[:1]):
        pairs: list[tuple[Commit, str | None]] = [(commit, after) for commit in repository.commits([tip])]
        is_last = True
    else:
        pairs = [(commit, next(iter(commit.parents), None)) for commit in commits]
    shallow = repository.shallow_commits()
    changes = repository.changes((commit.id, parent) for commit, parent in pairs)
    with repository.contents() as contents:
        unreadable: list[UnreadableFile] = []
        history = History(
            url_of=url_of,
            is_wanted=is_wanted,
            read=contents.read,
            moved=dict(moved),
            unreadable=unreadable.append,
        )
        events = [
            event
            for commit, _ in pairs
            for event in history.events(
                commit,
                changes.get(commit.id, ()),
                read_at=read_at,
                is_beginning=commit.id in shallow,
                object_of=partial(repository.object_of, commit.id),
            )
        ]
    return Batch(events, pairs[-1][0].id if pairs else tip, history.moved, is_last, unreadable)
