"""What is sent to a secured Kafka."""

import orjson

from tests.connectors.pushing import SOURCE


def line_of(url_to: str) -> bytes:
    """Return a link event."""
    event = {"url_from": "https://elsewhere.example/", "url_to": url_to, "occurred_at": "2026-01-31T09:30:00Z"}
    return orjson.dumps(event | {"source": SOURCE})
