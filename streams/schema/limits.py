"""What is too long. A record beyond a limit is dead-lettered as ``too_long``; nothing is ever cut."""

from typing import Annotated

from msgspec import Meta

RECORD_BYTES_MAX = 65_536

Url = Annotated[str, Meta(min_length=1, max_length=4_096)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Title = Annotated[str, Meta(max_length=500)]
Text = Annotated[str, Meta(max_length=10_000)]
Token = Annotated[str, Meta(max_length=64)]
# A source becomes a metric label and part of an alert: plain characters only.
SourceName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+~-]{0,199}(?!\n)$")]
