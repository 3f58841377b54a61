"""Views that a browser remembers: what comes back is what was saved, and any other cookie is none."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.page.saved_views import COOKIE, FIELDS, NAME_CHARACTERS_MAX, saved_views, with_view, without_view
from tests.api.answering import serving
from tests.readmodel.projecting import database

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
names = texts.filter(lambda name: bool(name.split()))


@given(saved=st.lists(st.tuples(names, st.dictionaries(st.sampled_from([*FIELDS, "url", "after"]), texts)), max_size=4))
def test_what_was_saved_comes_back(saved: list[tuple[str, dict[str, str]]]) -> None:
    """The newest of each name, with an address that says the same, on this page alone."""
    cookie, kept = "", dict[str, dict[str, str]]()
    for name, fields in saved:
        cookie = with_view(saved_views(cookie), name, fields)
        kept[" ".join(name.split())] = {each: fields[each] for each in FIELDS if fields.get(each)}
    views = saved_views(cookie)
    assert [view.name for view in views] == sorted(kept)
    for view in views:
        parts = urlsplit(view.path)
        assert (parts.scheme, parts.netloc, parts.path) == ("", "", "/articles")
        assert dict(parse_qsl(parts.query, keep_blank_values=True)) == kept[view.name]
    for name in kept:
        cookie = without_view(saved_views(cookie), name)
    assert saved_views(cookie) == []


@given(cookie=st.text())
def test_another_cookie_holds_nothing(cookie: str) -> None:
    """Nor does it break a page."""
    assert saved_views(cookie) == []


def test_a_browser_keeps_only_so_many() -> None:
    """More than it would keep is refused, not lost; so is a name that is none."""
    cookie = ""
    for number in range(5):
        cookie = with_view(saved_views(cookie), f"view {number}", {"q": "x" * 200})
    assert len(saved_views(cookie)) == 5
    with pytest.raises(ValueError, match="remove one"):
        with_view(saved_views(cookie), "another", {"q": "x" * 2_000})
    for name in ("", "  ", "x" * (NAME_CHARACTERS_MAX + 1)):
        with pytest.raises(ValueError, match="length"):
            with_view([], name, {})


async def test_pages_of_others_save_nothing(tmp_path: Path) -> None:
    """A form of another server is refused; one of ours is taken, by readers, too."""
    made = database(tmp_path)
    async with serving(made, tmp_path, with_page=True, may_write=False) as client:
        for path in ("/articles/views", "/articles/views/remove"):
            foreign = {"Origin": "https://evil.example"}
            answer = await client.post(path, data={"name": "x"}, headers=foreign, allow_redirects=False)
            assert (answer.status, COOKIE in answer.cookies) == (403, False)
            answer = await client.post(path, data={"name": "x"}, allow_redirects=False)
            assert (answer.status, COOKIE in answer.cookies) == (303, True)
        answer = await client.post("/articles/views", data={"name": " "})
        assert answer.status == 422
    made.close()
