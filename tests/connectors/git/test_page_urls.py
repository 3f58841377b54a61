"""Rules from paths of files to addresses of pages."""

import pytest

from flatline_connectors.git.page_urls import PageRuleError, PageUrls, rule_of_remote

SITE = "https://theirs.example"


@pytest.mark.parametrize(
    ("rules", "path", "url"),
    [
        (["content/{path}.md = https://theirs.example/{path}/"], "content/a/b.md", f"{SITE}/a/b/"),
        (["content/{path}.md = https://theirs.example/{path}/"], "drafts/a.md", None),
        (["content/{path}.md = https://theirs.example/{path}/"], "x/content/a.md", None),
        (["_posts/{year}-{month}-{day}-{slug}.md=https://theirs.example/{year}/{month}/{slug}.html"],
         "_posts/2026-11-20-ten-vegetables.md", f"{SITE}/2026/11/ten-vegetables.html"),
        (["{slug}.md = https://theirs.example/{slug}"], "a/b.md", None),
        (["{path}/index.md = https://theirs.example/{path}/", "{path}.md = https://theirs.example/{path}"],
         "a/index.md", f"{SITE}/a/"),
        (["{path}/index.md = https://theirs.example/{path}/", "{path}.md = https://theirs.example/{path}"],
         "index.md", f"{SITE}/index"),
        (["{path}.md = https://theirs.example/{path}"], "ü ß/a?b#c%.md", f"{SITE}/%C3%BC%20%C3%9F/a%3Fb%23c%25"),
        (["{path}.md = https://theirs.example/?p={path}"], "a&b.md", f"{SITE}/?p=a%26b"),
        (["a.b/{path}.md = https://theirs.example/{path}"], "aXb/c.md", None),
        (["README.md = https://theirs.example/"], "README.md", f"{SITE}/"),
        ([], "a.md", None),
    ],
)  # fmt: skip
def test_rules(rules: list[str], path: str, url: str | None) -> None:
    """The first rule that fits the whole path counts; what a path has is escaped for addresses."""
    assert PageUrls(rules).url_of(path) == url


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("content/{path}.md", "no pattern and address"),
        ("= https://theirs.example/", "no pattern and address"),
        ("{path}.md = https://theirs.example/{slug}", "no {slug}"),
        ("{a}/{a}.md = https://theirs.example/{a}", "twice"),
        ("{path}.md = ftp://theirs.example/{path}", "no address"),
        ("{path}.md = /{path}", "no address"),
    ],
)
def test_rules_that_make_no_sense(rule: str, said: str) -> None:
    """The message names the rule, and what is wrong with it."""
    with pytest.raises(PageRuleError, match=said):
        PageUrls([rule])


@pytest.mark.parametrize(
    "remote",
    ["https://github.com/a/b", "https://github.com/a/b.git", "git@github.com:a/b.git", "ssh://git@github.com/a/b.git/"],
)
def test_repositories_that_are_read_at_their_host(remote: str) -> None:
    """A file's page is the host's view of it."""
    rule = rule_of_remote(remote)
    assert rule
    assert PageUrls([rule]).url_of("docs/a b.md") == "https://github.com/a/b/blob/HEAD/docs/a%20b.md"


def test_other_hosts() -> None:
    """Elsewhere, nobody knows the addresses of pages."""
    assert rule_of_remote("https://host.example/a/b.git") is None
    assert rule_of_remote("https://github.com.evil.example/a/b") is None
    assert rule_of_remote("/srv/git/a") is None
