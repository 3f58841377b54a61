"""All that a team decides: thresholds by tier, what to leave out, and the model."""

from collections.abc import Mapping
from typing import NamedTuple

from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.ignore import Ignored
from flatline.domain.policy.thresholds import Thresholds


class Policy(NamedTuple):
    """A policy file, ready for use: thresholds by tier, what to leave out, and the model."""

    default: Thresholds = Thresholds()
    by_tier: Mapping[int | None, Thresholds] = {}
    ignored: Ignored | None = None
    hazard: Hazard = Hazard()
    links_bring_back: bool = False  # whether a new link brings back an article that was removed

    def thresholds_of(self, tier: int | None) -> Thresholds:
        """Return the thresholds for articles of a tier; None is that of articles that nobody registered."""
        return self.by_tier.get(tier, self.default)
