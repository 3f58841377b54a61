"""The pages in a real browser: filters, keys, sizes, schemes, accessibility, and the security policy."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from flatline.api.feed import News
from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, to_datetime, to_ms
from flatline.policy_file import load_policy
from flatline.readmodel.projection import Projection
from flatline.schema.article_record import ArticleRecord
from flatline.schema.link_event import LinkEvent
from flatline.schema.site_record import SiteRecord
from tests.api.answering import serving
from tests.page.portfolio import HOSTILE, HOSTILE_ARTICLE, Portfolio
from tests.readmodel.projecting import NOW_MS as PROJECTED_MS
from tests.readmodel.projecting import TOPICS as PROJECTED
from tests.readmodel.projecting import Log, database

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed; `make test` installs it on Debian"),
]
PAGES = {
    "today": "/",
    "articles": "/articles",
    "article": f"/article?url={HOSTILE_ARTICLE}",
    "groups": "/groups",
    "authority": "/groups?authority=author/%22%3E%3Cimg+src%3Dx+onerror%3D%22document.title%3D%27hacked%27%22%3E",
    "peers": "/peers",
    "alerts": "/alerts",
    "lost": "/lost",
    "sources": "/sources",
    "policy": "/policy",
    "live": "/live",
    "runbook": "/runbook",
    "unknown": "/article?url=nowhere.example",
}
_PATIENCE_MS = 120_000
expect.set_options(timeout=_PATIENCE_MS)
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


class Visitor:
    """Somebody with a browser; ``troubles``: what it complained about, such as what the security policy forbids."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self.address = address
        self.troubles: list[str] = []

    async def look(self, path: str, **how: Any) -> Page:
        """Open a page in a new window."""
        context = await self._browser.new_context(base_url=self.address, **({"viewport": DESK} | how))
        page = await context.new_page()
        page.on("console", lambda said: self.troubles.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.set_default_timeout(_PATIENCE_MS)
        await page.goto(path)
        return page


@asynccontextmanager
async def visiting(address: str) -> AsyncIterator[Visitor]:
    """Give somebody with a browser for the block. Chromium asks home at every start unless it is told not to."""
    quiet = ("background-networking", "component-update", "sync", "gpu", "quic")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            timeout=_PATIENCE_MS,
            args=["--no-sandbox", "--no-first-run", *(f"--disable-{each}" for each in quiet)],
        )
        yield Visitor(browser, address)
        await browser.close()


@pytest.fixture
async def visitor(page: web.Application) -> AsyncIterator[Visitor]:
    """Return somebody before the pages."""
    async with TestServer(page) as server, visiting(str(server.make_url("/"))) as visitor:
        yield visitor


async def test_each_page_in_each_size_and_scheme(visitor: Visitor, tmp_path: Path) -> None:
    """Nothing is cut, nothing is refused by the security policy, and axe finds nothing. Pictures are kept."""
    for name, path in PAGES.items():
        for scheme, viewport in (("light", DESK), ("dark", PHONE)):
            page = await visitor.look(path, viewport=viewport, color_scheme=scheme)
            await page.screenshot(path=tmp_path / f"{name}-{scheme}.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], (name, viewport)
            await page.context.close()
        unknown = ["Failed to load resource: the server responded with a status of 404 (Not Found)"]
        assert [said for said in visitor.troubles if said not in unknown] == [], name
    # axe brings a script of its own, which the security policy would refuse.
    for name, path in PAGES.items():
        for scheme in ("light", "dark"):
            page = await visitor.look(path, bypass_csp=True, color_scheme=scheme)
            found = (await Axe().run(page)).response["violations"]
            assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == [], (name, scheme)
            await page.context.close()


async def test_a_reader_finds_an_article(visitor: Visitor, known: Portfolio) -> None:
    """By filter, by key and by search; the address can be shared, and going back brings back what was there."""
    page = await visitor.look("/articles")
    rows = page.locator("#rows tbody tr")
    all_rows = await rows.count()
    newest = {verdict["article"]: verdict["state"] for verdict in map(orjson.loads, known.verdicts)}
    silent = list(newest.values()).count("silent")
    await page.select_option("select[name=state]", "silent")
    await page.wait_for_url("**/articles?*state=silent*")
    await expect(rows).to_have_count(silent)
    assert set(await page.locator("#rows .badge").all_inner_texts()) == {"silent"}
    await page.go_back()
    await expect(rows).to_have_count(all_rows)

    await page.keyboard.press("j")
    await page.keyboard.press("j")
    selected = await page.locator("tr.selected a").first.get_attribute("href")
    assert selected == await rows.nth(1).locator("a").first.get_attribute("href")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{selected}")
    await page.locator(".uplot canvas").wait_for()

    await page.keyboard.press("/")
    await page.keyboard.type("hostile")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/articles?q=hostile")
    assert await page.locator("#rows tbody tr").count() == 1
    assert HOSTILE[0] in await page.locator("#rows tbody tr").inner_text()
    assert visitor.troubles == []


async def test_a_view_is_saved_shared_and_removed(visitor: Visitor, tmp_path: Path) -> None:
    """With and without scripts, under any name; it is of what is chosen then, and of this browser alone."""
    for has_scripts in (True, False):
        page = await visitor.look("/articles", java_script_enabled=has_scripts, viewport=PHONE, color_scheme="dark")
        await page.select_option("select[name=state]", "cooling")
        if not has_scripts:
            await page.click("form.filters button")
        await page.wait_for_url("**/articles?*state=cooling*")
        rows = await page.locator("#rows tbody tr").count()
        await expect(page.locator(".views input[name=state]")).to_have_value("cooling")
        await page.locator(".views summary").click()
        await page.locator(".views input[name=name]").fill(HOSTILE[0])
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.locator(".views a")).to_have_text(HOSTILE[0])
        await page.screenshot(path=tmp_path / f"views-{has_scripts}.png")
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        await page.goto(visitor.address.rstrip("/") + "/articles")
        shared = await page.locator(".views a").get_attribute("href")
        await page.locator(".views a").click()
        await page.wait_for_url("**/articles?*state=cooling*")
        another = await visitor.look(str(shared))
        await expect(another.locator("#rows tbody tr")).to_have_count(rows)
        assert set(await another.locator("#rows .badge").all_inner_texts()) == {"cooling"}
        await expect(another.locator(".views a")).to_have_count(0)
        await page.locator(".views").get_by_role("button", name="Remove the view").click()
        await expect(page.locator(".views a")).to_have_count(0)
        await page.context.close()
    for scheme in ("light", "dark"):
        axe = await visitor.look("/articles", bypass_csp=True, color_scheme=scheme)
        await axe.locator(".views summary").click()
        await axe.locator(".views input[name=name]").fill("mine")
        await axe.get_by_role("button", name="Save", exact=True).click()
        await expect(axe.locator(".views a")).to_have_text("mine")
        await axe.locator(".views summary").click()
        await axe.screenshot(path=tmp_path / f"views-wide-{scheme}.png")
        assert [each["id"] for each in (await Axe().run(axe)).response["violations"]] == []
    assert visitor.troubles == []


async def test_thresholds_are_tried(visitor: Visitor, tmp_path: Path) -> None:
    """The alerts change with the form, also without scripts; the address can be shared."""
    for has_scripts in (True, False):
        page = await visitor.look("/policy", java_script_enabled=has_scripts)
        alerts = page.locator("#trial tr[data-row]")
        in_force = await alerts.count()
        await page.fill("input[name=silent_score]", "0.4")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/policy?*silent_score=0.4*")
        await expect(page.locator("#trial tbody").first).to_contain_text("In force")
        await expect(alerts.nth(in_force)).to_be_visible()
        await page.screenshot(path=tmp_path / f"policy-{has_scripts}.png", full_page=True)
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Download this policy").click()
        await (await downloading.value).save_as(tmp_path / "policy.toml")
        assert load_policy(tmp_path / "policy.toml").default.silent_score == 0.4
    assert visitor.troubles == []


async def test_pages_read_without_scripts(visitor: Visitor) -> None:
    """Filters work by the form's button, and the curve is the server's drawing."""
    page = await visitor.look("/articles", java_script_enabled=False)
    await page.select_option("select[name=state]", "cooling")
    await page.click("form.filters button")
    await page.wait_for_url("**/articles?*state=cooling*")
    assert set(await page.locator("#rows .badge").all_inner_texts()) == {"cooling"}
    await page.locator("#rows tbody tr a").first.click()
    await page.locator("svg.curve polyline.gained").wait_for(state="attached")
    assert await page.locator(".uplot").count() == 0


async def test_texts_of_others_run_nothing(visitor: Visitor) -> None:
    """Each hostile text would change the title, or ask for something, if it ran."""
    asked: list[str] = []
    for path in PAGES.values():
        page = await visitor.look("about:blank")
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(visitor.address.rstrip("/") + path)
        assert await page.title() != "hacked"
        await page.context.close()
    assert [url for url in asked if not url.startswith(visitor.address)] == []


async def test_somebody_says_what_they_think_of_an_alert(visitor: Visitor, tmp_path: Path) -> None:
    """With one click, without JavaScript, too; it is shown with a name, can be undone, and is found by its mark."""
    for has_scripts in (True, False):
        page = await visitor.look("/", java_script_enabled=has_scripts)
        of_articles = page.locator(".cards li", has=page.locator("h3 a[href^='/article?']"))  # groups come before them
        alert = of_articles.locator(".marks", has=page.get_by_role("button", name="Right")).first
        number = await alert.get_attribute("id")
        alert = page.locator(f"#{number}")
        await alert.locator("summary").click()
        await page.screenshot(path=tmp_path / f"marking-{has_scripts}.png")
        await alert.get_by_role("button", name="It is the season").click()
        await page.wait_for_url(f"**/#{number}")
        await expect(alert.locator(".said")).to_contain_text("Marked as expected (seasonal) by")
        assert HOSTILE[0][:20] in await alert.inner_text()
        heading = page.locator("h2", has_text="Marked as expected or wrong")
        await expect(heading).to_have_count(1)
        found = await visitor.look("/alerts?show=expected")
        await expect(found.locator(f"#{number}")).to_have_count(1)
        await page.screenshot(path=tmp_path / f"marked-{has_scripts}.png", full_page=True)
        await alert.get_by_role("button", name="Undo").click()
        await expect(alert.get_by_role("button", name="Wrong")).to_be_visible()
        await expect(heading).to_have_count(0)
    assert visitor.troubles == []


async def test_what_only_articles_are_is_not_offered_for_a_group(visitor: Visitor) -> None:
    """A group does not retire or move."""
    page = await visitor.look("/alerts")
    for subject, count in (("articles?", 0), ("article?", 1)):
        alert = page.locator("li", has=page.locator(f"a[href^='/{subject}']")).locator(".marks").first
        await alert.locator("summary").click()
        await expect(alert.get_by_role("button", name="It is the season")).to_be_visible()
        for name in ("The article is retired", "It has moved"):
            await expect(alert.get_by_role("button", name=name)).to_have_count(count)


async def test_a_record_is_corrected_and_sent_again(visitor: Visitor, tmp_path: Path) -> None:
    """The form has the record as it came, whatever is in it; afterwards it is not asked for again."""
    page = await visitor.look("/sources", viewport=PHONE)
    form = page.locator("#letter-0")
    await form.locator("summary").click()
    assert await form.locator("textarea").input_value() == HOSTILE[0]
    await expect(form.locator("select")).to_have_value("links")
    await page.screenshot(path=tmp_path / "resend.png", full_page=True)
    axe = await visitor.look("/sources", bypass_csp=True)
    await axe.locator("#letter-0 summary").click()
    assert [each["id"] for each in (await Axe().run(axe)).response["violations"]] == []
    await axe.screenshot(path=tmp_path / "resend-wide.png")
    await form.locator("textarea").fill('{"url_from": "https://x.example/", "url_to": "https://yours.example/"}')
    await form.get_by_role("button", name="Send").click()
    await expect(page.locator("#letter-1")).to_be_attached()
    await expect(form).to_have_count(0)
    assert visitor.troubles == []


async def test_our_series_stand_beside_those_of_peers(tmp_path: Path) -> None:
    """Curves and figures of both, readable in each size and scheme; names are text, whatever they hold."""
    log, made = Log(), database(tmp_path)
    log.say(SiteRecord("yours.example"), SiteRecord("peer.example", role="peer"))
    series = [("yours.example", "Guides"), ("yours.example", None), *(("peer.example", text[:200]) for text in HOSTILE)]
    for number, (site, name) in enumerate(series):
        for nth in range(4):
            published = to_datetime(PROJECTED_MS - (400 + 30 * nth) * DAY_MS)
            url = f"https://{site}/{number}-{nth}"
            log.say(ArticleRecord(url, series=name, published_at=published))
            for link in range(5 + 3 * number):
                at = published + timedelta(days=link**2)
                if to_ms(at) < PROJECTED_MS:
                    page = f"https://x{link}.example/{number}-{nth}"
                    log.say(LinkEvent(page, url, occurred_at=at, discovery="link_found"))
    # The first link to a site is older than the articles that are compared.
    for site in ("yours.example", "peer.example"):
        at = to_datetime(PROJECTED_MS - 600 * DAY_MS)
        log.say(LinkEvent("https://first.example/", f"https://{site}/old", occurred_at=at, discovery="link_found"))
    Projection(made, PROJECTED, Policy()).apply(log.batch())
    async with (
        serving(made, tmp_path, with_page=True) as client,
        visiting(str(client.make_url("/"))) as visitor,
    ):
        said = (await (await client.get("/api/v1/peers")).json())["rows"]
        for scheme, viewport in (("light", DESK), ("dark", PHONE)):
            page = await visitor.look("/peers", viewport=viewport, color_scheme=scheme)
            await page.screenshot(path=tmp_path / f"peers-{scheme}.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
            assert await page.locator("svg.curve polyline").count() == 5
            table = page.get_by_role("region", name="Links gained a month").locator("tbody tr")
            assert await table.count() == len(said)
            cells = await table.nth(0).locator("td").all_inner_texts()
            newest_first = [f"{each['gained']:,}" for each in reversed(said[0]["months"][-6:])]
            assert cells[1:] == [str(said[0]["articles"]), str(said[0]["gained"]), "100%", *newest_first]
            assert await page.title() == "Peers · Flatline"
        assert visitor.troubles == []
        for scheme in ("light", "dark"):
            axe = await visitor.look("/peers", bypass_csp=True, color_scheme=scheme)
            assert [each["id"] for each in (await Axe().run(axe)).response["violations"]] == []
    made.close()


class Applying:
    """In place of a producer: what is sent is in the read model, as if it came by way of Kafka."""

    def __init__(self, log: Log, projection: Projection) -> None:
        self._log = log
        self._projection = projection

    def new_deliveries(self) -> Any:
        """Return a count by which all is delivered."""
        return self

    def wait(self, _timeout_s: float) -> bool:
        """Return whether all is."""
        return True

    def raise_failure(self) -> None:
        """Do nothing."""

    def send_annotation(self, key: bytes, value: bytes, *, deliveries: object) -> None:
        """Take an annotation."""
        assert deliveries is self
        self._log.write(PROJECTED.annotations, value, key=key)
        self._projection.apply(self._log.batch())


async def test_what_happened_is_noted_beside_the_curve(tmp_path: Path) -> None:
    """With and without scripts, to an article, its site or everything; texts are texts, in each size and scheme."""
    log, made = Log(), database(tmp_path)
    article, sibling = "https://yours.example/a", "https://yours.example/b"
    for number in range(30):
        at = to_datetime(PROJECTED_MS - (300 - 10 * number) * DAY_MS)
        for url in (article, sibling):
            log.say(LinkEvent(f"https://x{number}.example/", url, occurred_at=at, discovery="link_found"))
    projection = Projection(made, PROJECTED, Policy())
    projection.apply(log.batch())
    producer: Any = Applying(log, projection)
    path, days = f"/article?url={article}", [to_datetime(PROJECTED_MS - day * DAY_MS).date() for day in (250, 90, 500)]
    async with (
        serving(made, tmp_path, producer=producer, with_page=True) as client,
        visiting(str(client.make_url("/"))) as visitor,
    ):
        section = "#annotations li"
        for has_scripts, (subject, text, day) in zip(
            (True, False, True),
            (("article", HOSTILE[0], days[0]), ("site", HOSTILE[1], days[1]), ("everything", "w" * 1_000, days[2])),
            strict=True,
        ):
            page = await visitor.look(path, java_script_enabled=has_scripts, viewport=PHONE, color_scheme="dark")
            before = await page.locator(section).count()
            await page.locator("#annotations summary").click()
            await page.locator("#annotations input[name=day]").fill(day.isoformat())
            await page.locator("#annotations input[name=text]").fill(text)
            await page.select_option("#annotations select[name=on]", subject)
            await page.locator("#annotations input[name=by]").fill(HOSTILE[1])
            await page.screenshot(path=tmp_path / f"annotating-{subject}.png", full_page=True)
            await page.get_by_role("button", name="Add", exact=True).click()
            await expect(page.locator(section)).to_have_count(before + 1)
            await expect(page.locator(section, has_text=text)).to_contain_text(HOSTILE[1][:20])
            await expect(page.get_by_role("region", name="History").locator("tr", has_text=text[:100])).to_have_count(1)
            assert await page.title() != "hacked"
            await page.context.close()
        # The two whose days are on the curve have numbers, by their days; on another article's there is one less.
        for has_scripts, scheme, viewport in ((True, "light", DESK), (True, "dark", PHONE), (False, "dark", PHONE)):
            page = await visitor.look(path, viewport=viewport, color_scheme=scheme, java_script_enabled=has_scripts)
            assert await page.locator(f"{section} > b").all_inner_texts() == ["2", "1", ""]
            if has_scripts:
                await page.locator(".uplot canvas").wait_for()
            else:
                assert await page.locator("svg.curve text.note").all_text_contents() == ["2", "1"]
            await page.screenshot(path=tmp_path / f"annotated-{has_scripts}-{scheme}.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
            await page.context.close()
        for scheme in ("light", "dark"):
            axe = await visitor.look(path, bypass_csp=True, color_scheme=scheme)
            await axe.locator("#annotations summary").click()
            assert [each["id"] for each in (await Axe().run(axe)).response["violations"]] == []
        page = await visitor.look(f"/article?url={sibling}", java_script_enabled=False)
        await expect(page.locator(section)).to_have_count(2)
        await page.get_by_role("button", name=f"Remove the annotation of {days[1]}").click()
        await expect(page.locator(section)).to_have_count(1)
        assert visitor.troubles == []
    made.close()


async def test_the_live_page_follows(tmp_path: Path) -> None:
    """What happens appears by itself, with texts as they are, unless it is paused; without scripts, after a reload."""
    log, made, news = Log(), database(tmp_path), News()
    projection = Projection(made, PROJECTED, Policy())

    def happens(title: str) -> None:
        article = f"https://a.example/{len(title)}"
        log.say(ArticleRecord(article, title=title), LinkEvent(f"https://x.example/{len(title)}", article))
        projection.apply(log.batch())
        news.tell()

    async with (
        serving(made, tmp_path, with_page=True, news=news) as client,
        visiting(str(client.make_url("/"))) as visitor,
    ):
        page = await visitor.look("/live")
        await expect(page.locator(".empty")).to_contain_text("Nothing has happened yet")
        await expect(page.locator("[data-live-status]")).to_have_text("It follows by itself.")
        happens(HOSTILE[0])
        await expect(page.locator("[data-live] li")).to_have_count(1)
        await expect(page.locator("[data-live] h2")).to_have_text(HOSTILE[0])
        await page.get_by_role("button", name="Pause").click()
        happens("another")
        plain = await visitor.look("/live", java_script_enabled=False)
        await expect(plain.locator("[data-live] li")).to_have_count(2)
        await expect(page.locator("[data-live] li")).to_have_count(1)
        await page.get_by_role("button", name="Go on").click()
        await expect(page.locator("[data-live] li")).to_have_count(2)
        assert await page.title() == "Live · Flatline"
        assert visitor.troubles == []
    made.close()
