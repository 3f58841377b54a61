"""The rate limit."""

from hypothesis import given
from hypothesis import strategies as st

from flatline_connectors.ingest.limits import TokenBucket

requests = st.lists(st.tuples(st.integers(1, 500), st.floats(0, 5, allow_nan=False)), max_size=60)


@given(rate_per_s=st.floats(0.5, 200), requests=requests)
def test_never_more_than_the_rate_allows(rate_per_s: float, requests: list[tuple[int, float]]) -> None:
    """What is granted up to any moment is the rate times the time, two seconds' worth, and at most one batch more."""
    bucket, now_s, granted = TokenBucket(rate_per_s=rate_per_s), 1000.0, 0
    for count, pause_s in requests:
        now_s += pause_s
        allowed = rate_per_s * (now_s - 1000 + 2)
        if not bucket.take(count, now_s=now_s):
            assert granted < allowed + 1e-6
            granted += count


@given(rate_per_s=st.floats(0.5, 200), requests=requests)
def test_who_waits_as_told_is_let_in(rate_per_s: float, requests: list[tuple[int, float]]) -> None:
    """However large a batch was, after the time that the refusal names the next one is granted."""
    bucket, now_s = TokenBucket(rate_per_s=rate_per_s), 0.0
    for count, _ in requests:
        wait_s = bucket.take(count, now_s=now_s)
        if wait_s:
            now_s += wait_s
            assert bucket.take(count, now_s=now_s) == 0
