"""Draws one article of the simulated history: its links, and how the probability of silence follows from them.

python -m tests.demo.picture streams/demo/simulated-article.svg
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

import flatline
from flatline.demo import story
from flatline.demo.simulation import Simulation
from flatline.demo.titles import article_url, title_of
from flatline.domain.time import DAY_MS, to_datetime

_BEGIN_DAY: Final = 20_089  # 2025-01-01
_ARTICLE: Final = (story.SERIES_THAT_STOPS, "retry storms")
_SHOWN_DAYS: Final = range(_BEGIN_DAY - 100, _BEGIN_DAY + 310)
_LINE: Final = "#1a5276"
_LINK: Final = "#0b6e4f"
_COLOURS: Final = {"cooling": "#e08a00", "silent": "#c62828"}


def verdicts(url: str, events: list[flatline.LinkEvent]) -> list[tuple[int, flatline.Verdict]]:
    """Return the verdict on an article at the end of each of the shown days, by what was known then."""
    article = None
    judged = []
    for day in _SHOWN_DAYS:
        now = to_datetime((day + 1) * DAY_MS)
        known = [event for event in events if event.occurred_at is not None and event.occurred_at < now]
        article = flatline.fold(known, {url: article} if article else None, recorded_at=now).get(url)
        if article is not None:
            judged.append((day, flatline.judge(article, now=now)))
    return judged


def draw(path: Path) -> None:
    """Write the picture, as SVG the same bytes every time. Raises OSError."""
    url = article_url(*_ARTICLE)
    with TemporaryDirectory() as folder:
        reports = Simulation(_BEGIN_DAY, Path(folder)).reports(from_ms=0, until_ms=_SHOWN_DAYS.stop * DAY_MS)
    events = [event for report in reports if (event := flatline.decode_event(report.line)).url_to == url]
    gained = [int(event.occurred_at.timestamp() * 1000 // DAY_MS) for event in events if event.occurred_at]
    last = max(gained)
    judged = verdicts(url, events)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.add_subplot()
    said = {day - last: verdict.probability for day, verdict in judged if verdict.probability is not None}
    axes.plot(list(said), list(said.values()), color=_LINE, linewidth=2)
    axes.vlines([day - last for day in gained], 0, 0.06, color=_LINK, linewidth=1.5)
    axes.text(min(gained) - last, 0.09, "links gained", color=_LINK)
    for state, colour in _COLOURS.items():
        days = next(day for day, verdict in judged if verdict.state == state) - last
        axes.axvline(days, color=colour, linestyle="--", linewidth=1)
        axes.text(days + 3, 0.95, f"{state}\nafter {days} days", color=colour, va="top")
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("days since the last link")
    axes.set_title(f"{title_of(*_ARTICLE)} (simulated): probability of no new link in the next 180 days", loc="left")
    axes.grid(visible=True, color="#e6e6e6")
    axes.spines[["top", "right"]].set_visible(False)
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "flatline"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
