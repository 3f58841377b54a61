"""A copy of a repository without a work tree, and what git says of it.

Git's own commands, because they alone read every repository that they can fetch, and over ssh as the user set it up.
They run without hooks, without prompts, and with no other protocols than https, ssh and files. Nothing is checked out,
so no filter and no link in the repository is ever followed.
"""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from flatline_connectors.errors import ConnectorError
from flatline_connectors.git.commits import (
    REV_LIST_FORMAT,
    Commit,
    FileChange,
    UnreadableOutput,
    changes_of,
    commits_of,
)
from flatline_connectors.git.documents import FILE_BYTES_MAX

REPOSITORY_BYTES_MAX: Final = 4 << 30
FETCH_TIMEOUT_S: Final = 1_800
TIP: Final = "refs/flatline/tip"
_READ: Final = "refs/flatline/read"
_COMMAND_TIMEOUT_S: Final = 600
_RENAMES_MAX: Final = 4_000
_SAFE: Final = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "gc.auto=0"),
    *("-c", "http.followRedirects=false"),  # to where nobody said that we may go
    *("-c", "http.lowSpeedLimit=1000"),
    *("-c", "http.lowSpeedTime=60"),
)
# POSIX counts blocks of 512 bytes; a pack, which is one file, can't grow beyond it.
_LIMITED: Final = f'ulimit -f {REPOSITORY_BYTES_MAX // 512} && exec git "$@"'
_KEPT: Final = frozenset({"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_EXEC_PATH"})
_REMOTE: Final = re.compile(r"(?:https|ssh|file)://[^\s]+|[A-Za-z0-9_.-]+@[A-Za-z0-9][A-Za-z0-9.-]*:[^\s]+")
_CREDENTIALS: Final = re.compile(r"https://[^/]*@")
_BRANCH: Final = re.compile(r"[A-Za-z0-9_][\w./+-]{0,199}")
_MISSING: Final = re.compile(r"[Cc]ouldn't find remote ref")
_TOO_LARGE: Final = re.compile(r"File too large|died of signal 25")


class RepositoryError(ConnectorError):
    """A repository can't be read. The message names it and what git said."""

    remedy = "Try `git ls-remote` with the same address; a private one needs ssh, or a credential helper of git."


class FetchFailed(Exception):
    """Git could not fetch now; it may later. The message is what git said."""


def checked_address(repository: str, folder: Path) -> str:
    """Return what git may be asked for: an https, ssh or file URL, or an absolute path. Raise `RepositoryError`.

    A relative path is one in ``folder``.
    """
    if repository.startswith("-"):
        raise RepositoryError(f"{repository!r} is an option of git, and no repository.")
    if _CREDENTIALS.match(repository):
        raise RepositoryError("The address of the repository holds a user name or a password.")
    if _REMOTE.fullmatch(repository):
        return repository
    path = folder / Path(repository).expanduser()
    if "::" in repository or "://" in repository or not path.is_dir():
        raise RepositoryError(
            f"{repository!r} is neither a folder nor an address of git.",
            remedy="Name the folder of a clone, or an address such as https://host/name.git or git@host:name.git.",
        )
    return str(path.resolve())


def remote_of(address: str) -> str | None:
    """Return the remote address of a repository: its own, or where a clone in a folder came from."""
    if not Path(address).is_absolute():
        return address
    try:
        found = subprocess.run(  # noqa: S603 - no shell reads the arguments
            ["git", *_SAFE, "-C", address, "config", "--get", "remote.origin.url"],  # noqa: S607
            env=_environment(None),
            capture_output=True,
            timeout=_COMMAND_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.decode(errors="replace").strip() or None


class Repository:
    """The copy in ``folder``, which is this object's alone. Methods block; none needs the network except `fetch`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._is_stopped = False

    def has_more_than(self, commit: str | None) -> bool:
        """Whether there is more to read after a commit without fetching anything; False for None."""
        if commit is None or not self._folder.is_dir():
            return False
        return self.commit_of(commit) is not None and self.commit_of(TIP) not in {None, commit}

    def fetch(self, address: str, branch: str | None) -> None:
        """Bring the copy up to date; ``address`` as `checked_address` returns it, ``branch`` None for the usual one.

        Raise `FetchFailed`, and `RepositoryError` for a branch that is not there.
        """
        if branch is not None and (not _BRANCH.fullmatch(branch) or ".." in branch):
            raise RepositoryError(f"{branch!r} is no name of a branch.")
        self._prepare()
        wanted = f"refs/heads/{branch}" if branch else "HEAD"
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--update-shallow")
        fetched = self._run("fetch", *options, "--", address, f"+{wanted}:{TIP}", timeout_s=FETCH_TIMEOUT_S)
        if fetched.returncode:
            said = fetched.stderr.decode(errors="replace").strip()[-500:] or f"git ended with {fetched.returncode}"
            if _TOO_LARGE.search(said):
                raise RepositoryError(f"{address} has more than {REPOSITORY_BYTES_MAX:,} bytes.")
            if _MISSING.search(said):
                raise RepositoryError(f"{address} has no {'branch ' + branch if branch else 'commit'}.")
            raise FetchFailed(f"{address}: {said}")

    def clear(self) -> None:
        """Delete the copy: the next fetch makes it anew."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def keep(self, commit: str) -> None:
        """Keep a commit, even when the history that it belongs to is replaced."""
        self._output("update-ref", _READ, commit)

    def commit_of(self, name: str) -> str | None:
        """Return the id of a commit by any name; None if there is none."""
        found = self._run("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
        return found.stdout.decode("ascii").strip() if found.returncode == 0 else None

    def line(self, newer: str, after: str | None) -> list[str]:
        """Return the ids of commits that lead to one by first parents, oldest first: those after another, or all."""
        since = [f"^{after}"] if after else []
        return self._output("rev-list", "--reverse", "--first-parent", newer, *since, "--").decode("ascii").split()

    def commits(self, identifiers: Sequence[str]) -> list[Commit]:
        """Return commits by their ids, in this order."""
        if not identifiers:
            return []
        given = "\n".join([*identifiers, ""]).encode("ascii")
        format_option = f"--format={REV_LIST_FORMAT}"
        return commits_of(self._output("rev-list", "--no-walk=unsorted", format_option, "--stdin", given=given))

    def shallow_commits(self) -> frozenset[str]:
        """Return the commits at which a shallow copy begins: what came before them is not known."""
        try:
            return frozenset((self._folder / "shallow").read_text("ascii").split())
        except FileNotFoundError:
            return frozenset()

    def changes(self, pairs: Iterable[tuple[str, str | None]]) -> dict[str, list[FileChange]]:
        """Return what each commit changes in comparison with another; without another, all of its files are new."""
        lines = "".join(f"{new} {old}\n" if old else f"{new}\n" for new, old in pairs)
        options = ("--stdin", "-r", "--root", "-z", "--raw", "--no-abbrev", "-B", "-M", f"-l{_RENAMES_MAX}")
        return changes_of(self._output("diff-tree", *options, given=lines.encode("ascii")))

    def object_of(self, commit: str, path: str) -> str | None:
        """Return the object of a file in a commit."""
        found = self._run("rev-parse", "--quiet", "--verify", f"{commit}:{path}")
        return found.stdout.decode("ascii").strip() if found.returncode == 0 else None

    @contextmanager
    def contents(self) -> Iterator["Contents"]:
        """Read objects in the block."""
        with self._started("cat-file", "--batch", errors=subprocess.DEVNULL) as process:
            yield Contents(process)

    def stop(self) -> None:
        """End what another thread has git do; its call raises."""
        with self._lock:
            self._is_stopped = True
            for process in self._processes:
                _kill(process)

    def _prepare(self) -> None:
        if not (self._folder / "HEAD").exists():
            self.clear()
            self._folder.mkdir(parents=True)
            self._output("init", "--quiet", "--bare", "--template=")
        for lock in [*self._folder.glob("*.lock"), *(self._folder / "refs").rglob("*.lock")]:
            lock.unlink(missing_ok=True)  # of a process that was killed: nobody else uses this copy

    def _output(self, *arguments: str, given: bytes = b"") -> bytes:
        done = self._run(*arguments, given=given)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[-500:]
            raise UnreadableOutput(f"git {arguments[0]} ended with {done.returncode}: {said}")
        return done.stdout

    def _run(
        self, *arguments: str, given: bytes = b"", timeout_s: float = _COMMAND_TIMEOUT_S
    ) -> subprocess.CompletedProcess[bytes]:
        with self._started(*arguments) as process:
            try:
                out, err = process.communicate(given, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                raise FetchFailed(f"git {arguments[0]} took more than {timeout_s:,.0f} s") from None
            return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    @contextmanager
    def _started(self, *arguments: str, errors: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
        """Run git for the block; it has ended after it."""
        with self._lock:
            if self._is_stopped:
                raise FetchFailed("stopped")
            process = subprocess.Popen(  # noqa: S603 - no shell reads the arguments
                ["sh", "-c", _LIMITED, "sh", *_SAFE, *arguments],  # noqa: S607 - git and sh as the user has them
                cwd=self._folder,
                env=_environment(self._folder),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # so that all that git starts ends with it
            )
            self._processes.add(process)
        try:
            with process:
                try:
                    yield process
                finally:
                    if process.returncode is None:
                        _kill(process)
        finally:
            with self._lock:
                self._processes.discard(process)


class Contents:
    """Reads objects, one after the other, from `git cat-file --batch`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        assert process.stdout
        self._requests: IO[bytes] = process.stdin
        self._answers: IO[bytes] = process.stdout

    def read(self, identifier: str) -> bytes | None:
        """Return the content of an object; None where it is missing, or has more than FILE_BYTES_MAX."""
        try:
            self._requests.write(f"{identifier}\n".encode("ascii"))
            self._requests.flush()
            header = self._answers.readline().split()
            if header[1:] == [b"missing"]:
                return None
            size = int(header[2])
            if size <= FILE_BYTES_MAX:
                return self._exactly(size + 1)[:-1]
            while size >= 0:
                size -= len(self._exactly(min(size + 1, FILE_BYTES_MAX)))
        except (OSError, ValueError, IndexError) as error:
            raise UnreadableOutput(f"git cat-file answers {type(error).__name__} for {identifier}") from error
        return None

    def _exactly(self, size: int) -> bytes:
        content = self._answers.read(size)
        if len(content) < size:
            raise OSError("the answer ends too soon")
        return content


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment(folder: Path | None) -> dict[str, str]:
    """Return the environment of git: the user's, without what would point it elsewhere, and without prompts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    return {
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
        **kept,
        **({"GIT_DIR": str(folder)} if folder else {}),
        "GIT_ALLOW_PROTOCOL": "https:ssh:file",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "LC_ALL": "C",
    }
