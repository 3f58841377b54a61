"""Sources that report only a part of what they know."""

from rich.console import Console

from flatline.cli.article_list import article_table
from tests.portfolios.world import Link, World

HISTORY = range(-600, 200, 10)


def test_counts_are_told_as_minimums() -> None:
    """From the first event that says so, the verdict says so, and words before a count; the counts are the same."""
    usual = [Link(article, day) for article in ("part", "whole") for day in HISTORY]
    many = [
        Link(article, 205, page=f"https://{n}.example/{article}") for article in ("part", "whole") for n in range(40)
    ]
    lives = World([*usual, *(link._replace(flags=("floor",) if link.article == "part" else ()) for link in many)]).play(
        days=210
    )
    part, whole = lives["part"], lives["whole"]
    assert [verdict.is_floor for verdict in part] == [False] * 205 + [True] * (len(part) - 205)
    assert not any(verdict.is_floor for verdict in whole)
    assert part[-1].state is whole[-1].state
    assert part[-1].gained_total == whole[-1].gained_total
    assert "It gained at least 40 links in a week" in part[-1].reason
    assert "It gained 40 links in a week" in whole[-1].reason
    console = Console(width=200)
    with console.capture() as captured:
        console.print(article_table([part[-1], whole[-1]]))
    of_part, of_whole = captured.get().splitlines()[1:3]
    assert f"≥ {part[-1].gained_total}" in of_part
    assert "≥" not in of_whole
