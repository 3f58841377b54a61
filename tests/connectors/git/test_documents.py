"""Which links the formats of a repository's files hold."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flatline_connectors.git.documents import is_document, may_link, read_document
from tests.connectors.git.made import IS_OURS

URL = "https://news.example/p/"
A, B = "https://pub.example/a", "https://pub.example/b"


def links(name: str, text: str) -> dict[str, tuple[str, str]]:
    """Return anchor and rel of each link, by its address."""
    body = text.encode()
    document = read_document(name, body, URL, is_wanted=IS_OURS)
    # What is cheaply ruled out holds no link indeed.
    assert may_link(body, IS_OURS) or not document.links
    return {link.url: (link.anchor, " ".join(link.rel)) for link in document.links.values()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"see [the *a*]({A} 'title')", {A: ("the a", "")}),
        (f"<{A}>", {A: (A, "")}),
        (f"see {A}", {}),
        (f"[a][1] and [b]\n\ntext\n\n[1]: {A}\n[B]: <{B}>", {A: ("a", ""), B: ("b", "")}),
        (f"text [a][1]\n[1]: {A}", {A: ("a", "")}),
        (f"[unused]: {A}", {}),
        (f"`[a]({A})` and\n\n```\n[b]({B})\n```\n\n    [a]({A})", {}),
        (f"<!-- [a]({A}) -->\n\n<!--\n<a href={A}>a</a>\n\n[b]({B})\n-->", {}),
        (f"\\[a]({A})", {}),
        (f'<p>raw <a rel="UGC nofollow" href="{A}">a</a></p>', {A: ("a", "nofollow ugc")}),
        (f"![an image]({A})", {}),
        (f"[![an image](x.png)]({A})", {A: ("an image", "")}),
        (f"| a |\n|---|\n| [b]({B}) |", {B: ("b", "")}),
        ("[a](https:\\/\\/pub.example/a)", {A: ("a", "")}),
        ("[a](https://pub&#46;example/a)", {A: ("a", "")}),
        (f"---\ntitle: T\ndraft: true\n---\n[a]({A})", {}),
        (f"---\ncanonical: {B}\n---\n[a]({A})", {A: ("a", "")}),
        (f"+++\ndraft = true\n+++\n[a]({A})", {}),
        (f"---\nno: [yaml\n---\n[a]({A})", {A: ("a", "")}),
        (f"---\n\n[a]({A})\n\n---\n", {A: ("a", "")}),
    ],
)
def test_markdown(text: str, expected: dict[str, tuple[str, str]]) -> None:
    """Links as CommonMark has them, and HTML between; none in code, comments or front matter."""
    assert links("a.md", text) == expected
    assert links("a.md", text.replace("\n", "\r\n")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"`the a <{A}>`_", {A: ("the a", "")}),
        (f"see {A}, and `b`_\n\n.. _b: {B}", {A: (A, ""), B: ("b", "")}),
        (f"`a`__\n\n__ {A}", {A: ("a", "")}),
        (f"|a|_\n\n.. |a| image:: x.png\n   :alt: pic\n.. _a: {A}", {A: ("pic", "")}),
        (f".. comment {A}\n\n``{A}``\n\n::\n\n   {A}", {}),
        (f".. raw:: html\n\n   <a href='{A}'>raw</a>", {A: ("raw", "")}),
        (f".. note::\n\n   :ref:`x` `a <{A}>`_", {A: ("a", "")}),
        (f":doc:`elsewhere` unknown roles `a <{A}>`_", {A: ("a", "")}),
        (f".. include:: /etc/hostname\n\n`a <{A}>`_", {A: ("a", "")}),
        (f".. raw:: html\n   :url: {A}\n\n", {}),
    ],
)
def test_restructured_text(text: str, expected: dict[str, tuple[str, str]]) -> None:
    """Links as docutils has them; none in comments and literals. Nothing is read or fetched for a file."""
    assert links("a.rst", text) == expected


def test_restructured_text_reads_no_files(tmp_path: Path) -> None:
    """A directive that would include a file of this machine includes nothing."""
    secret = tmp_path / "secret.txt"
    secret.write_text(f"`a <{A}>`_")
    for directive in (
        f".. include:: {secret}",
        f".. raw:: html\n   :file: {secret}",
        f".. csv-table::\n   :file: {secret}",
    ):
        assert links("a.rst", f"{directive}\n\n`b <{B}>`_") == {B: ("b", "")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"<a href='{A}#part'>a</a><a href=' {A}' rel=nofollow></a>", {f"{A}#part": ("a", "")}),
        (f"<a rel=nofollow href={A}><img alt='pic'></a>", {A: ("pic", "nofollow")}),
        (f"<!-- <a href={A}>a</a> --><textarea><a href={A}></textarea><template><a href={A}></a></template>", {}),
        (f"<script>'<a href={A}>'</script><pre>&lt;a href={A}&gt;</pre>", {}),
        ("<base href='https://pub.example/x/'><a href='../a'>a</a>", {A: ("a", "")}),
        (
            "<a href='//pub.example/a'>a</a><a href='/b'>b</a><a href='https://pub.example.evil.example/'>c</a>",
            {A: ("a", "")},
        ),
        (f"<area href={A} alt=map>", {A: ("map", "")}),
        (f"---\nlayout: x\n---\n<a href={A}>a</a>", {A: ("a", "")}),
    ],
)
def test_html(text: str, expected: dict[str, tuple[str, str]]) -> None:
    """Links as browsers see them; several to one target are one, followed if one of them is."""
    assert links("a.html", text) == expected


def test_what_a_page_says_of_itself() -> None:
    """Title and date of front matter count, else the first heading."""
    text = f"---\ntitle: 'The  title'\ndate: 2026-03-01 10:00:00 +0200\n---\n# Heading\n[a]({A})"
    document = read_document("a.md", text.encode(), URL, is_wanted=IS_OURS)
    assert (document.title, document.published_at) == ("The title", datetime(2026, 3, 1, 8, tzinfo=UTC))
    document = read_document("a.rst", f"Heading\n=======\n\n`a <{A}>`_".encode(), URL, is_wanted=IS_OURS)
    assert (document.title, document.published_at) == ("Heading", None)
    toml = f"+++\ntitle = 'T'\ndate = 2026-03-01\n+++\n[a]({A})"
    document = read_document("a.md", toml.encode(), URL, is_wanted=IS_OURS)
    assert (document.title, document.published_at) == ("T", datetime(2026, 3, 1, tzinfo=UTC))


def test_other_encodings() -> None:
    """A file that is no UTF-8 is read all the same, and so is one with a mark."""
    assert read_document("a.md", b"caf\xe9 [a](https://pub.example/a)", URL, is_wanted=IS_OURS).links
    assert may_link("[a](https://pub.example/a)".encode("cp1252"), IS_OURS)
    assert read_document("a.md", b"\xef\xbb\xbf[a]: https://pub.example/a\n\n[a]", URL, is_wanted=IS_OURS).links


def test_names_of_files() -> None:
    """Formats are known by the names of files."""
    assert [
        name for name in ("a.MD", "b/c.markdown", "d.rst", "e.htm", "f.txt", "md", "g.md.bak") if is_document(name)
    ] == [
        "a.MD",
        "b/c.markdown",
        "d.rst",
        "e.htm",
    ]
