"""The thresholds of the judgement. `flatline.policy_file` reads the file in which a team writes its own."""

from typing import Annotated

from msgspec import Meta, Struct

Probability = Annotated[float, Meta(gt=0, lt=1)]
Days = Annotated[int, Meta(ge=1, le=36_500)]


class Thresholds(Struct, frozen=True, forbid_unknown_fields=True):
    """When to say what. Probabilities are of no link within the model's horizon; lengths are in days.

    What is said at one threshold is taken back at another, so that it does not flap: see `left_at`.
    """

    link_days_min: Annotated[
        int, Meta(ge=2, le=1_000, description="Days with a new link that it takes to judge an article at all.")
    ] = 5
    cooling_probability: Annotated[
        Probability, Meta(description="How probable it must be that no link comes, to call an article cooling.")
    ] = 0.3
    silent_probability: Annotated[Probability, Meta(description="The same to call it silent, which alerts.")] = 0.6
    silent_gaps: Annotated[
        float,
        Meta(ge=0, le=100, description="No gap is a silence that is shorter than so many of the article's mean gaps."),
    ] = 2.0
    left_at_share: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="Cooling, silent and growing, once said, are taken back below this share of their thresholds.",
        ),
    ] = 0.8
    dormant_after_days: Annotated[
        Days, Meta(description="How long an article is silent before it is no news any more, but dormant.")
    ] = 180
    unjudged_dormant_after_days: Annotated[
        Days, Meta(description="The same for one with too few link days to judge, since its last link.")
    ] = 365
    growing_ratio: Annotated[
        float,
        Meta(gt=1, le=1_000, description="How many times its usual rate an article gains links, to call it growing."),
    ] = 1.5
    growing_count_min: Annotated[
        float, Meta(ge=1, le=10_000, description="Recent link days that it takes to call an article growing.")
    ] = 3
    bursting_links_min: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Links in a week that it takes to call an article bursting.")
    ] = 5
    bursting_history_days: Annotated[
        Days, Meta(description="How long a history it takes, before that week, to know what is usual.")
    ] = 56
    bursting_probability: Annotated[
        Probability, Meta(description="How improbable so many links must be at the usual rate, to call it bursting.")
    ] = 0.001
    bursting_left_at: Annotated[
        Probability, Meta(description="How probable they must have become again, for the burst to be over.")
    ] = 0.05
    lively_days_min: Annotated[Days, Meta(description="Bursting and growing last at least so long.")] = 14
    revived_for_days: Annotated[
        Days, Meta(description="How long links after a silence are news, and how fresh they must be.")
    ] = 28
    mass_loss_links_min: Annotated[
        int, Meta(ge=3, le=1_000_000, description="Links lost within two weeks that it takes to call it a mass loss.")
    ] = 5
    mass_loss_share: Annotated[
        Probability, Meta(description="Which share of the links that were there they must be, too.")
    ] = 0.2
    mass_loss_left_at: Annotated[
        float, Meta(gt=0, le=1, description="Below this share of both a mass loss that was said is over.")
    ] = 0.5
    worthy_quality: Annotated[
        float, Meta(ge=0, le=1, description="Links below this quality are thin: counted, but they do not matter.")
    ] = 0.25
    quality_gone_probability: Annotated[
        Probability,
        Meta(description="How probable it must be that no link that matters comes, to say that their time is over."),
    ] = 0.8
    thin_run_probability: Annotated[
        Probability, Meta(description="The same where so many thin links in a row can hardly be chance.")
    ] = 0.5
    thin_links_min: Annotated[
        int, Meta(ge=1, le=10_000, description="Thin links in 90 days that it takes to say that only such come.")
    ] = 3
    shortfall_chance: Annotated[
        Probability,
        Meta(description="How improbable so few links in 28 or 90 days must be, to call an article cooling."),
    ] = 0.01
    shortfall_relief_chance: Annotated[
        Probability, Meta(description="How probable they must be again, to take it back.")
    ] = 0.05
    group_articles_min: Annotated[
        int, Meta(ge=1, le=10_000, description="Articles that it takes to judge a series, author, strategy or site.")
    ] = 3
    group_links_min: Annotated[
        float, Meta(gt=0, le=10_000, description="Links that must be expected of a group under watch, to judge it.")
    ] = 10
    group_chance: Annotated[
        Probability, Meta(description="How improbable so few links of a group must be, to say so, which alerts.")
    ] = 0.002
    group_relief_chance: Annotated[
        Probability, Meta(description="How probable they must be again, to take it back.")
    ] = 0.02
    group_ratio: Annotated[
        Probability, Meta(description="And the share of what is expected that the links of a group must not exceed.")
    ] = 0.75
    group_relief_ratio: Annotated[Probability, Meta(description="The share from which on it is taken back.")] = 0.85
    group_blind_share: Annotated[
        Probability, Meta(description="A group of which more than this share can't be seen gets no worse.")
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
        if not self.cooling_probability < self.silent_probability:
            raise ValueError(
                f"cooling_probability ({self.cooling_probability}) must be below "
                f"silent_probability ({self.silent_probability})"
            )

    def left_at(self, threshold: float) -> float:
        """Return where what is said at this threshold is taken back."""
        return threshold * self.left_at_share
