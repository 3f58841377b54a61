"""The same job on Quix Streams: links and domains are keys in the state of an article, in RocksDB with a changelog."""

from struct import Struct
from typing import Final

from quixstreams import Application, State
from xxhash import xxh3_64_digest

from flatline.domain.time import day_of, to_ms
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected
from tests.bench.run import Run, Stopwatch, Totals

ARTICLE: Final = b"a"
SUMMARY: Final = Struct("<3q")  # links, referring domains, time of the last link; days follow
DAY: Final = Struct("<2i")  # a day, its links


def main(run: Run) -> None:
    """Run the app until everything is committed."""
    app = Application(
        broker_address=run.bootstrap,
        consumer_group=run.namespace,
        auto_offset_reset="earliest",
        state_dir=run.folder / "state",
        loglevel="ERROR",
    )
    stopwatch = Stopwatch(run)
    links = domains = articles = 0

    def accumulate(value: bytes, state: State) -> None:
        nonlocal links, domains, articles
        event = _decoded(value)
        gained_at = event and event.occurred_at
        if event and gained_at and event.change == "gained" and _is_new(state, b"l", event.url_from):
            is_new_domain = _is_new(state, b"d", event.url_from.split("/", 3)[2])
            kept = state.get_bytes(ARTICLE)
            state.set_bytes(ARTICLE, _with_link(kept, to_ms(gained_at), is_new_domain=is_new_domain))
            links, domains, articles = links + 1, domains + is_new_domain, articles + (kept is None)
        if stopwatch.applied(1):
            app.stop()

    topic = app.topic(run.topic, key_deserializer="bytes", value_deserializer="bytes")
    app.dataframe(topic).update(accumulate, stateful=True)
    app.run()  # commits before it returns
    stopwatch.stop()(Totals(links, domains, articles)).give(run)


def _decoded(value: bytes) -> LinkEvent | None:
    try:
        return codec.links.decode(value)
    except Rejected:
        return None


def _is_new(state: State, kind: bytes, text: str) -> bool:
    """Whether an article sees a page or domain for the first time; from now on it is known."""
    key = kind + xxh3_64_digest(text.encode())
    if state.exists(key):
        return False
    state.set_bytes(key, b"")
    return True


def _with_link(kept: bytes | None, gained_ms: int, *, is_new_domain: bool) -> bytes:
    article = bytearray(kept or SUMMARY.size)
    links, domains, last_ms = SUMMARY.unpack_from(article)
    SUMMARY.pack_into(article, 0, links + 1, domains + is_new_domain, max(last_ms, gained_ms))
    # Links come in order but for a few, so the search for the day is short.
    day, after = day_of(gained_ms), len(article)
    while after > SUMMARY.size:
        earlier, gained = DAY.unpack_from(article, after - DAY.size)
        if earlier == day:
            DAY.pack_into(article, after - DAY.size, day, gained + 1)
            return bytes(article)
        if earlier < day:
            break
        after -= DAY.size
    article[after:after] = DAY.pack(day, 1)
    return bytes(article)


if __name__ == "__main__":
    main(Run.from_environment())
