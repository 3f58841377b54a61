"""Queries reach Prometheus as Grafana sends them."""

import pytest

from tests.grafana.interpolation import ALL, Span, chosen_text, interpolated

SINGLE = {"multi": False, "includeAll": False}
MULTI = {"multi": True, "includeAll": True}


@pytest.mark.parametrize(
    ("variable", "chosen", "text"),
    [
        pytest.param(SINGLE, "a.example/x", "a.example/x", id="one value stands as it is, for ="),
        pytest.param(SINGLE, "a\\b", "a\\\\b", id="but for what a string needs"),
        pytest.param(MULTI, "a.example/x", r"a\\.example/x", id="where several can be chosen, one is a regex, for =~"),
        pytest.param(MULTI, ["Q&A (old)", "b"], r"(Q&A \\(old\\)|b)", id="several are an alternative"),
        pytest.param(MULTI, ALL, "(x|y)", id="all are the options"),
        pytest.param({**MULTI, "allValue": ".+"}, ALL, ".+", id="or what the dashboard says"),
    ],
)
def test_what_is_chosen(variable: dict[str, object], chosen: str | list[str], text: str) -> None:
    """Escaped so that it means itself."""
    assert chosen_text(variable, chosen, ["x", "y"]) == text


def test_variables_are_named_in_three_ways() -> None:
    """Whatever follows them is no part of their name."""
    texts = {"job": "w", "__range": "60s"}
    assert interpolated('a{job=~"$job"}[$__range] b${job}c [[job]] ${job:regex}', texts) == 'a{job=~"w"}[60s] bwc w w'
    with pytest.raises(KeyError, match="node"):
        interpolated("$node", texts)


@pytest.mark.parametrize(
    ("length_s", "scrape_s", "step", "rate_interval"),
    [
        pytest.param(60, 1, "1s", "4s", id="a rate needs four scrapes"),
        pytest.param(3600, 15, "15s", "60s", id="and nothing is drawn finer than it was scraped"),
        pytest.param(86_400, 15, "86s", "101s", id="from afar each point covers what lies before it"),
    ],
)
def test_lengths_follow_the_time_range(length_s: int, scrape_s: int, step: str, rate_interval: str) -> None:
    """The longer the range, the coarser."""
    built_in = Span(1_000, 1_000 + length_s, scrape_s).built_in
    assert (built_in["__interval"], built_in["__rate_interval"]) == (step, rate_interval)
    assert built_in["__range"] == f"{length_s}s"
