"""The sample of a history, where it lies beside the project."""

import re
import subprocess
from pathlib import Path

from tests.connectors.git.made import events_of
from tests.samples import SAMPLES, with_samples

SAMPLE = SAMPLES / "git_history.patch"
pytestmark = with_samples

T1, T2 = "https://pub.example/guides/slow-tomatoes", "https://pub.example/interviews/ada-okoro"
PAGE = "https://news.example/posts/ten-patient-vegetables/"


def test_the_sample_gives_two_links_and_a_loss(tmp_path: Path) -> None:
    """A reference link counts and a code span doesn't; a rename loses and gains nothing."""
    source = tmp_path / "source"
    subprocess.run(["git", "init", "-q", str(source)], check=True)
    text = SAMPLE.read_text()
    first, second = (part for part in re.split(r"^From [0-9a-f]{40} .*\n", text, flags=re.MULTILINE) if part)
    old, new = (
        source / "content/posts/ten-patient-vegetables.md",
        source / "content/posts/2026/ten-patient-vegetables.md",
    )
    content = [line[1:] for line in first.splitlines() if line.startswith("+") and not line.startswith("+++")]
    old.parent.mkdir(parents=True)
    old.write_text("\n".join(content) + "\n")
    commit(source, "2026-11-20T09:14:03+01:00")
    content[1] = second.splitlines()[-1].removeprefix("+")
    new.parent.mkdir()
    old.rename(new)
    new.write_text("\n".join(content) + "\n")
    commit(source, "2026-11-22T10:00:00+01:00")
    events, _ = events_of(source, tmp_path / "copy")
    said = [
        (event.change, event.discovery, event.url_from, event.url_to, f"{event.occurred_at:%d %H:%M:%S}")
        for event in events
    ]
    assert said == [
        ("gained", "link_found", PAGE, T1, "20 08:14:03"),
        ("gained", "link_found", PAGE, T2, "20 08:14:03"),
        ("lost", "link_found", PAGE, T1, "22 09:00:00"),
    ]
    assert [event.anchor for event in events] == ["slow tomato guide", "Ada", None]
    assert events[0].page
    assert events[0].page.title == "Ten patient vegetables"
    assert events[2].lost_reason == "removed"


def commit(folder: Path, when: str) -> None:
    """Commit all that is in a folder."""
    git = ["git", "-C", str(folder), "-c", "user.name=Mara", "-c", "user.email=mara@news.example"]
    subprocess.run([*git, "add", "-A"], check=True)
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "PATH": "/usr/bin:/bin"}
    subprocess.run([*git, "commit", "-q", "-m", "m"], check=True, env=dates)
