from collections.abc import Iterable
from typing import Self

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


class Samples:
    """The samples of a /metrics endpoint."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = list(samples)

    @classmethod
    def of(cls, text: str) -> Self:
        """Read the text. Raises ValueError."""
        return cls(sample for family in text_string_to_metric_families(text) for sample in family.samples)

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the samples of a name that have these labels; a sample without one of them counts, too."""
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and all(sample.labels.get(key, value) == value for key, value in labels.items())
        )
