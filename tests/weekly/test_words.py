"""What the summary says, and that no text of others says anything else in Slack."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from flatline.demo.slack_receiver import SlackReceiver, plain_text
from flatline.readmodel.queries.precision import MeasuredPrecision
from flatline.readmodel.queries.weekly import GainedRow, WeeklySummary
from flatline.weekly.sending import post
from flatline.weekly.words import headline, lines, slack_message

PAGE = "https://flatline.example"


def summary(
    *gained: GainedRow, total: int = 3, before: int = 2, lost: int = 0, groups: list[str] | None = None
) -> WeeklySummary:
    """Return a summary of which little is of interest."""
    return WeeklySummary(
        since=date(2026, 11, 16),
        until=date(2026, 11, 22),
        articles=10,
        gained=total,
        gained_before=before,
        lost=lost,
        most_gained=list(gained),
        stopped=[],
        stopped_left_out=0,
        under_curve=groups or [],
        to_refresh=[],
        precision=MeasuredPrecision(0, 0, None, 0, 0, 0),
        came_true="Of no alert it is known yet.",
        marked="Nobody has marked an alert yet.",
    )


def test_it_compares_with_the_week_before() -> None:
    """More, fewer or as many; losses only where there are some."""
    assert headline(summary(total=1, before=1)) == (
        "From 2026-11-16 to 2026-11-22, your articles gained 1 link, as many as in the week before."
    )
    assert "1,200 links, 1,000 more than in the week before; 1 link was lost." in headline(
        summary(total=1_200, before=200, lost=1)
    )
    assert "0 links, 2 fewer than in the week before; 3 links were lost." in headline(summary(total=0, lost=3))


def test_sections_without_anything_are_left_out() -> None:
    """How right alerts were is always said."""
    assert [line for line in lines(summary()) if line][1:] == [
        "How right alerts were",
        "  Of no alert it is known yet.",
        "  Nobody has marked an alert yet.",
    ]


foreign = st.text(max_size=120) | st.sampled_from(
    [
        "<!channel>",
        "<https://evil.example|click>",
        "a|b>c&amp;",
        "\u202egnp.exe",
        "x\n*bold* `code` <@U123>",
        "a" * 10_000,
    ]
)


@given(titles=st.lists(foreign, min_size=1, max_size=4), reason=foreign)
async def test_slack_takes_it_whatever_titles_say(titles: list[str], reason: str) -> None:
    """Nothing in them is a link or a mention, turns the text, or begins a line; the links are to our own page."""
    rows = [GainedRow(f"https://a.example/{number}?x=<|>", title, 2, 1) for number, title in enumerate(titles)]
    async with SlackReceiver() as slack:
        await post(slack.url, slack_message(summary(*rows, groups=[reason]), PAGE))
    (message,) = slack.messages
    shown = plain_text(message)
    listed = next(each for each in message.payload["attachments"] if each["title"].startswith("Gained"))
    assert listed["text"].count("\n") == len(titles) - 1
    assert listed["mrkdwn_in"] == []
    for link in listed["text"].split("<")[1:]:
        assert link.startswith(f"{PAGE}/article?url=https%3A%2F%2Fa.example%2F")
    assert "\u202e" not in shown
    assert slack.violations == []
