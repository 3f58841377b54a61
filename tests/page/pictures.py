"""The pictures of the web page in the README: `python -m tests.page.pictures` draws them anew, from simulated data."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from tests.api.answering import serving
from tests.page.portfolio import NOW_MS, portfolio

FOLDER = Path(__file__).parents[2] / "streams" / "page"


async def _draw(folder: Path) -> None:
    made = portfolio(folder)
    async with (
        serving(made.database, folder, with_page=True, now_ms=NOW_MS) as client,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        page = await browser.new_page(viewport={"width": 1180, "height": 760})
        await page.goto(str(client.make_url("/")))
        await page.screenshot(path=FOLDER / "today.png")
        await page.locator('ul.cards h3 a[href^="/article"]').first.click()
        await page.locator(".uplot canvas").wait_for()
        await page.screenshot(path=FOLDER / "article.png")
        await browser.close()
    made.database.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_draw(Path(folder)))
