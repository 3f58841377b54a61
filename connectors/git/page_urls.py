"""From the path of a file to the address of its page."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from flatline.domain.urls.canonical import InvalidUrl, canonicalize
from flatline_connectors.errors import ConnectorError

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_ALL: Final = "path"
# How hosts of repositories show a file of the newest version.
_VIEWS: Final = {
    "github.com": "https://github.com/{repository}/blob/HEAD/{path}",
    "gitlab.com": "https://gitlab.com/{repository}/-/blob/HEAD/{path}",
    "codeberg.org": "https://codeberg.org/{repository}/src/{path}",
}
_REMOTE: Final = re.compile(
    r"(?:https://|ssh://git@|git@)(?P<host>[a-z.]+)[:/](?P<repository>[A-Za-z0-9][\w./-]*?)(?:\.git)?/?"
)


class PageRuleError(ConnectorError):
    """A rule from paths to addresses can't be used. The message names it."""

    remedy = "Write a rule such as 'content/{path}.md = https://theirs.example/{path}/'; the first that fits counts."


class PagesUnknown(ConnectorError):
    """Nothing says which pages the files of a repository become."""

    remedy = "Write rules from paths to addresses, such as 'content/{path}.md = https://theirs.example/{path}/'."


class PageUrls:
    """Rules ``PATTERN = ADDRESS``. ``{name}`` stands for a part of a path without a slash, ``{path}`` for any part."""

    def __init__(self, rules: Iterable[str]) -> None:
        """Raise `PageRuleError`."""
        self._rules = [_parsed(rule) for rule in rules]

    def url_of(self, path: str) -> str | None:
        """Return the address of the page that a file becomes; None if no rule covers it."""
        for pattern, address in self._rules:
            if found := pattern.fullmatch(path):
                parts = {name: quote(text, safe="/~+") for name, text in found.groupdict().items()}
                return _PLACEHOLDER.sub(lambda part: parts[part[1]], address)  # noqa: B023 - called at once
        return None


def page_urls(address: str, remote: str | None, rules: Sequence[str]) -> PageUrls:
    """Return the rules of a repository: those that somebody wrote, or else that of the host that it comes from.

    Raise `PageRuleError` and `PagesUnknown`.
    """
    rule = rule_of_remote(remote) if remote and not rules else None
    if not rules and rule is None:
        raise PagesUnknown(f"Nothing says which pages the files of {address} become.")
    return PageUrls(rules or [rule or ""])


def rule_of_remote(remote: str) -> str | None:
    """Return the rule for a repository that is read on GitHub, GitLab or Codeberg itself; None for any other."""
    found = _REMOTE.fullmatch(remote)
    view = _VIEWS.get(found["host"]) if found else None
    return f"{{path}} = {view.replace('{repository}', found['repository'])}" if found and view else None


def _parsed(rule: str) -> tuple[re.Pattern[str], str]:
    pattern, equals, address = (part.strip() for part in rule.partition("="))
    if not equals or not pattern:
        raise PageRuleError(f"The page rule {rule!r} has no pattern and address with = between them.")
    parts = _PLACEHOLDER.split(pattern)
    names = parts[1::2]
    if len(set(names)) < len(names):
        raise PageRuleError(f"The page rule {rule!r} names a placeholder twice.")
    if unknown := set(_PLACEHOLDER.findall(address)) - set(names):
        raise PageRuleError(f"The page rule {rule!r} has no {{{min(unknown)}}} in its pattern.")
    try:
        canonicalize(_PLACEHOLDER.sub("x", address))
    except InvalidUrl as error:
        raise PageRuleError(f"The page rule {rule!r} leads to no address: {error}.") from None
    expression = "".join(
        (f"(?P<{part}>.+?)" if part == _ALL else f"(?P<{part}>[^/]+?)") if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )
    return re.compile(expression, re.DOTALL), address
