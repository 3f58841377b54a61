"""Made-up link histories, with the counts that must come out of them.

The counts come from how a history was made, not from reading it: nothing of the product is used here.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 900


class Counts(NamedTuple):
    """What `flatline articles` must say of an article."""

    gained_total: int
    lost_total: int
    live: int
    referring_domains: int
    last_gained_at: datetime


@dataclass
class History:
    """Lines in the order in which they are sent, and what must become of them."""

    lines: list[bytes] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    broken: dict[bytes, str] = field(default_factory=dict)  # broken line -> reason


# (host, registrable domain) of referring page number n
_HOSTS: tuple[Callable[[int], tuple[str, str]], ...] = (
    lambda n: (f"site{n}.com", f"site{n}.com"),
    lambda n: (f"blog.site{n}.com", f"site{n}.com"),
    lambda n: (f"news{n}.co.uk", f"news{n}.co.uk"),
    lambda n: (f"user{n}.github.io", f"user{n}.github.io"),
)

_VARIANTS: tuple[Callable[[str, str], str], ...] = (
    lambda host, path: f"https://{host}{path}",
    lambda host, path: f"http://{host}{path}/",
    lambda host, path: f"https://www.{host}{path}?utm_source=x&utm_medium=y",
    lambda host, path: f"HTTPS://{host.upper()}:443{path}#comments",
    lambda host, path: f"http://{host}:80/a/..{path}/index.html",
    lambda host, path: f"https://{host}{path.replace('-', '%2D')}?fbclid=abc",
)

_BROKEN: tuple[tuple[Callable[[int], bytes], str], ...] = (
    (lambda n: b'{"url_from": "https://a.example/%d", "url_to": "https://b.exa' % n, "invalid_json"),
    (lambda n: b'{"url_from": "https://a.example/%d"}' % n, "missing_field"),
    (lambda n: b'{"url_from": %d, "url_to": "https://b.example/"}' % n, "wrong_type"),
    (lambda n: b'{"url_from": "mailto:a@b.example", "url_to": "https://b.example/%d"}' % n, "invalid_url"),
    (lambda n: b'{"url_from": "https://a.example/", "url_to": "/only/a/path/%d"}' % n, "invalid_url"),
    (
        lambda n: b'{"url_from": "https://a.example/%d", "url_to": "https://b.example/", "change": "x"}' % n,
        "invalid_value",
    ),
    (
        lambda n: b'{"url_from": "https://a.example/%d", "url_to": "https://b.example/", "occurred_at": "soon"}' % n,
        "invalid_time",
    ),
    (
        lambda n: (
            b'{"url_from": "https://a.example/%d", "url_to": "https://b.example/", "anchor": "%b"}' % (n, b"x" * 10_001)
        ),
        "too_long",
    ),
    (
        lambda n: b'{"url_from": "https://a.example/%d", "url_to": "https://b.example/", "version": 2}' % n,
        "unsupported_version",
    ),
    (lambda n: b"\xff\xfe%d" % n, "invalid_json"),
)


def make_history(
    *, events: int, articles: int, seed: int, broken_share: float = 0.01, repeated_share: float = 0.1
) -> History:
    """Make about ``events`` lines: gained, lost, restored, lost again, seen again; in variants and in disorder."""
    chance = random.Random(seed)
    history = History()
    changes: dict[str, dict[tuple[str, str, str], list[tuple[datetime, str]]]] = {}
    while len(history.lines) < events * (1 - broken_share):
        number = min(int(chance.expovariate(4 / articles)), articles - 1)
        target = (f"blog{number % 7}.example.com", f"/articles/{number}-some-title")
        at = chance.randrange(events)
        host, domain = chance.choice(_HOSTS)(at % 997)
        link = (host, f"/posts/{at}-about-it", domain)
        known = changes.setdefault(f"https://{target[0]}{target[1]}", {})
        if link in known:
            continue
        known[link] = _life(chance)
        for when, change in known[link]:
            for _ in range(1 + (chance.random() < repeated_share)):
                history.lines.append(_line(chance, link, target, when, change))
    for number in range(int(events * broken_share)):
        make, reason = _BROKEN[number % len(_BROKEN)]
        line = make(number)
        history.lines.append(line)
        history.broken[line] = reason
    chance.shuffle(history.lines)
    history.counts = {article: _count(links) for article, links in changes.items()}
    return history


def _life(chance: random.Random) -> list[tuple[datetime, str]]:
    when = BEGIN + timedelta(seconds=chance.randrange(DAYS * 86_400))
    life = [(when, "gained")]
    for change, odds in (("lost", 0.3), ("gained", 0.4), ("lost", 0.3)):
        if chance.random() > odds:
            break
        when += timedelta(seconds=chance.randrange(1, 30 * 86_400))
        life.append((when, change))
    if life[-1][1] == "gained" and chance.random() < 0.1:  # seen again by another crawl
        life.append((when + timedelta(days=1), "gained"))
    return life


def _count(links: dict[tuple[str, str, str], list[tuple[datetime, str]]]) -> Counts:
    return Counts(
        gained_total=len(links),
        lost_total=sum(any(change == "lost" for _, change in life) for life in links.values()),
        live=sum(max(life)[1] == "gained" for life in links.values()),
        referring_domains=len({domain for _, _, domain in links}),
        last_gained_at=max(min(life)[0] for life in links.values()),
    )


def _line(
    chance: random.Random, link: tuple[str, str, str], target: tuple[str, str], when: datetime, change: str
) -> bytes:
    host, path, _ = link
    event: dict[str, object] = {
        "url_from": chance.choice(_VARIANTS)(host, path),
        "url_to": chance.choice(_VARIANTS)(*target),
        "occurred_at": when.isoformat(),
        "source": f"crawler-{chance.randrange(3)}",
        "anchor": "a good read",
    }
    if change == "lost" or chance.random() < 0.5:
        event["change"] = change
    if chance.random() < 0.2:
        event["some_field_of_tomorrow"] = {"a": [1, 2]}
    return json.dumps(event).encode()
