"""The thresholds of the judgement."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """When to say what. Probabilities are of no link within the horizon; lengths are in days.

    What is said at one threshold is taken back at another, ``…_left_at``, so that it does not flap.
    """

    link_days_min: int = 5
    cooling_probability: float = 0.4
    cooling_left_at: float = 0.3
    silent_probability: float = 0.7
    silent_left_at: float = 0.6
    silent_gaps: float = 2.0  # in mean gaps of the article: no shorter gap is a silence
    dormant_after_days: int = 180
    unjudged_dormant_after_days: int = 365
    growing_ratio: float = 1.5
    growing_left_at: float = 1.2
    growing_count_min: float = 3
    bursting_links_min: int = 5
    bursting_history_days: int = 56  # before the week of the burst: no burst without a usual rate
    bursting_probability: float = 0.001  # of so many links at the usual rate
    bursting_left_at: float = 0.05
    lively_days_min: int = 14  # bursting and growing last at least as long
    revived_for_days: int = 28
    mass_loss_links_min: int = 5
    mass_loss_share: float = 0.2  # of the links that were there
    mass_loss_left_at: float = 0.5  # of both

    def __post_init__(self) -> None:
        if not 0 < self.cooling_probability < self.silent_probability < 1:
            raise ValueError("0 < cooling_probability < silent_probability < 1 must hold")
