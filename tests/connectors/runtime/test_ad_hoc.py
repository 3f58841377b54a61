"""Connectors from keys that somebody types."""

import pytest

from flatline_connectors.git.connector import GitOptions
from flatline_connectors.runtime.ad_hoc import section_of
from flatline_connectors.runtime.config_file import ConnectorsFileError
from flatline_connectors.runtime.registry import KINDS

RULES = ["a/{path}.md = https://theirs.example/{path}", '"{path}" = https://theirs.example/']
REPO = ("repo", "https://host.example/x.git")


def test_keys_are_those_of_a_section() -> None:
    """Texts need no quotes, and a key that takes a list takes one value or several."""
    section = section_of("git", [REPO, ("sites", "yours.example"), *(("pages", rule) for rule in RULES)], KINDS)
    expected = GitOptions(repo=REPO[1], sites=["yours.example"], pages=tuple(RULES), source="git")
    assert (section.options, section.source, section.kind.name) == (expected, "git", "git")
    listed = section_of("git", [REPO, ("sites", '["a.example", "b.example"]'), ("source", "mine")], KINDS)
    assert (listed.options.sites, listed.source) == (["a.example", "b.example"], "mine")


def test_each_has_a_position_of_its_own() -> None:
    """Other keys give another name, and the same ones in another order the same."""
    one, same, other = (
        section_of("git", keys, KINDS).name
        for keys in ([REPO, ("branch", "x")], [("branch", "x"), REPO], [REPO, ("branch", "y")])
    )
    assert one == same != other


@pytest.mark.parametrize(
    ("kind", "keys", "said"),
    [
        ("gti", [REPO], "no kind of connector 'gti'"),
        ("git", [("repository", "x")], "repository"),
        ("git", [REPO, ("every", "soon")], "every"),
        ("webmention-io", [("token", "abc")], "a secret does not belong"),
        ("git", [REPO, ("x\ny", "1")], "x"),
    ],
)
def test_keys_that_make_no_sense(kind: str, keys: list[tuple[str, str]], said: str) -> None:
    """The message says which, and quotes no secret."""
    with pytest.raises(ConnectorsFileError, match=said) as refused:
        section_of(kind, keys, KINDS)
    assert "abc" not in str(refused.value)
