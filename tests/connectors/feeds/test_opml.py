"""Lists of feeds."""

from pathlib import Path

import pytest

from flatline_connectors.feeds.opml import OpmlError, feeds_of


def test_a_list_with_folders(tmp_path: Path) -> None:
    """Feeds in folders count, each once; what has no address on the web is left out."""
    file = tmp_path / "feeds.opml"
    file.write_text(
        "<?xml version='1.0'?><opml version='2.0'><body><outline text='F'>"
        "<outline type='rss' xmlUrl='https://a.example/feed'/><outline xmlUrl='file:///etc/passwd'/></outline>"
        "<outline xmlUrl=' HTTPS://B.example/rss '/><outline xmlUrl='https://a.example/feed'/></body></opml>"
    )
    assert feeds_of(file) == ["https://a.example/feed", "https://b.example/rss"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<rss/>", "no OPML"),
        ("not xml", "no OPML"),
        ("<!DOCTYPE o [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><opml>&e;</opml>", "no OPML"),
        (None, "can't be read"),
    ],
)
def test_files_that_are_none(content: str | None, said: str, tmp_path: Path) -> None:
    """The message names the file and what is wrong; entities are never resolved."""
    file = tmp_path / "feeds.opml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(OpmlError, match=said) as refused:
        feeds_of(file)
    assert str(file) in str(refused.value)
