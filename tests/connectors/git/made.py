"""Repositories made for tests, by `git fast-import`: each commit says all files that it has."""

import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from flatline.schema.link_event import LinkEvent
from flatline_connectors.git.page_urls import PageUrls
from flatline_connectors.git.reading import Ahead, Batch, read_batch
from flatline_connectors.git.repository import Repository
from flatline_connectors.sites import on_sites

READ_AT = datetime(2026, 11, 27, tzinfo=UTC)
IS_OURS = on_sites(["pub.example"])
PAGES = PageUrls(["content/{path}.md = https://news.example/{path}/", "{path} = https://news.example/{path}"])
START_S = 1_700_000_000


class Made(NamedTuple):
    """A commit to make: its files, and the numbers of its parents among those made before; by default the last one."""

    files: Mapping[str, str | bytes]
    parents: Sequence[int] | None = None
    authored: str = ""
    committed: str = ""


def make(folder: Path, commits: Sequence[Made], *, branch: str = "main") -> Path:
    """Make a repository whose branch ends with the last commit; a branch that is there already begins anew."""
    if not folder.exists():
        subprocess.run(["git", "init", "-q", "--bare", "-b", branch, str(folder)], check=True)
    stream = bytearray(f"reset refs/heads/{branch}\n".encode())
    for number, commit in enumerate(commits):
        when = f"{START_S + number * 3_600} +0000"
        stream += f"commit refs/heads/{branch}\nmark :{number + 1}\n".encode()
        stream += f"author A <a@x.example> {commit.authored or when}\n".encode()
        stream += f"committer C <c@x.example> {commit.committed or when}\ndata 2\nm\n\n".encode()
        parents = commit.parents if commit.parents is not None else [number - 1] if number else []
        for word, parent in zip(["from", *["merge"] * len(parents)], parents, strict=False):
            stream += f"{word} :{parent + 1}\n".encode()
        stream += b"deleteall\n"
        for path, text in commit.files.items():
            content = text.encode() if isinstance(text, str) else text
            stream += f'M 100644 inline "{path}"\ndata {len(content)}\n'.encode() + content + b"\n"
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet", "--force"], input=bytes(stream), check=True)
    return folder


def batch_of(copy: Repository, before: Batch | None = None, ahead: Ahead | None = None) -> Batch:
    """Read the next batch."""
    return read_batch(
        copy,
        ahead=ahead or Ahead(),
        after=before.commit if before else None,
        moved=before.moved if before else {},
        url_of=PAGES.url_of,
        is_wanted=IS_OURS,
        read_at=READ_AT,
    )


def events_of(folder: Path, copy: Path, before: Batch | None = None) -> tuple[list[LinkEvent], Batch]:
    """Fetch a repository, and read all that is new since a batch."""
    repository = Repository(copy)
    repository.fetch(str(folder), None)
    ahead = Ahead()
    batch = batch_of(repository, before, ahead)
    events = [*batch.events]
    while not batch.is_last:
        batch = batch_of(repository, batch, ahead)
        events += batch.events
    return events, batch


def live_after(
    events: Sequence[LinkEvent], live: frozenset[tuple[str, str]] = frozenset()
) -> frozenset[tuple[str, str]]:
    """Return the links that are live after events. Nothing may be gained that is live, or lost that is not."""
    pairs = set(live)
    for event in events:
        pair = (event.url_from, event.url_to)
        assert (pair in pairs) == (event.change == "lost"), event
        pairs ^= {pair}
    return frozenset(pairs)
