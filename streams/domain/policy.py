"""The thresholds of the judgement. `streams.policy_file` reads the file in which a team writes its own."""

from typing import Annotated

from msgspec import Meta, Struct

Probability = Annotated[float, Meta(gt=0, lt=1)]
Days = Annotated[int, Meta(ge=1, le=36_500)]


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """When to say what. Probabilities are of no link within the model's horizon; lengths are in days."""

    link_days_min: Annotated[
        int, Meta(ge=2, le=1_000, description="Days with a new link that it takes to judge an article at all.")
    ] = 5
    cooling_probability: Annotated[
        Probability, Meta(description="How probable it must be that no link comes, to call an article cooling.")
    ] = 0.4
    silent_probability: Annotated[Probability, Meta(description="The same to call it silent, which alerts.")] = 0.7
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
    revived_for_days: Annotated[
        Days, Meta(description="How long links after a silence are news, and how fresh they must be.")
    ] = 28
    worthy_quality: Annotated[
        float, Meta(ge=0, le=1, description="Links below this quality are thin: counted, but they do not matter.")
    ] = 0.25
    thin_links_min: Annotated[
        int, Meta(ge=1, le=10_000, description="Thin links in 90 days that it takes to say that only such come.")
    ] = 3

    def __post_init__(self) -> None:
        """Raise ValueError for thresholds in the wrong order."""
        if not self.cooling_probability < self.silent_probability:
            raise ValueError(
                f"cooling_probability ({self.cooling_probability}) must be below "
                f"silent_probability ({self.silent_probability})"
            )
