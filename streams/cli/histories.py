"""Reads histories from files, for `flatline backtest`, `flatline explain` and `flatline model fit`."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from flatline.backtest.histories import Histories
    from flatline.domain.policy.ignore import Ignored


def read_histories(
    links: list[Path],
    articles: list[Path],
    heartbeats: list[Path],
    ignored: "Ignored | None",
    console: Console,
    *,
    now_ms: int,
    about: bytes | None = None,
) -> "Histories":
    """Read files of link events, of article records and of heartbeats, with a bar for the first.

    The events of the article with the key ``about`` are kept.
    """
    from flatline.backtest.histories import Histories
    from flatline.cli.progress import Display
    from flatline_connectors.files.lines import LineFile
    from flatline_connectors.sending.articles import TABLE

    files = [LineFile(None if str(file) == "-" else file) for file in links]
    histories = Histories(about=about)
    for file in articles:
        source = LineFile(file)
        histories.read_articles(source.name, TABLE.as_ndjson(source), recorded_ms=now_ms)
    for file in heartbeats:
        source = LineFile(file)
        histories.read_heartbeats(source.name, source)
    display = Display(files, console)
    with display.running():
        for each in files:
            histories.read_links(each.name, each, recorded_ms=now_ms, ignored=ignored, show=display.show)
    return histories
