"""Maximum lengths. A record beyond one of them is dead-lettered as ``too_long``; nothing is cut."""

from typing import Annotated

from msgspec import Meta

RECORD_BYTES_MAX = 65_536
NAME_CHARACTERS_MAX = 200
TITLE_CHARACTERS_MAX = 500
TEXT_CHARACTERS_MAX = 10_000
TOKEN_CHARACTERS_MAX = 64
REL_TOKENS_MAX = 32

Url = Annotated[str, Meta(min_length=1, max_length=4_096)]
Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARACTERS_MAX)]
Title = Annotated[str, Meta(max_length=TITLE_CHARACTERS_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_CHARACTERS_MAX)]
Token = Annotated[str, Meta(max_length=TOKEN_CHARACTERS_MAX)]
# A source becomes a metric label and part of an alert: plain characters only.
SourceName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+~-]{0,199}(?!\n)$")]

RECHECK_SOURCE = "recheck"
"""Source of the events of whoever looks again at links that others found."""
