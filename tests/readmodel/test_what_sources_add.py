"""What each source adds: links that it saw first, which of them others saw, and which are dead."""

from datetime import timedelta
from pathlib import Path

from flatline.domain.time import to_datetime
from flatline.readmodel.queries.others import list_sources
from flatline.schema.limits import RECHECK_SOURCE
from flatline.schema.link_event import LinkEvent
from tests.readmodel.projecting import NOW_MS, Log, database, projected


def test_looking_again_takes_nothing_from_whoever_found_a_link(tmp_path: Path) -> None:
    """It corroborates the link, and is no second finder; a later source is one, and a loss makes the link dead."""
    log = Log()

    def say(page: str, source: str, day: int, change: str = "gained") -> None:
        at = to_datetime(NOW_MS) - timedelta(days=100 - day)
        url = f"https://{page}.example/"
        log.say(LinkEvent(url, "https://yours.example/a", change=change, occurred_at=at, source=source))  # type: ignore[arg-type] # one of those

    say("alone", "vendor", 1)
    say("looked-at", "vendor", 2)
    say("looked-at", RECHECK_SOURCE, 50)
    say("shared", "crawler", 4)
    say("shared", "vendor", 3)
    say("dead", "vendor", 5)
    say("dead", "crawler", 6)
    say("dead", RECHECK_SOURCE, 60, "lost")
    made = projected(log, database(tmp_path))
    with made.reading() as connection:
        found = {
            row.source: (row.links, row.only_here, row.first_here, row.corroborated, row.dead)
            for row in list_sources(connection, now_ms=NOW_MS)
        }
    assert found == {"vendor": (4, 2, 4, 3, 1), "crawler": (2, 0, 0, 0, 0), RECHECK_SOURCE: (1, 0, 0, 0, 0)}
    made.close()
