"""Errors that a person can mend have one form, and none of them ends in a traceback."""

import ast
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import flatline
import flatline_connectors
from flatline.cli import exit_codes
from flatline.errors import FlatlineError
from tests.cli.in_process import flatline as run_flatline

ROOT = Path(__file__).parents[2]
# Not for people: they are caught where they are raised for, and become an answer, a finding or an end.
INTERNAL = {
    "ClosedError",  # another read model answers
    "AwayError",  # becomes an answer of the API, and the follower tries again
    "BudgetExhausted",  # these five become the outcome of a connector's run
    "MalformedPage",
    "NotSaved",
    "PollFailed",
    "RepeatedPage",
    "CursorExpired",  # recheck asks for the list from its beginning
    "CursorError",  # these three become an answer of the API
    "DeadlineError",
    "NothingReadError",
    "Failed",  # becomes a fetch's outcome
    "FencedError",  # a former owner of a partition is refused by the broker
    "ForbiddenAddress",  # becomes a Failed
    "InvalidMention",  # this and TooManyPending become an answer of the ingest
    "InvalidUrl",  # becomes a Rejected
    "NoListing",  # becomes a SiteUnread
    "NoMove",  # becomes a line of the log
    "NotAnArray",  # become an answer of the ingest
    "Refused",
    "TooComplex",
    "TooManyPending",
    "UnpackError",  # becomes a dead letter, or a line of the log
    "Unanswered",  # becomes a finding of the doctor
    "FetchFailed",  # these two become the outcome of a connector's run, or an error of the demo
    "UnreadableOutput",
    "NoFeed",  # becomes a dead letter, or a NoListing
    "UnreadableDocument",  # becomes a dead letter
    "UnreadableFileError",  # these become an AccessError
    "CredentialError",
    "NoTokenError",
    "_TooManyLinesError",  # becomes an UnreadableFile
    "NoHost",  # becomes an UnreadableExport
    "NoTable",
}


def _modules() -> Iterator[str]:
    for package in (flatline, flatline_connectors):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                yield module.name


@pytest.fixture(scope="module")
def errors() -> dict[str, type[FlatlineError]]:
    """Return every error that people can mend, by name."""
    for name in _modules():
        importlib.import_module(name)
    found: dict[str, type[FlatlineError]] = {}
    waiting: list[type[FlatlineError]] = [FlatlineError]
    while waiting:
        for each in waiting.pop().__subclasses__():
            found[each.__name__] = each
            waiting.append(each)
    return found


@cache
def _sources() -> list[tuple[str, ast.AST]]:
    return [
        (f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", node)
        for folder in ("streams", "connectors")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
    ]


def test_every_error_is_for_people_or_known_to_be_internal(errors: dict[str, type[FlatlineError]]) -> None:
    """Each class that is raised by its name has the base, so that no command needs a list of what it may meet."""
    classes = [(where, node) for where, node in _sources() if isinstance(node, ast.ClassDef)]
    exceptions = {"Exception", "ValueError", "RuntimeError", "OSError", *errors, *INTERNAL}
    own = {
        node.name: where
        for where, node in classes
        if any(isinstance(base, ast.Name) and base.id in exceptions for base in node.bases)
    }
    assert {name: where for name, where in own.items() if name not in errors and name not in INTERNAL} == {
        "FlatlineError": own["FlatlineError"]
    }


def test_every_error_says_what_to_do(errors: dict[str, type[FlatlineError]]) -> None:
    """Its remedy is a sentence."""
    assert len(errors) > 15
    for name, error in errors.items():
        assert _is_sentence(error.remedy), (name, error.remedy)


def test_every_error_says_what_happened_in_sentences(errors: dict[str, type[FlatlineError]]) -> None:
    """Wherever one is raised with a text, that text and its remedy are sentences: they end in a full stop."""
    looked_at = 0
    for where, node in _sources():
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in errors):
            continue
        texts = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "remedy")]
        for text in texts:
            if (end := _end_of(text)) is not None:
                looked_at += 1
                assert end.rstrip().endswith((".", "?", "}")), where
    assert looked_at > 50


def _end_of(text: ast.expr) -> str | None:
    """Return the literal end of a text, None where it ends in something computed."""
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        return text.value
    if isinstance(text, ast.JoinedStr) and isinstance(text.values[-1], ast.Constant):
        return str(text.values[-1].value)
    return None


def _is_sentence(text: str) -> bool:
    return text.endswith(".") and (text[0].isupper() or text[0] == "`") and len(text.splitlines()) == 1


def test_a_traceback_shows_the_remedy() -> None:
    """Who uses the library reads it as well."""

    class OwnError(FlatlineError):
        remedy = "Do this."

    assert OwnError("What.").__notes__ == ["Do this."]
    assert OwnError("What.", remedy="Do that.").whole == "What.\nDo that."


def test_a_library_of_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Services do without those of `flatline[analysis]`; the commands that need one say how to get it."""
    monkeypatch.delitem(sys.modules, "flatline.backtest.picture", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    done = run_flatline("backtest", tmp_path / "links.ndjson", "--picture", tmp_path / "curve.svg")
    assert done.returncode == exit_codes.FAILED
    assert "matplotlib" in done.stderr
    assert "pip install 'flatline[analysis]'" in done.stderr
    assert "Traceback" not in done.stderr
