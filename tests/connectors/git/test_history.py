"""Which links histories gain and lose: the events, added up, are what the newest files say."""

import re
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.link_event import LinkEvent
from flatline_connectors.git import history, reading
from flatline_connectors.git.repository import Repository
from tests.connectors.git.made import PAGES, Made, batch_of, events_of, live_after, make
from tests.examples import examples

PADDING = "\n\n".join(f"Paragraph {number} of a text that is long enough to be recognised." for number in range(12))
# Written by hand: what links a file of these tests has, without any parser.
LINK = re.compile(r"\]\((https://pub\.example/[^)]*)\)")


def text(*targets: str, padding: str = PADDING) -> str:
    """Return a text in Markdown with links to these articles, among others."""
    return padding + "".join(
        f"\n\nSee [it](https://pub.example/{target}) and [x](https://x.example/)." for target in targets
    )


def pairs(files: Mapping[str, str]) -> set[tuple[str, str]]:
    """Return the links of files whose pages stand at the addresses of their paths."""
    return {
        (url, target)
        for path, content in files.items()
        if (url := PAGES.url_of(path)) and path.endswith((".md", ".html"))
        for target in LINK.findall(content)
    }


contents = st.builds(text, *[st.sampled_from(["a", "b", "c", "d"])] * 2) | st.just(text())
trees = st.dictionaries(
    st.sampled_from(["content/one.md", "two.md", "three.txt", "content/ü ß.md"]), contents, max_size=4
)


@pytest.mark.long
@given(st.lists(trees, min_size=1, max_size=6), st.integers(1, 6), st.lists(trees, min_size=1, max_size=3))
@examples(15)
def test_events_add_up_to_the_newest_files(
    before: list[dict[str, str]], batch: int, after: list[dict[str, str]]
) -> None:
    """Whatever commits there are and however they are batched, no event repeats what is known, and none is missing.

    Also after the history was replaced by another one. Where renamed files keep their addresses, only the numbers of
    links to each article are known without git.
    """
    with TemporaryDirectory() as folder, patch.object(reading, "COMMITS_MAX", batch):
        source = make(Path(folder, "source"), [Made(files) for files in before])
        events, last = events_of(source, Path(folder, "copy"))
        live = live_after(events)
        assert Counter(target for _, target in live) == Counter(target for _, target in pairs(before[-1]))
        make(source, [Made(files) for files in after])
        events, last = events_of(source, Path(folder, "copy"), last)
        live = live_after(events, live)
        assert Counter(target for _, target in live) == Counter(target for _, target in pairs(after[-1]))
        assert events_of(source, Path(folder, "copy"), last)[0] == []


def said(events: Sequence[LinkEvent]) -> list[tuple[str, str, str]]:
    """Return change, page and target of events."""
    return [(event.change, event.url_from.removeprefix("https://news.example/"), event.url_to[-1]) for event in events]


def read(folder: Path, *commits: Made | Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return what a history of these commits says."""
    made = [commit if isinstance(commit, Made) else Made(commit) for commit in commits]
    return said(events_of(make(folder / "source", made), folder / "copy")[0])


def test_wrapping_text_anew_changes_nothing(tmp_path: Path) -> None:
    """Links are compared, and not lines."""
    first = text("a", "b")
    assert read(tmp_path, {"p.md": first}, {"p.md": first.replace(" ", "\n")}) == [
        ("gained", "p.md", "a"),
        ("gained", "p.md", "b"),
    ]


def test_a_renamed_file_stays_the_page_that_it_was(tmp_path: Path) -> None:
    """Renamed, edited, renamed again and deleted, it is the page at its first address all the time."""
    assert read(
        tmp_path,
        {"p.md": text("a")},
        {"q.md": text("a")},
        {"q.md": text("a", "b")},
        {"content/r.md": text("a", "b")},
        {"content/r.md": text("b")},
        {},
    ) == [("gained", "p.md", "a"), ("gained", "p.md", "b"), ("lost", "p.md", "a"), ("lost", "p.md", "b")]


def test_another_file_takes_the_address_of_a_renamed_one(tmp_path: Path) -> None:
    """Then that is the page at the address, and the renamed file one at its own, whose links are no news."""
    expected = [("gained", "p.md", "b"), ("lost", "p.md", "a"), ("gained", "q.md", "a")]
    other = text("b", padding=PADDING.upper())
    together = read(tmp_path / "1", {"p.md": text("a")}, {"q.md": text("a"), "p.md": other})
    apart = read(tmp_path / "2", {"p.md": text("a")}, {"q.md": text("a")}, {"q.md": text("a"), "p.md": other})
    assert together[:1] == apart[:1] == [("gained", "p.md", "a")]
    assert sorted(together[1:]) == sorted(apart[1:]) == sorted(expected)


def test_moved_links_are_no_news(tmp_path: Path) -> None:
    """Links that go with a page to another address count there, but are no sign of life."""
    other = text("b", padding=PADDING.upper())
    commits = [Made({"p.md": text("a")}), Made({"q.md": text("a"), "p.md": other})]
    events, _ = events_of(make(tmp_path / "source", commits), tmp_path / "copy")
    assert {(event.url_from[-4:], event.discovery) for event in events if event.change == "gained"} == {
        ("p.md", "link_found"),
        ("q.md", "page_found"),
    }


def test_two_files_that_swap_names_swap_nothing(tmp_path: Path) -> None:
    """Each stays the page that it was."""
    other = text("b", padding=PADDING.upper())
    before, after = {"p.md": text("a"), "q.md": other}, {"p.md": other, "q.md": text("a")}
    assert read(tmp_path, before, after, {"p.md": text(), "q.md": text("a")})[2:] == [("lost", "q.md", "b")]


def test_only_first_parents_count(tmp_path: Path) -> None:
    """A branch counts when it is merged, at the time of the merge."""
    commits = [
        Made({"p.md": text("a")}),
        Made({"p.md": text("a"), "q.md": text("b")}, [0]),
        Made({"p.md": text("a", "c")}, [0]),
        Made({"p.md": text("a", "c"), "q.md": text("b")}, [2, 1]),
    ]
    events, _ = events_of(make(tmp_path / "source", commits), tmp_path / "copy")
    assert said(events) == [("gained", "p.md", "a"), ("gained", "p.md", "c"), ("gained", "q.md", "b")]
    occurred = [event.occurred_at.timestamp() - 1_700_000_000 for event in events if event.occurred_at]
    assert occurred == [0, 2 * 3_600, 3 * 3_600]


def test_a_branch_that_is_merged_the_other_way_round_repeats_nothing(tmp_path: Path) -> None:
    """What was read may become the second parent of what is there now, as after `git pull`."""
    base, ours, theirs = {"p.md": text("a")}, {"p.md": text("a", "b")}, {"p.md": text("a"), "q.md": text("c")}
    source = make(tmp_path / "source", [Made(base), Made(ours)])
    events, last = events_of(source, tmp_path / "copy")
    make(source, [Made(base), Made(ours), Made(theirs, [0]), Made({**ours, **theirs, "p.md": text("b")}, [2, 1])])
    later, _ = events_of(source, tmp_path / "copy", last)
    assert live_after([*events, *later]) == pairs({"p.md": text("b"), "q.md": text("c")})


def test_a_lost_copy_is_made_anew(tmp_path: Path) -> None:
    """The position does not depend on the copy: without it the history goes on, with what is still known of it."""
    source = make(tmp_path / "source", [Made({"p.md": text("a")})])
    _, last = events_of(source, tmp_path / "copy")
    make(source, [Made({"p.md": text("a")}), Made({"p.md": text("b")})])
    later, _ = events_of(source, tmp_path / "another", last)
    assert said(later) == [("gained", "p.md", "b"), ("lost", "p.md", "a")]
    replaced = make(tmp_path / "replaced", [Made({"p.md": text("c")})])
    assert said(events_of(replaced, tmp_path / "third", last)[0]) == [("gained", "p.md", "c")]


def test_clocks_that_are_wrong(tmp_path: Path) -> None:
    """No time lies after the reading, or before the commit was made; a clock that was never set says nothing."""
    future, never = "4000000000 +0000", "0 +0000"
    commits = [
        Made({"p.md": text("a")}, authored=future, committed=future),
        Made({"p.md": text("a", "b")}, authored=future, committed="1700000000 +0000"),
        Made({"p.md": text("a", "b", "c")}, authored=never, committed=never),
        Made({"p.md": text("a", "b", "c", "d")}, authored=never, committed="1700000000 +0000"),
    ]
    events, _ = events_of(make(tmp_path / "source", commits), tmp_path / "copy")
    times = [
        tuple(int(at.timestamp()) if at else None for at in (event.occurred_at, event.observed_at)) for event in events
    ]
    read_at_s = 1_795_737_600
    assert times == [(read_at_s, read_at_s), (1_700_000_000, 1_700_000_000), (None, None), (None, 1_700_000_000)]
    assert [event.discovery for event in events] == ["link_found", "link_found", "import", "link_found"]


def test_what_came_before_is_not_known_in_a_shallow_clone(tmp_path: Path) -> None:
    """All links at its beginning are history; later ones are found."""
    source = make(
        tmp_path / "source", [Made({"p.md": text("a")}), Made({"p.md": text("b")}), Made({"p.md": text("b", "c")})]
    )
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=2", f"file://{source}", str(shallow)], check=True)
    events, _ = events_of(shallow, tmp_path / "copy")
    assert [(event.url_to[-1], event.discovery) for event in events] == [("b", "import"), ("c", "link_found")]


def test_a_site_that_comes_into_the_repository_at_once_is_history(tmp_path: Path) -> None:
    """So many pages nobody writes at a time; as many as that, somebody may."""
    pages = {f"p{number}.md": text("a", padding=f"{number} {PADDING}") for number in range(history.PAGES_AT_ONCE_MAX)}
    one_more = {**pages, "another.md": text("a")}
    for name, files, expected in (("few", pages, "link_found"), ("many", one_more, "import")):
        events, _ = events_of(make(tmp_path / name / "source", [Made({}), Made(files)]), tmp_path / name / "copy")
        assert len(events) == len(files)
        assert {event.discovery for event in events} == {expected}


def test_a_page_that_says_that_it_is_older(tmp_path: Path) -> None:
    """A page that was published long before it came into the repository is no news; its date is the link's."""
    dated = "---\ndate: 2020-05-01\n---\n" + text("a")
    ((event,), _) = events_of(make(tmp_path / "source", [Made({"p.md": dated})]), tmp_path / "copy")
    assert event.occurred_at
    assert (event.discovery, f"{event.occurred_at:%Y-%m-%d}") == ("page_found", "2020-05-01")


def test_files_that_are_none(tmp_path: Path) -> None:
    """A symbolic link, a submodule, a huge file and one that no format is sure of hold no links, and stop nothing."""
    huge = text("b") + "x" * (2 << 20)
    source = make(tmp_path / "source", [Made({"p.md": text("a"), "huge.md": huge, "bin.md": b"\x00\xff" * 500})])
    stream = (
        "commit refs/heads/main\ncommitter C <c@x.example> 1700100000 +0000\ndata 1\nm\nfrom refs/heads/main^0\n"
        "M 120000 inline link.md\ndata 4\np.md\nM 160000 1111111111111111111111111111111111111111 sub.md\n"
    )
    subprocess.run(["git", "-C", str(source), "fast-import", "--quiet"], input=stream.encode(), check=True)
    copy = Repository(tmp_path / "copy")
    copy.fetch(str(source), None)
    batch = batch_of(copy)
    assert said(batch.events) == [("gained", "p.md", "a")]
    assert [file.path for file in batch.unreadable] == ["huge.md"]
