"""Fingerprints of referring pages: the short way for plain URLs says what the long one says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_64_digest

from flatline.domain.urls import canonical as urls
from flatline.domain.urls.canonical import InvalidUrl, canonicalize, referring_domain
from flatline.domain.urls.fingerprints import DOMAIN_BYTES, referrer
from flatline.schema.rejection import Rejected
from tests.examples import examples

labels = st.sampled_from(
    [
        "www",
        "a",
        "blog",
        "co",
        "uk",
        "com",
        "github",
        "io",
        "1",
        "0x7f",
        "xn--a",
        "-a",
        "a-",
        "a--b",
        "",
        "x" * 63,
        "x" * 64,
    ]
)
hosts = st.lists(labels, min_size=1, max_size=5).map(".".join)
words = st.text("aZ0.-_~!$&'()*+,;=:@%/", max_size=6) | st.sampled_from(
    [".", "..", "index.html", "INDEX.PHP", "default.asp"]
)
plain_urls = st.builds("https://{}/{}".format, hosts, st.lists(words, max_size=3).map("/".join))


@examples(1_000)
@given(plain_urls)
def test_the_short_way_is_the_long_one(url: str) -> None:
    """Whatever looks plain comes out as the parser and the rules would have it; and again, when it is remembered."""
    try:
        page = urls._canonicalize(url)
    except InvalidUrl:
        with pytest.raises(InvalidUrl):
            canonicalize(url)
        with pytest.raises(Rejected):
            referrer(url)
        return
    assert canonicalize(url) == page
    fingerprints = xxh3_64_digest(page.encode()), xxh3_64_digest(referring_domain(page).encode())[:DOMAIN_BYTES]
    assert referrer(url) == referrer(url) == fingerprints
