"""The thresholds of the judgement. `streams.policy` reads the file in which a team writes its own."""

from typing import Annotated

from msgspec import Meta, Struct

Probability = Annotated[float, Meta(gt=0, lt=1)]
Days = Annotated[int, Meta(ge=1, le=36_500)]


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """When to say what. Probabilities are of no link within the model's horizon; lengths are in days.

    What is said at one threshold is taken back at another, ``…_left_at``, so that it does not flap.
    """

    link_days_min: Annotated[
        int, Meta(ge=2, le=1_000, description="Days with a new link that it takes to judge an article at all.")
    ] = 5
    cooling_probability: Annotated[
        Probability, Meta(description="How probable it must be that no link comes, to call an article cooling.")
    ] = 0.4
    cooling_left_at: Annotated[
        Probability,
        Meta(description="Below this a doubt that was said is taken back, when more is known of the links."),
    ] = 0.3
    silent_probability: Annotated[Probability, Meta(description="The same to call it silent, which alerts.")] = 0.7
    silent_left_at: Annotated[
        Probability,
        Meta(description="Below this a silence that was said is taken back, when more is known of the links."),
    ] = 0.6
    silent_gaps: Annotated[
        float,
        Meta(ge=0, le=100, description="No gap is a silence that is shorter than so many of the article's mean gaps."),
    ] = 2.0
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
    growing_left_at: Annotated[
        float, Meta(gt=0, le=1_000, description="Below so many times its usual rate it is growing no more.")
    ] = 1.2
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

    def __post_init__(self) -> None:
        """Raise ValueError for thresholds in the wrong order."""
        for entered, left in (
            ("cooling_probability", "cooling_left_at"),
            ("silent_probability", "silent_left_at"),
            ("growing_ratio", "growing_left_at"),
            ("bursting_left_at", "bursting_probability"),
        ):
            if getattr(self, left) > getattr(self, entered):
                raise ValueError(f"{left} must not be above {entered}")
        if not self.cooling_probability < self.silent_probability:
            raise ValueError(
                f"cooling_probability ({self.cooling_probability}) must be below "
                f"silent_probability ({self.silent_probability})"
            )
