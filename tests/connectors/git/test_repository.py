"""What git is asked, and what it is kept from."""

import subprocess
import threading
from pathlib import Path

import pytest

from flatline_connectors.git import reading, repository
from flatline_connectors.git.repository import FetchFailed, Repository, RepositoryError, checked_address, remote_of
from tests.connectors.git.made import Made, batch_of, events_of, make

ONE = Made({"p.md": "[a](https://pub.example/a)"})


@pytest.mark.parametrize(
    "address",
    [
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=x",
        "ext::sh -c touch",
        "fd::17",
        "git://host.example/x",
        "http://host.example/x.git",
        "https://user:secret@host.example/x.git",
        "https://token@host.example/x.git",
        "host.example:-oProxyCommand=x",
        "git@-oProxyCommand=x:y",
        "missing-folder",
        "file.txt",
        "",
    ],
)
def test_addresses_that_git_is_never_given(address: str, tmp_path: Path) -> None:
    """Options, other protocols and credentials are refused with a message that quotes no secret."""
    (tmp_path / "file.txt").touch()
    with pytest.raises(RepositoryError) as refused:
        checked_address(address, tmp_path) if address else checked_address("x://", tmp_path)
    assert "secret" not in str(refused.value)


def test_addresses_that_it_may_be_given(tmp_path: Path) -> None:
    """https, ssh, files; a folder relative to that of the configuration."""
    (tmp_path / "clone").mkdir()
    assert checked_address("clone", tmp_path) == str(tmp_path / "clone")
    for address in (
        "https://host.example/a/b.git",
        "ssh://git@host.example/a",
        "git@host.example:a/b.git",
        "file:///a b",
    ):
        if " " not in address:
            assert checked_address(address, tmp_path) == address


def test_a_long_history_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not for each batch; a batch that is repeated is the same, and a new tip has it listed again."""
    monkeypatch.setattr(reading, "COMMITS_MAX", 2)
    listed: list[str | None] = []
    line = Repository.line

    def counted(self: Repository, newer: str, after: str | None) -> list[str]:
        listed.append(after)
        return line(self, newer, after)

    monkeypatch.setattr(Repository, "line", counted)
    commits = [Made({"p.md": f"[a](https://pub.example/{number})"}) for number in range(7)]
    source, copy, ahead = make(tmp_path / "source", commits), Repository(tmp_path / "copy"), reading.Ahead()
    copy.fetch(str(source), None)
    batches = [batch_of(copy, None, ahead)]
    while not batches[-1].is_last:
        batches.append(batch_of(copy, batches[-1], ahead))
        assert batch_of(copy, batches[-2], ahead) == batches[-1]
    assert [len(batch.events) for batch in batches] == [3, 4, 4, 2]
    assert listed == [None]
    make(source, [*commits, ONE])
    copy.fetch(str(source), None)
    assert len(batch_of(copy, batches[-1], ahead).events) == 2
    assert listed == [None, batches[-1].commit]


def test_no_hook_and_no_setting_of_a_repository_runs(tmp_path: Path) -> None:
    """Hooks, filters and commands that a foreign repository brings along do nothing."""
    source, trace = make(tmp_path / "source", [ONE]), tmp_path / "ran"
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc", "post-upload-pack", "pre-receive"):
        file = source / "hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\ntouch {trace}\n")
        file.chmod(0o755)
    for name in ("core.fsmonitor", "uploadpack.packObjectsHook", "core.sshCommand", "core.gitProxy", "diff.external"):
        subprocess.run(["git", "-C", str(source), "config", name, f"touch {trace}"], check=True)
    copy = tmp_path / "copy"
    assert len(events_of(source, copy)[0]) == 1
    assert not trace.exists()
    for hook in ("reference-transaction", "post-checkout"):
        file = copy / "hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\ntouch {trace}\n")
        file.chmod(0o755)
    make(source, [ONE, Made({})])
    trace.unlink(missing_ok=True)  # making it runs its hooks
    assert len(events_of(source, copy)[0]) == 2
    assert not trace.exists()


def test_no_other_protocol_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where somebody's settings would rewrite an address to one of another protocol."""
    trace = tmp_path / "ran"
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f'[url "ext::sh -c touch% {trace} "]\n\tinsteadOf = https://\n[protocol "ext"]\n\tallow = always\n'
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    settings.rename(tmp_path / ".gitconfig")
    with pytest.raises(FetchFailed, match="not allowed"):
        Repository(tmp_path / "copy").fetch("https://host.example/x.git", None)
    assert not trace.exists()


def test_what_points_git_elsewhere_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a hook of the user's own repository, or in a shell that has such variables."""
    source, other = make(tmp_path / "source", [ONE]), make(tmp_path / "other", [Made({"q.md": ""})])
    monkeypatch.setenv("GIT_DIR", str(other))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / "objects"))
    assert len(events_of(source, tmp_path / "copy")[0]) == 1


def test_a_repository_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused by name; what was fetched of it stays within the limit."""
    noise = b"".join(bytes([number * number * 7919 % 251, number % 253]) for number in range(300_000))
    source = make(tmp_path / "source", [Made({f"{n}.bin": bytes([n]) + noise[n:] for n in range(3)})])
    monkeypatch.setattr(repository, "_LIMITED", 'ulimit -f 16 && exec git "$@"')
    with pytest.raises(RepositoryError, match="more than"):
        Repository(tmp_path / "copy").fetch(str(source), None)
    assert max(file.stat().st_size for file in (tmp_path / "copy").rglob("*") if file.is_file()) <= 16 * 512


def test_branches(tmp_path: Path) -> None:
    """A branch that is not there, or is no name of one, is an error that says so."""
    source = make(tmp_path / "source", [ONE])
    make(source, [Made({"q.md": "[b](https://pub.example/b)"})], branch="published")
    copy = Repository(tmp_path / "copy")
    for branch in ("missing", "-x", "a..b", "+refs/heads/x"):
        with pytest.raises(RepositoryError, match="branch"):
            copy.fetch(str(source), branch)
    copy.fetch(str(source), "published")
    tip = copy.commit_of(repository.TIP)
    assert tip
    ((change,),) = copy.changes([(tip, None)]).values()
    assert change.new_path == "q.md"


def test_a_copy_that_a_kill_left_locked(tmp_path: Path) -> None:
    """Locks of a git that was killed keep nobody from reading on."""
    source, copy = make(tmp_path / "source", [ONE]), tmp_path / "copy"
    _, last = events_of(source, copy)
    for lock in ("HEAD.lock", "shallow.lock", "packed-refs.lock", "refs/flatline/tip.lock"):
        (copy / lock).touch()
    make(source, [ONE, Made({})])
    assert [event.change for event in events_of(source, copy, last)[0]] == ["lost"]


def test_stopping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stops it while it fetches leaves no git behind, and the fetch raises."""
    source = make(tmp_path / "source", [ONE])
    # A git that never answers, in place of the one that would ask the remote.
    monkeypatch.setattr(
        repository, "_LIMITED", 'if [ "$(echo "$*" | grep -c fetch)" = 1 ]; then sleep 600; fi; exec git "$@"'
    )
    copy = Repository(tmp_path / "copy")
    failures: list[Exception] = []

    def fetch() -> None:
        try:
            copy.fetch(str(source), None)
        except FetchFailed as failure:
            failures.append(failure)

    thread = threading.Thread(target=fetch)
    thread.start()
    while not any("fetch" in process.args for process in list(copy._processes)):  # type: ignore[operator]
        assert thread.is_alive()
    copy.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert failures
    assert not copy._processes


def test_where_a_clone_came_from(tmp_path: Path) -> None:
    """A clone knows its remote; a repository without one is nobody's clone."""
    source = make(tmp_path / "source", [ONE])
    assert remote_of(str(source)) is None
    subprocess.run(["git", "-C", str(source), "remote", "add", "origin", "git@github.com:a/b.git"], check=True)
    assert remote_of(str(source)) == "git@github.com:a/b.git"
    assert remote_of("https://host.example/x.git") == "https://host.example/x.git"
