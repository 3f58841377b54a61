"""Commands that documents, messages and help texts name can be typed as they stand there."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.cli.commands import all_commands, all_nouns

ROOT = Path(__file__).parents[2]
COMMANDS = {found.words: found for found in all_commands()}
NOUNS = {found.words for found in all_nouns()}
TEXTS = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "*.md", "*.py", "*.yml", "*.toml", "*.tmpl", "Makefile"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    # What was called otherwise in its time; and what tests type on purpose.
    if name != "CHANGELOG.md" and not name.startswith(("tests/cli/", "tests/bench/peers/"))
]


def named(text: str) -> Iterator[str]:
    """Yield what follows `flatline` in backticks and on lines of code."""
    yield from (match[1] for match in re.finditer(r"`flatline ((?:[^`\n]|\n(?!\s*\n))+)`", text))
    yield from (match[1] for match in re.finditer(r"^(?:    )?flatline ([a-z].*)$", text, re.MULTILINE))


def complaint(line: str) -> str | None:
    """Return what can't be typed in what follows `flatline`; None if all is there. `a|b` means either."""
    line = line.partition(" #")[0].replace("\\|", "|")
    words = re.split(r"\s+", line)
    if words[0].startswith(("-", "…", "{")):
        return None
    noun = words[0]
    if (noun,) in COMMANDS:
        found = [COMMANDS[noun,]]
    elif (noun,) in NOUNS:
        if len(words) == 1:
            return None  # the help of a noun
        inner = (noun, words[1]) if (noun, words[1]) in NOUNS else (noun,)
        if len(words) == len(inner):
            return None
        verbs = words[len(inner)].split("|")
        if missing := [verb for verb in verbs if (*inner, verb) not in COMMANDS]:
            return f"no command {' '.join(inner)} {missing[0]}"
        found = [COMMANDS[(*inner, verb)] for verb in verbs]
    else:
        return f"no command {noun}"
    known = set[str]().union(*(each.options for each in found))
    unknown = set(re.findall(r"(?<=\s)--[a-z][a-z-]*", line)) - known
    return f"{noun} has no {', '.join(sorted(unknown))}" if unknown else None


def test_what_is_named_can_be_typed() -> None:
    """Each command exists, with its verb and its options."""
    complaints = [
        f"{path.relative_to(ROOT)}: `flatline {line}`: {why}"
        for path in TEXTS
        for line in named(path.read_text())
        if (why := complaint(line))
    ]
    assert not complaints


def test_much_is_named() -> None:
    """The search finds what there is, and tells what there isn't."""
    assert len([line for path in TEXTS for line in named(path.read_text())]) > 100
    assert list(named("see `flatline topics\ncheck`:\n\nflatline up --workers 3  # more")) == [
        "topics\ncheck",
        "up --workers 3  # more",
    ]
    assert complaint("articles list --json --wait 5") is None
    assert complaint("articles lst") == "no command articles lst"
    assert complaint("policy > policy.toml") == "no command policy >"
    assert complaint("up --worker 3") == "up has no --worker"
