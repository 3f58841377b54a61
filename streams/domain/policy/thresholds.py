"""The thresholds of the judgement. `flatline.policy_file` reads the file in which a team writes its own."""

from typing import Annotated

from msgspec import Meta, Struct

Probability = Annotated[float, Meta(gt=0, lt=1)]
Score = Annotated[float, Meta(gt=0, lt=1)]
"""A silence score: see `flatline.domain.learned.hazard`."""
Days = Annotated[int, Meta(ge=1, le=36_500)]


class Thresholds(Struct, frozen=True, forbid_unknown_fields=True):
    """When to say what. Scores are silence scores; lengths are in days.

    What is said at one threshold is taken back at another, so that it does not flap: see `left_at`.
    """

    link_days_min: Annotated[
        int, Meta(ge=2, le=1_000, description="Days with a new link that are required before an article is judged.")
    ] = 5
    cooling_score: Annotated[
        Score, Meta(description="Silence score from which an article is cooling. A score ranks; it is no probability.")
    ] = 0.3
    silent_score: Annotated[Score, Meta(description="Silence score from which an article is silent; this alerts.")] = (
        0.6
    )
    silent_gaps: Annotated[
        float,
        Meta(ge=0, le=100, description="A silent article's gap must be at least this many of its mean gaps."),
    ] = 2.0
    left_at_share: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="Cooling, silent and growing end below this share of their thresholds.",
        ),
    ] = 0.8
    dormant_after_days: Annotated[Days, Meta(description="Days of silence after which an article becomes dormant.")] = (
        180
    )
    unjudged_dormant_after_days: Annotated[
        Days,
        Meta(description="The same for articles with too few link days to judge, since their last link."),
    ] = 365
    growing_ratio: Annotated[
        float,
        Meta(gt=1, le=1_000, description="Multiple of its usual rate from which an article is growing."),
    ] = 1.5
    growing_count_min: Annotated[
        float, Meta(ge=1, le=10_000, description="Recent link days that are required for growing.")
    ] = 3
    bursting_links_min: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Links in a week that are required for bursting.")
    ] = 5
    bursting_history_days: Annotated[
        Days, Meta(description="Days of history before that week that are required to know the usual rate.")
    ] = 56
    bursting_probability: Annotated[
        Probability, Meta(description="Bursting if so many links have at most this probability at the usual rate.")
    ] = 0.001
    bursting_left_at: Annotated[
        Probability, Meta(description="The burst ends when they have at least this probability again.")
    ] = 0.05
    lively_days_min: Annotated[Days, Meta(description="Minimum number of days that bursting and growing last.")] = 14
    revived_for_days: Annotated[
        Days,
        Meta(
            description="Days that an article stays revived; also the maximum age of the newest link that revives it."
        ),
    ] = 28
    mass_loss_links_min: Annotated[
        int, Meta(ge=3, le=1_000_000, description="Links lost within two weeks that are required for a mass loss.")
    ] = 5
    mass_loss_share: Annotated[
        Probability, Meta(description="Share of the article's live links that must be lost as well.")
    ] = 0.2
    mass_loss_left_at: Annotated[
        float, Meta(gt=0, le=1, description="A mass loss ends below this share of both thresholds.")
    ] = 0.5
    worthy_quality: Annotated[
        float,
        Meta(ge=0, le=1, description="Links below this quality are thin: counted, but not of high quality."),
    ] = 0.25
    quality_gone_score: Annotated[
        Score,
        Meta(description="Silence score of the high-quality links alone, from which quality_gone is reported."),
    ] = 0.8
    thin_run_score: Annotated[
        Score, Meta(description="The same if chance hardly explains the number of thin links in a row.")
    ] = 0.5
    thin_links_min: Annotated[
        int, Meta(ge=1, le=10_000, description="Thin links in 90 days that are required for quality_gone.")
    ] = 3
    shortfall_chance: Annotated[
        Probability,
        Meta(description="Cooling if so few links in 28 or 90 days have at most this probability."),
    ] = 0.01
    shortfall_relief_chance: Annotated[
        Probability, Meta(description="Cooling for that reason ends when they have at least this probability again.")
    ] = 0.05
    group_articles_min: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Articles required to judge a series, author, strategy or site."),
    ] = 3
    group_links_min: Annotated[
        float, Meta(gt=0, le=10_000, description="Links expected in 13 weeks that are required to judge a group.")
    ] = 5
    group_chance: Annotated[
        Probability,
        Meta(
            description="Under its curve if so few links have at most this probability, two weeks running; this alerts."
        ),
    ] = 0.005
    group_relief_chance: Annotated[
        Probability, Meta(description="That ends when they have at least this probability again.")
    ] = 0.15
    group_ratio: Annotated[
        Probability, Meta(description="In addition, its links must be at most this share of the expected links.")
    ] = 0.75
    group_relief_ratio: Annotated[Probability, Meta(description="That ends from this share on.")] = 0.85
    group_blind_share: Annotated[
        Probability,
        Meta(description="A group's verdict gets no worse while more than this share is not covered."),
    ] = 0.5

    def __post_init__(self) -> None:
        """Raise ValueError for thresholds in the wrong order."""
        if self.bursting_probability > self.bursting_left_at:
            raise ValueError(
                f"bursting_probability ({self.bursting_probability}) must not be above "
                f"bursting_left_at ({self.bursting_left_at})"
            )
        if self.shortfall_chance > self.shortfall_relief_chance:
            raise ValueError(
                f"shortfall_chance ({self.shortfall_chance}) must not be above "
                f"shortfall_relief_chance ({self.shortfall_relief_chance})"
            )
        if not self.cooling_score < self.silent_score:
            raise ValueError(f"cooling_score ({self.cooling_score}) must be below silent_score ({self.silent_score})")

    def left_at(self, threshold: float) -> float:
        """Return where what is said at this threshold is taken back."""
        return threshold * self.left_at_share
