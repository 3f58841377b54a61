"""The thresholds of the judgement."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """When to say what. Probabilities are of no link within the horizon; lengths are in days."""

    link_days_min: int = 5
    cooling_probability: float = 0.4
    silent_probability: float = 0.7
    dormant_after_days: int = 180
    unjudged_dormant_after_days: int = 365
    growing_ratio: float = 1.5
    growing_count_min: float = 3
    revived_for_days: int = 28
    worthy_quality: float = 0.25  # links below are thin: flagged and counted, but they do not matter
    thin_links_min: int = 3  # in the last 90 days, to say "still gaining links, but none that matter"

    def __post_init__(self) -> None:
        if not 0 < self.cooling_probability < self.silent_probability < 1:
            raise ValueError("0 < cooling_probability < silent_probability < 1 must hold")
