"""Who may see pages, and what they see who may not, or too early."""

import re
from base64 import b64encode
from pathlib import Path

import pytest
from aiohttp import ClientError, web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from flatline.api.access import COOKIE, Access, Loopback, ScopedTokens
from flatline.page.forms import SESSION
from flatline.page.login import own_path
from tests.api.answering import Client, serving
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


async def _form_tokens(client: Client) -> set[str]:
    return set(re.findall(r'name="form_token" value="([0-9a-f]+)"', await (await client.get("/alerts")).text()))


async def test_a_form_is_taken_from_our_own_page_alone(page: web.Application) -> None:
    """Not without its token, with that of another session, or from a page of another server, be it of this machine."""
    async with TestClient(TestServer(page)) as client, TestClient(TestServer(page)) as other:
        [token], [others_token] = await _form_tokens(client), await _form_tokens(other)
        assert token != others_token
        form = {"mark": "right", "back": "//evil.example/", "form_token": token}

        async def sent(number: str, fields: dict[str, str], **headers: str) -> tuple[int, str]:
            path = f"/alerts/{number}/mark"
            try:
                answer = await client.post(path, data=fields, headers=headers, allow_redirects=False)
            except ClientError as error:  # without `flatline serve` around it nobody answers for what is refused
                return 0, str(error)
            return answer.status, answer.headers.get("Location", "")

        text = await (await client.get("/alerts")).text()
        number = re.findall(r'action="/alerts/([0-9a-f]+)/mark"', text)[0]
        own = str(client.make_url("/")).rstrip("/")
        for fields, headers in (
            ({**form, "form_token": ""}, {}),
            ({"mark": "right"}, {}),
            ({**form, "form_token": others_token}, {}),
            (form, {"Origin": "https://evil.example"}),
            (form, {"Origin": "http://127.0.0.1:1"}),
            (form, {"Origin": "null"}),
            ({**form, "mark": "<script>"}, {"Origin": own}),
        ):
            assert (await sent(number, fields, **headers))[0] in (403, 422, 500), (fields, headers)
        assert await sent(number, form, Origin=own) == (303, f"/#alert-{number}")
        assert (await sent(number, {**form, "mark": "withdrawn"}))[0] == 303


@pytest.mark.parametrize(("line", "may_write"), [("reader", False), ("editor,write", True), ("chief,admin", True)])
async def test_a_login_writes_if_its_token_may(known: Portfolio, tmp_path: Path, line: str, may_write: bool) -> None:
    """A token that may only read gets no forms, and is refused if it sends one all the same."""
    file = tmp_path / "tokens"
    file.write_text(f"{line}:{TOKEN}\n")
    async with serving(known.database, tmp_path, ScopedTokens(file), with_page=True) as client:
        await client.post("/login", data={"token": TOKEN, "next": "/"})
        tokens = await _form_tokens(client)
        assert bool(tokens) == may_write
        form = {"mark": "right", "form_token": next(iter(tokens), "0" * 64)}
        answer = await client.post("/alerts/0/mark", data=form)
        # Without a Kafka behind it, an alert that is not known is as far as it comes.
        assert answer.status == (404 if may_write else 403)
        assert (await client.post("/api/v1/alerts/0/mark", json={"mark": "right"})).status == 401


@pytest.mark.parametrize(("line", "may_write"), [("sso,proxy", False), ("sso,proxy,write", True)])
async def test_a_proxy_names_whom_it_logged_in(known: Portfolio, tmp_path: Path, line: str, may_write: bool) -> None:
    """Its token is the password. People get forms if it may write, and a page of another site can't send them."""
    file = tmp_path / "tokens"
    file.write_text(f"{line}:{TOKEN}\nscript,admin:{TOKEN[::-1]}\n")
    access = ScopedTokens(file)

    def header(name: str, token: str = TOKEN) -> dict[str, str]:
        return {"Authorization": "Basic " + b64encode(f"{name}:{token}".encode()).decode()}

    ann = header("Ann Ünal <ann@yours.example>")
    assert access.name_of(make_mocked_request("GET", "/", ann)) == "Ann Ünal <ann@yours.example>"
    async with serving(known.database, tmp_path, access, with_page=True) as client:
        for wrong in (
            header("ann", TOKEN[:-1]),
            header("ann", TOKEN[::-1]),  # no token of a proxy
            header(""),
            header("x" * 201),
            header("a\nb"),
            {"Authorization": "Basic !"},
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": "Basic " + b64encode(b"\xff:" + TOKEN.encode()).decode()},
        ):
            assert (await client.get("/", headers=wrong, allow_redirects=False)).status == 303, wrong
            assert (await client.get("/api/v1/summary", headers=wrong)).status == 401, wrong
        assert (await client.get("/api/v1/summary", headers=ann)).status == 200
        page = await (await client.get("/alerts", headers=ann)).text()
        tokens = set(re.findall('name="form_token" value="([0-9a-f]+)"', page))
        assert bool(tokens) == may_write
        form = {"mark": "right", "form_token": next(iter(tokens), "0" * 64)}
        # Without a Kafka behind it, an alert that is not known is as far as it comes.
        written = 404 if may_write else 403
        for origin, status in ((_origin(client), written), ("https://evil.example", 403), ("null", 403)):
            headers = {**ann, "Origin": origin}
            assert (await client.post("/alerts/0/mark", data=form, headers=headers)).status == status
            json = {"mark": "right"}
            assert (await client.post("/api/v1/alerts/0/mark", json=json, headers=headers)).status == status


def _origin(client: Client) -> str:
    return f"http://{client.host}:{client.port}"


@pytest.mark.parametrize("has_tokens", [False, True])
async def test_where_nothing_can_be_written_there_are_no_forms(
    known: Portfolio, tokens: ScopedTokens, tmp_path: Path, has_tokens: bool
) -> None:
    """Then the page is for reading, and gives no session."""
    access: Access = tokens if has_tokens else Loopback()
    async with serving(known.database, tmp_path, access, with_page=True, may_write=False) as client:
        await client.post("/login", data={"token": TOKEN, "next": "/"})
        answer = await client.get("/alerts")
        assert answer.status == 200
        assert "form_token" not in await answer.text()
        assert SESSION not in answer.cookies
