from collections.abc import Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily

Row = tuple[Sequence[str], float]


def gauge(name: str, text: str, labels: Sequence[str], rows: Iterable[Row]) -> GaugeMetricFamily:
    """Return a family with a sample for each row of label values and a number."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def single(name: str, text: str, number: float) -> GaugeMetricFamily:
    """Return a family of one sample without labels."""
    return gauge(name, text, [], [([], number)])
