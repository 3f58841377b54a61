"""All that a team decides: thresholds by tier, what to leave out, and the model."""

from collections.abc import Mapping
from typing import NamedTuple

from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.ignore import Ignored
from flatline.domain.policy.thresholds import Policy


class Policies(NamedTuple):
    """A policy file, ready for use."""

    default: Policy = Policy()
    by_tier: Mapping[int | None, Policy] = {}
    ignored: Ignored | None = None
    hazard: Hazard = Hazard()
    links_bring_back: bool = False  # whether a new link brings back an article that was removed

    def of(self, tier: int | None) -> Policy:
        """Return the policy for articles of a tier; None is that of articles nobody registered."""
        return self.by_tier.get(tier, self.default)
