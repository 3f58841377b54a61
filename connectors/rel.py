"""Tokens of the attribute rel, as link events can hold them."""

from collections.abc import Iterable

from flatline.schema.limits import REL_TOKENS_MAX, TOKEN_CHARACTERS_MAX


def bounded_rel(tokens: Iterable[str]) -> list[str]:
    """Return the tokens, sorted; further ones, and the ends of long ones, are left out: no standard knows any."""
    return sorted(token[:TOKEN_CHARACTERS_MAX] for token in tokens)[:REL_TOKENS_MAX]
