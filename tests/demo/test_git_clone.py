"""A Git repository as the history of a demo."""

import subprocess
from pathlib import Path

import pytest

from flatline.demo.errors import DemoError
from flatline.demo.git_clone import history_file
from flatline.demo.scenarios import RecordedScenario
from flatline.schema import codec
from flatline_connectors.git.reading import COMMITS_MAX
from tests.connectors.git.made import START_S, Made, make


def test_a_repository_is_played_as_its_history(tmp_path: Path) -> None:
    """All links to other sites become events at the times of their commits, and the demo can play them."""
    first = "[a](https://one.example/a) [b](https://two.example/) [own](other.md) [own](https://github.com/x/y)"
    commits = [
        Made({"p.md": first}),
        Made({"p.md": first, "q.rst": "`c <https://one.example/c>`_"}),
        Made({"p.md": ""}),
    ]
    source = make(tmp_path / "source", commits)
    subprocess.run(["git", "-C", str(source), "remote", "add", "origin", "https://github.com/x/blog.git"], check=True)
    with history_file(source, report=lambda _: None) as file:
        events = [codec.links.decode(line) for line in file.read_bytes().splitlines()]
        opening = RecordedScenario(file, days_per_s=1, name="my clone").opening()
    assert not file.exists()
    page = "https://github.com/x/blog/blob/HEAD"
    assert [(event.change, event.url_from, event.url_to, event.occurred_at.timestamp() - START_S) for event in events
            if event.occurred_at] == [
        ("gained", f"{page}/p.md", "https://one.example/a", 0),
        ("gained", f"{page}/p.md", "https://two.example/", 0),
        ("gained", f"{page}/q.rst", "https://one.example/c", 3_600),
        ("lost", f"{page}/p.md", "https://one.example/a", 7_200),
        ("lost", f"{page}/p.md", "https://two.example/", 7_200),
        ("lost", f"{page}/q.rst", "https://one.example/c", 7_200),
    ]  # fmt: skip
    assert opening.startswith("The history of my clone: 6 lines, 2023-11-14 to 2023-11-15.")


def test_it_says_how_far_it_is(tmp_path: Path) -> None:
    """After each batch of commits but the last, with what was found in it and before."""
    text, commits = "", []
    for number in range(COMMITS_MAX + 1):
        text += f"[a](https://one.example/{number})\n"
        commits.append(Made({"p.md": text}))
    said: list[str] = []
    with history_file(make(tmp_path / "source", commits), report=said.append):
        assert said == [f"up to 2023-11-23, {COMMITS_MAX} links"]


def test_folders_that_can_not_be_played(tmp_path: Path) -> None:
    """A folder that is no repository, and one without links, are errors that name it."""
    for folder, said in (
        (tmp_path, "Git repository"),
        (make(tmp_path / "source", [Made({"p.md": "text"})]), "links to other"),
    ):
        with pytest.raises(DemoError, match=said), history_file(folder, report=lambda _: None):
            pytest.fail("it was played")
