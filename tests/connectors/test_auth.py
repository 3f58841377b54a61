"""The tokens file."""

from pathlib import Path

import pytest

from flatline_connectors.ingest.auth import Sender, Tokens, TokensError

TOKEN = "0123456789abcdef"


def tokens(tmp_path: Path, content: str) -> Tokens:
    """Read a tokens file with this content."""
    path = tmp_path / "tokens"
    path.write_text(content)
    path.chmod(0o600)
    return Tokens(path)


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("a:0123456789abcdef", "a"),
        ("  a:0123456789abcdef  ", "a"),
        ("git:owner/name:0123456789abcdef", "git:owner/name"),
    ],
)
def test_a_line_names_a_source_and_its_token(line: str, source: str, tmp_path: Path) -> None:
    """The token is what follows the last colon: a source may have colons, a token has none."""
    sender = tokens(tmp_path, f"# a comment\n\n{line}\n").sender_of(f"Bearer {TOKEN}")
    assert sender == Sender(source)


@pytest.mark.parametrize(
    ("line", "may", "may_not"),
    [
        ("a:0123456789abcdef", ["a"], ["b", "a1", "A", ""]),
        ("a,b,git:o/n:0123456789abcdef", ["a", "b", "git:o/n"], ["c", "git:o/n1"]),
        ("a,agency-*:0123456789abcdef", ["a", "agency-", "agency-7"], ["agency", "b"]),
        ("a,*:0123456789abcdef", ["a", "b", "anything/at:all"], []),
    ],
)
def test_a_line_may_grant_other_sources(line: str, may: list[str], may_not: list[str], tmp_path: Path) -> None:
    """A token writes as its own source, and as those that stand after it; `*` ends the beginning of a name."""
    sender = tokens(tmp_path, line).sender_of(f"Bearer {TOKEN}")
    assert sender is not None
    assert sender.source == "a"
    assert [source for source in (*may, *may_not) if sender.may_write_as(source)] == may


def test_a_source_may_have_several_tokens(tmp_path: Path) -> None:
    """So that a token can be replaced without a moment in which none is right."""
    both = tokens(tmp_path, "a:0123456789abcdef\na:fedcba9876543210\n")
    assert both.sender_of("Bearer 0123456789abcdef") == both.sender_of("Bearer fedcba9876543210") == Sender("a")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "holds no token"),
        ("# a:0123456789abcdef\n", "holds no token"),
        ("a:0123456789abcdef\n0123456789abcdef\n", "line 2 is not `source:token`"),
        ("a b:0123456789abcdef\n", "line 1 is not `source:token`"),
        ("*:0123456789abcdef\n", "line 1 is not `source:token`"),
        ("a,:0123456789abcdef\n", "line 1 is not `source:token`"),
        ("a,b*c:0123456789abcdef\n", "line 1 is not `source:token`"),
        ("a:0123456789abcdef\na,b:0123456789abcdef\n", "line 2: an earlier source has the same token"),
        ("a:0123456789abcde\n", "line 1: a token needs 16 characters"),
        ("a:0123456789abcdef\nb:0123456789abcdef\n", "line 2: an earlier source has the same token"),
        ("é:0123456789abcdef\n", "more than ASCII"),
    ],
)
def test_mistakes_are_named_and_not_quoted(content: str, complaint: str, tmp_path: Path) -> None:
    """The message names the line, and nothing that might be a token."""
    with pytest.raises(TokensError, match=complaint) as error:
        tokens(tmp_path, content)
    assert "0123456789" not in str(error.value)


def test_a_file_that_others_can_read_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is used nevertheless; the warning says what to do, and holds no token."""
    path = tmp_path / "tokens"
    path.write_text(f"a:{TOKEN}\n")
    path.chmod(0o640)
    assert Tokens(path).sender_of(f"Bearer {TOKEN}") == Sender("a")
    assert "chmod 600" in caplog.text
    assert TOKEN not in caplog.text


def test_a_missing_file(tmp_path: Path) -> None:
    """It is an error that names the file."""
    with pytest.raises(TokensError, match="missing can't be read"):
        Tokens(tmp_path / "missing")
