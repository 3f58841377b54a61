"""connectors.toml: what it may say, and how mistakes in it are told."""

from pathlib import Path
from typing import Any

import pytest

from flatline_connectors.runtime.config import ConnectorOptions, Secret, SecretUnavailable, duration_s
from flatline_connectors.runtime.config_file import ConnectorsFileError, load_sections, sections_of
from flatline_connectors.runtime.connector import ConnectorKind
from flatline_connectors.runtime.registry import KINDS
from tests.connectors.runtime.broken import PagesConnector, PagesState

PATH = Path("connectors.toml")


class TokenOptions(ConnectorOptions, frozen=True, kw_only=True, tag="api"):
    """A kind that needs a secret."""

    token: Secret
    others: Secret | None = None
    pages_max: int = 3


API: ConnectorKind[Any, Any] = ConnectorKind(
    options=TokenOptions, state=PagesState, open=PagesConnector, about="An API with a token."
)


def test_a_section_is_a_connector() -> None:
    """Keys of its kind, and those of every kind; what is left out has its default."""
    text = (
        '[exports]\nkind = "folder"\nfolder = "in"\nsites = ["yours.example"]\nevery = "15m"\n'
        'budget = { rows = 10, per = "1h" }\n[others]\nkind = "folder"\nfolder = "other"\n'
    )
    exports, others = sections_of(text, KINDS, path=PATH)
    assert (exports.name, exports.source, exports.kind.name) == ("exports", "exports", "folder")
    assert (exports.options.budget.rows, exports.options.budget.requests) == (10, None)
    assert duration_s(exports.options.every) == 900
    assert duration_s(exports.options.budget.per) == 3600
    assert (others.options.sites, duration_s(others.options.every)) == ([], 60)
    assert sections_of("", KINDS, path=PATH) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[a]\nfolder = "x"', "connectors.toml, line 1: a has no key kind. There are: folder, api."),
        ('[a]\nkind = "foldr"', "line 2: a.kind is 'foldr': there is no such kind. Did you mean 'folder'?"),
        ('[a]\nkind = "xyz"', "line 2: a.kind is 'xyz': there is no such kind. There are: folder, api."),
        ('[a]\nkind = "folder"', "line 1: a has no key 'folder', which it needs."),
        ('[a]\nkind = "folder"\nfolder = 3', "line 3: a.folder is 3: expected a text, not a whole number."),
        ('[a]\nkind = "folder"\nfolder = "x"\nevry = "1h"', "line 4: there is no 'a.evry'. Did you mean 'every'?"),
        ('[a]\nkind = "folder"\nfolder = "x"\nevery = "soon"', "line 4: a.every is 'soon'"),
        ('[a]\nkind = "folder"\nfolder = "x"\n[a.budget]\nrows = 0', "line 5: a.budget.rows is 0: expected"),
        ('[a]\nkind = "folder"\nfolder = "x"\n[a.budget]\nrow = 1', "line 5: there is no 'a.budget.row'."),
        ('[a]\nkind = "folder"\nfolder = "x"\nsites = ["a b"]', "line 4: a.sites: 'a b' is no host"),
        ('["A b"]\nkind = "folder"', "'A b' can't be the name of a connector: it takes lower-case letters"),
        ('a = "folder"', "line 1: a stands outside of a section. A connector begins with a line [NAME]."),
        ('[a]\nkind = "api"\ntoken = "s3cr3t"', "line 3: a secret does not belong into this file. Write token = {"),
        ('[a]\nkind = "api"\ntoken = { env = "T" }\nothers = "s3cr3t"', "line 4: a secret does not belong into"),
        ('[a]\nkind = "api"\ntoken = { path = "T" }', "line 3: there is no 'a.token.path'. There are: file, env."),
        ("[a", "connectors.toml is no TOML"),
    ],
)  # fmt: skip
def test_errors_say_where_what_and_what_instead(text: str, message: str) -> None:
    """The line, the key, its value, and what is allowed; a secret is not repeated."""
    with pytest.raises(ConnectorsFileError) as raised:
        sections_of(text, {"folder": KINDS["folder"], "api": API}, path=PATH)
    assert message in str(raised.value)
    assert "s3cr3t" not in raised.value.whole


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So is one that is no text."""
    with pytest.raises(ConnectorsFileError, match=r"The file of connectors .*nowhere.toml can't be read: No such file"):
        load_sections(tmp_path / "nowhere.toml", KINDS)
    (tmp_path / "image.toml").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ConnectorsFileError, match="it is not UTF-8"):
        load_sections(tmp_path / "image.toml", KINDS)


def test_secrets_come_from_files_and_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """White space around them does not count; what is missing or empty is named, and never its content."""
    (tmp_path / "token").write_text(" s3cr3t\n")
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setenv("TOKEN", "s3cr3t")
    assert Secret(file="token").read(tmp_path) == Secret(env="TOKEN").read(tmp_path) == "s3cr3t"
    for secret, named in (
        (Secret(file="nowhere"), "nowhere"),
        (Secret(file="empty"), "empty"),
        (Secret(env="NOWHERE"), "NOWHERE"),
        (Secret(), "neither"),
    ):
        with pytest.raises(SecretUnavailable, match=named):
            secret.read(tmp_path)


def test_every_key_of_every_kind_is_explained() -> None:
    """The README has a row for each key of every section, and each kind's own are there or on a page of its own."""
    folder = Path(__file__).parents[3] / "connectors"
    readme = (folder / "README.md").read_text()
    common = set(ConnectorOptions.__struct_fields__)
    assert all(f"| `{key}` |" in readme for key in common)
    for name, kind in KINDS.items():
        page = folder / name.replace("-", "_") / "README.md"
        text = page.read_text() if page.exists() else readme.partition(f"### `{name}`")[2].partition("\n## ")[0]
        own = set(kind.options.__struct_fields__) - common
        assert {key for key in own if f"`{key}`" not in text} == set(), name
