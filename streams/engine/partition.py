"""The articles of one partition: as bytes until touched, and as bytes again once written."""

from collections.abc import Iterator
from typing import Final

from streams.domain.article import Article, Header, SegmentId

DECODED_ARTICLES_MAX: Final = 10_000

# Article keys are URLs, which never hold a NUL: key, NUL, kind and low make the key of a further segment.
_SEPARATOR: Final = b"\0"
_LOW_BYTES: Final = 8


def segment_key(key: bytes, segment: SegmentId) -> bytes:
    """Return the changelog key of an article's further segment."""
    return key + _SEPARATOR + segment.kind.encode() + segment.low.to_bytes(_LOW_BYTES, "big")


class Partition:
    """What this worker knows of the articles of one partition."""

    def __init__(self) -> None:
        self._records: dict[bytes, bytes] = {}
        self._segments: dict[bytes, dict[SegmentId, bytes]] = {}
        self._decoded: dict[bytes, Article] = {}
        self._touched: set[bytes] = set()
        self.changelog_offset: int | None = None  # the last one read from, or written to, the changelog

    def __len__(self) -> int:
        return len(self._records.keys() | self._decoded.keys())

    def __contains__(self, key: bytes) -> bool:
        return key in self._decoded or key in self._records

    def __iter__(self) -> Iterator[bytes]:
        """Return the keys of all articles."""
        return iter(self._records.keys() | self._decoded.keys())

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply one changelog record. Raises nothing: what the bytes mean is found out when they are needed.

        Changes of the article that were not written yet are forgotten: the events that led to them will come again.
        """
        article_key, separator, suffix = key.partition(_SEPARATOR)
        self._decoded.pop(article_key, None)
        self._touched.discard(article_key)
        if separator:
            segment = SegmentId(suffix[:1].decode(), int.from_bytes(suffix[1:], "big"))
            self._segments.setdefault(article_key, {})[segment] = value or b""
        elif value is None:
            self._records.pop(key, None)
        else:
            self._records[key] = value

    def get(self, key: bytes) -> Article | None:
        """Return an article to look at. Raises msgspec.DecodeError when its bytes are not of this format."""
        article = self._decoded.get(key)
        if article is None and key in self._records:
            article = Article.decode(self._records[key], self._segments.get(key, {}))
            self._decoded[key] = article
        return article

    def open(self, key: bytes, *, now_ms: int) -> Article:
        """Return an article, made when it is not known. Who changes it says so with `touch`."""
        article = self.get(key)
        if article is None:
            article = self._decoded[key] = Article(Header(watched_since_ms=now_ms))
            self._touched.add(key)
        return article

    def touch(self, key: bytes) -> None:
        """Have an article that was changed written with the next commit."""
        self._touched.add(key)

    @property
    def touched(self) -> frozenset[bytes]:
        """The keys of the articles changed since the last commit."""
        return frozenset(self._touched)

    def take_changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the changelog records of all changes, in the order in which they must be written, and forget them.

        A split's upper half comes before its lower one, so that a log that ends between the two is still whole.
        """
        for key in self._touched:
            article = self._decoded[key]
            for segment, encoded in article.encode_changed_segments():
                self._segments.setdefault(key, {})[segment] = encoded
                yield segment_key(key, segment), encoded
            record = self._records[key] = article.encode()
            yield key, record
        self._touched.clear()
        if len(self._decoded) > DECODED_ARTICLES_MAX:
            self._decoded.clear()
