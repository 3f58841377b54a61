"""Who may see pages, and what they see who may not, or too early."""

from pathlib import Path

import pytest

from flatline.api.access import COOKIE, ScopedTokens
from flatline.page.login import own_path
from tests.api.answering import serving
from tests.page.portfolio import Portfolio

pytestmark = pytest.mark.long  # for the portfolio
TOKEN = "a-token-that-nobody-must-ever-see"


@pytest.fixture
def tokens(tmp_path: Path) -> ScopedTokens:
    """Return the tokens of a file with one."""
    file = tmp_path / "tokens"
    file.write_text(f"reader:{TOKEN}\n")
    file.chmod(0o600)
    return ScopedTokens(file)


async def test_a_browser_logs_in_with_a_token(known: Portfolio, tokens: ScopedTokens, tmp_path: Path) -> None:
    """Whoever asks for a page gets there after it; the cookie is for this server, and no script sees it."""
    async with serving(known.database, tmp_path, tokens, with_page=True) as client:
        answer = await client.get("/articles?state=silent", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/login?next=%2Farticles%3Fstate%3Dsilent")
        form = await client.get(answer.headers["Location"])
        assert 'name="next" value="/articles?state=silent"' in await form.text()

        wrong = await client.post("/login", data={"token": TOKEN[:-1], "next": "/"})
        assert wrong.status == 401
        assert COOKIE not in wrong.cookies
        assert (await client.get("/", allow_redirects=False)).status == 303

        right = await client.post("/login", data={"token": TOKEN, "next": "/articles"}, allow_redirects=False)
        assert (right.status, right.headers["Location"]) == (303, "/articles")
        assert right.cookies[COOKIE]["httponly"]
        assert right.cookies[COOKIE]["samesite"] == "Strict"
        assert (await client.get("/")).status == 200
        assert (await client.get("/api/v1/summary")).status == 200

        await client.post("/logout")
        assert (await client.get("/", allow_redirects=False)).status == 303
        assert (await client.get("/api/v1/summary")).status == 401
        assert (await client.get("/static/page.css")).status == 200


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/articles?q=a", "/articles?q=a"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example/", "/"),
        ("https://elsewhere.example/", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("", "/"),
    ],
)
def test_a_login_leads_nowhere_else(path: str, leads_to: str) -> None:
    """The path comes from an address that anybody can have written."""
    assert own_path(path) == leads_to


async def test_no_page_for_another_name_of_this_machine(known: Portfolio, tmp_path: Path) -> None:
    """A page of another site could have its own name lead here."""
    async with serving(known.database, tmp_path, with_page=True) as client:
        for path in ("/", "/article?url=x", "/runbook"):
            answer = await client.get(path, headers={"Host": "attacker.example"})
            assert answer.status == 421
            assert "notes.example" not in await answer.text()


async def test_before_anything_is_read_a_page_says_so(tmp_path: Path) -> None:
    """It comes back by itself."""
    async with serving(None, tmp_path, with_page=True) as client:
        answer = await client.get("/")
        assert answer.status == 503
        assert "The read model is being made." in await answer.text()
        assert 'http-equiv="refresh"' in await answer.text()


async def test_a_path_without_a_page_says_so(known: Portfolio, tmp_path: Path) -> None:
    """With a page for people, and JSON for programs."""
    async with serving(known.database, tmp_path, with_page=True) as client:
        answer = await client.get("/nowhere")
        assert (answer.status, answer.content_type) == (404, "text/html")
        assert (await client.get("/api/v1/nowhere")).content_type == "application/json"
