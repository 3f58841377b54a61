"""The sections that watch sites, beside those that a file has already."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline_connectors.runtime.config_file import sections_of
from flatline_connectors.runtime.registry import KINDS
from flatline_connectors.runtime.watch_list import WATCHED, watch_list

PATH = Path("connectors.toml")
FEED = "https://theirs.example/feed"


def added_to(text: str, sites: list[str], **named: list[str]) -> str:
    """Return the text of a file after sites are watched."""
    watching = watch_list(sites, sections_of(text, KINDS, path=PATH), **named)
    return "\n".join([text, *(each.text for each in watching if each.text)])


def test_all_that_needs_no_account_is_watched() -> None:
    """Once: whoever asks for it again finds it there."""
    text = added_to("", ["yours.example"], feeds=[FEED], prefixes=["10.5555"])
    sections = {section.kind.name: section for section in sections_of(text, KINDS, path=PATH)}
    assert set(sections) == {*WATCHED, "feeds", "crossref", "datacite"}
    assert all(section.options.sites == ["yours.example"] for section in sections.values())
    assert (sections["hacker-news"].options.every, sections["feeds"].options.feeds) == ("10m", (FEED,))
    assert added_to(text, ["yours.example"], feeds=[FEED], prefixes=["10.5555"]).strip() == text.strip()


@pytest.mark.parametrize("sites", ["", 'sites = ["https://Yours.example/", "other.example"]'])
def test_what_is_there_is_not_added_again(sites: str) -> None:
    """Whatever it is called, and where the site records say what is watched."""
    text = f'[mine]\nkind = "wikimedia"\n{sites}\n'
    (wikimedia,) = (
        each for each in watch_list(["yours.example"], sections_of(text, KINDS, path=PATH)) if each.kind == "wikimedia"
    )
    assert (wikimedia.name, wikimedia.text) == ("mine", None)


@given(
    st.lists(st.sampled_from(["a.example", "b.example", "x_y.example", "ü.example", "c" * 60 + ".example"]), min_size=1)
)
def test_names_are_never_taken_twice(asked: list[str]) -> None:
    """However many sites are watched one after the other."""
    text = ""
    for site in asked:
        text = added_to(text, [site], feeds=[f"https://{site}/feed"])
    sections = sections_of(text, KINDS, path=PATH)
    assert {(section.kind.name, *section.options.sites) for section in sections} == {
        (kind, site) for kind in (*WATCHED, "feeds") for site in asked
    }
