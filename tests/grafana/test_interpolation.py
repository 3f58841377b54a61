"""Queries reach Prometheus as Grafana sends them."""

import pytest
from promql_parser import MatchOp

from tests.grafana import promql
from tests.grafana.dashboards import all_dashboards, annotation_query, annotations, targets, variables
from tests.grafana.interpolation import ALL, Span, chosen_texts, interpolated

SINGLE = {"name": "it", "multi": False, "includeAll": False}
MULTI = {"name": "it", "multi": True, "includeAll": True}


@pytest.mark.parametrize(
    ("variable", "chosen", "text"),
    [
        pytest.param(SINGLE, "a.example/x", "a.example/x", id="one value stands as it is, for ="),
        pytest.param(SINGLE, "a\\b", "a\\\\b", id="but for what a string needs"),
        pytest.param(SINGLE, "a'b", r"a\\'b", id="and an apostrophe, which needs nothing"),
        pytest.param(MULTI, "a.example/x", r"a\\.example/x", id="where several can be chosen, one is a regex, for =~"),
        pytest.param(MULTI, ["Q&A (old)", "b"], r"(Q&A \\(old\\)|b)", id="several are an alternative"),
        pytest.param(MULTI, ALL, "(x|y)", id="all are the options"),
        pytest.param({**MULTI, "allValue": ".+"}, ALL, ".+", id="or what the dashboard says"),
    ],
)
def test_what_is_chosen(variable: dict[str, object], chosen: str | list[str], text: str) -> None:
    """Escaped so that it means itself, mostly."""
    assert chosen_texts(variable, chosen, ["x", "y"])["it"] == text


@pytest.mark.parametrize(
    ("variable", "text"),
    [pytest.param(SINGLE, r"""a'b\"c\\d""", id="for ="), pytest.param(MULTI, r"""a\\'b\\\"c\\\\d""", id="for =~")],
)
def test_what_is_chosen_with_special_characters(variable: dict[str, object], text: str) -> None:
    """With Grafana's toggle for them it always means itself."""
    assert chosen_texts(variable, "a'b\"c\\d", [], special_chars=True)["it"] == text


@pytest.mark.parametrize("special_chars", [False, True])
@pytest.mark.parametrize("address", ["a.example/what's-on", 'a.example/"on"', "a.example/on?a\\b"])
def test_an_article_is_found_by_its_address(address: str, *, special_chars: bool) -> None:
    """Whatever characters it has, and whichever way Grafana escapes them."""
    dashboard = all_dashboards()["flatline-article"]
    [variable] = [each for each in variables(dashboard) if each["name"] == "article"]
    texts = Span(0, 60, 1).built_in | {"job": ".+", "instance": ".+"}
    texts |= chosen_texts(variable, address, [], special_chars=special_chars)
    asked = [target["expr"] for _, target in targets(dashboard)]
    asked += [annotation_query(each) for each in annotations(dashboard) if each["name"] == "Alerts"]
    for query in asked:
        for selector in promql.selectors(interpolated(query, texts)):
            assert promql.has_matcher(selector, "article", address, MatchOp.Equal), query


def test_variables_are_named_in_three_ways() -> None:
    """Whatever follows them is no part of their name."""
    texts = {"job": "w", "job:raw": "w", "__range": "60s"}
    assert interpolated('a{job=~"$job"}[$__range] b${job}c [[job]] ${job:raw}', texts) == 'a{job=~"w"}[60s] bwc w w'
    for unknown in ("$node", "${job:lucene}"):
        with pytest.raises(KeyError):
            interpolated(unknown, texts)


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
