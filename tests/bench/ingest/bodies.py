"""What clients of the ingest push."""

import random
from datetime import timedelta
from typing import Final

import orjson

from tests.bench.worker import NOW

# More pages than the ingest remembers: a page seldom links twice, while articles are linked to again and again.
_EVENTS: Final = 24_000
_ARTICLES: Final = 2_000
_SEED: Final = 20_260_101


def bodies(batch: int) -> list[bytes]:
    """Return bodies of so many link events each: an object for one event, an array for several."""
    chance = random.Random(_SEED)
    events = [_event(number, chance) for number in range(_EVENTS)]
    if batch == 1:
        return [orjson.dumps(event, option=orjson.OPT_UTC_Z) for event in events]
    return [orjson.dumps(events[start : start + batch], option=orjson.OPT_UTC_Z) for start in range(0, _EVENTS, batch)]


def _event(number: int, chance: random.Random) -> dict[str, object]:
    return {
        "version": 1,
        "url_from": f"https://site{chance.randrange(50_000)}.example/posts/{number}/why",
        "url_to": f"https://blog.example.com/articles/{chance.randrange(_ARTICLES)}/thought-leadership",
        "change": "gained",
        "occurred_at": NOW - timedelta(minutes=number),
        "anchor": "why thought leadership matters",
        "context": "as the founder explained in this interview about backlinks",
        "source": "crawler-a",
    }
