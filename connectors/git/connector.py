"""The connector: keeps a copy of a repository and reads its history from commit to commit."""

import asyncio
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.fetching.outcomes import Action
from flatline_connectors.git.commits import UnreadableOutput
from flatline_connectors.git.history import UnreadableFile
from flatline_connectors.git.page_urls import page_urls
from flatline_connectors.git.reading import Ahead, read_batch
from flatline_connectors.git.repository import FetchFailed, Repository, checked_address, remote_of
from flatline_connectors.runtime.config import ConnectorOptions
from flatline_connectors.runtime.connector import (
    ConnectorKind,
    PollFailed,
    PollResult,
    Resources,
    UnreadableRecord,
    found_link,
)
from flatline_connectors.runtime.own_sites import known_sites


class GitOptions(ConnectorOptions, frozen=True, kw_only=True, tag="git"):
    """A repository, and which pages its files become."""

    repo: Annotated[str, Meta(min_length=1, description="An https or ssh address, or a folder")]
    branch: Annotated[str | None, Meta(description="Branch that is published; else the repository's usual one")] = None
    pages: Annotated[
        tuple[str, ...],
        Meta(
            description="Rules such as 'content/{path}.md = https://theirs.example/{path}/', of which the first that "
            "fits counts; else the addresses at GitHub, GitLab or Codeberg"
        ),
    ] = ()


class GitState(msgspec.Struct, frozen=True, kw_only=True):
    """How far the history was read: up to ``commit``.

    ``moved``: files that were renamed, with the addresses of the pages that they were before
    """

    version: Literal[1] = 1
    commit: Annotated[str, Meta(pattern=r"^[0-9a-f]{40,64}(?!\n)$")] | None = None
    moved: dict[str, str] = {}


class Git:
    """One poll reads a batch of commits, and fetches first if all that is here was read."""

    def __init__(self, options: GitOptions, resources: Resources) -> None:
        self._options = options
        self._resources = resources
        self._copy = resources.work_folder / "repository.git"
        self._ahead = Ahead()

    async def poll(self, state: GitState, now: datetime) -> PollResult[GitState]:
        """Read the next commits. Raise `PollFailed`, and a `ConnectorError` where somebody has to say something."""
        repository = Repository(self._copy)
        try:
            return await asyncio.to_thread(self._poll, repository, state, now)
        except FetchFailed as error:
            raise PollFailed(Action.RETRY, str(error)) from None
        except UnreadableOutput as error:
            await asyncio.to_thread(repository.clear)
            raise PollFailed(Action.RETRY, f"the copy of the repository is damaged, and made anew: {error}") from None
        finally:
            repository.stop()  # a poll that is cancelled leaves no git behind

    def _poll(self, repository: Repository, state: GitState, now: datetime) -> PollResult[GitState]:
        address = checked_address(self._options.repo, self._resources.folder)
        is_ours = known_sites(self._resources)
        url_of = page_urls(address, remote_of(address), self._options.pages).url_of
        is_fetched = not repository.has_more_than(state.commit)
        if is_fetched:
            repository.fetch(address, self._options.branch)
        batch = read_batch(
            repository,
            ahead=self._ahead,
            after=state.commit,
            moved=state.moved,
            url_of=lambda path: None if (url := url_of(path)) is None or is_ours(url) else url,
            is_wanted=is_ours,
            read_at=now,
        )
        repository.keep(batch.commit)
        is_complete = is_fetched and batch.is_last
        return PollResult(
            [*(found_link(event, commit=batch.commit) for event in batch.events), *map(_letter, batch.unreadable)],
            GitState(commit=batch.commit, moved=dict(batch.moved)),
            is_complete=is_complete,
            seen_until=now if is_complete else None,
        )


def _letter(file: UnreadableFile) -> UnreadableRecord:
    path = file.path.encode(errors="replace").decode()
    return UnreadableRecord(
        file.beginning, Rejected(Reason.INVALID_VALUE, file.reason), {"file": path, "object": file.object}
    )


KIND: Final = ConnectorKind(
    options=GitOptions,
    state=GitState,
    open=Git,
    about="The history of a Git repository that holds the sources of pages.",
)
