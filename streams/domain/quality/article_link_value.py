"""The value of an article's links. Where they are many, it is computed once a day."""

from collections.abc import Callable, Iterable
from typing import Final

from flatline.domain.events.anchors import natural
from flatline.domain.learned.domain_reputation import DomainReputation
from flatline.domain.quality.link_value import LinkValue, link_value_of
from flatline.domain.state.article import Article

WEIGHED_AT_ONCE_MAX: Final = 2_000
"""Links of an article that are weighed whenever it is judged; more are weighed once a day."""
KEPT_MAX: Final = 1_000
"""Articles of which that is kept until it is weighed again."""


def article_link_value(
    article: Article, *, quality_min: float, reputation_of: Callable[[bytes], DomainReputation] | None = None
) -> LinkValue:
    """Return the value of an article's links, as `link_value_of` does."""
    return link_value_of(
        article.segments,
        quality_min=quality_min,
        natural_anchors=lambda: natural_anchors(article),
        reputation_of=reputation_of,
        visited=article.visiting_domains,
    )


def natural_anchors(article: Article) -> frozenset[int]:
    """Return the fingerprints of what anybody may call an article."""
    registration = article.header.registration
    return natural(article.key.decode(), registration.title, registration.author)


class DailyLinkValues:
    """Weighs articles; those with more than WEIGHED_AT_ONCE_MAX links anew only when it is told to.

    What was found of these is kept by the article's key: one that moved is put together anew whenever it is judged. Of
    more than ``kept_max``, that of the one that was weighed longest ago is dropped.
    """

    def __init__(self, *, kept_max: int = KEPT_MAX) -> None:
        self._kept_max = kept_max
        self._kept: dict[bytes, LinkValue] = {}

    def forget(self, keys: Iterable[bytes]) -> None:
        """Have articles weighed anew: other links of theirs count."""
        for key in keys:
            self._kept.pop(key, None)

    def of(
        self,
        article: Article,
        *,
        quality_min: float,
        reputation_of: Callable[[bytes], DomainReputation] | None = None,
        may_be_of_today: bool = False,
    ) -> LinkValue:
        """Return what `article_link_value` does; or did last, where links are many and it ``may_be_of_today``."""
        has_many = article.totals.gained > WEIGHED_AT_ONCE_MAX
        if has_many and may_be_of_today and (kept := self._kept.get(article.key)) is not None:
            return kept
        link_value = article_link_value(article, quality_min=quality_min, reputation_of=reputation_of)
        if has_many:
            self._kept.pop(article.key, None)
            self._kept[article.key] = link_value
            if len(self._kept) > self._kept_max:
                del self._kept[next(iter(self._kept))]
        return link_value
