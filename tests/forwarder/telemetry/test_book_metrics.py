"""The books as metrics: their sums over all periods are the counters."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from forwarder.telemetry.book_metrics import BookMetrics, Books

_reasons = st.dictionaries(st.sampled_from(["oversize", "not_returned", "no_target"]), st.integers(0, 50))
_books = st.builds(
    Books, offered=st.integers(0, 100), sent=st.integers(0, 100), returned=st.integers(0, 100),
    originated=st.integers(0, 100), delivered=st.integers(0, 100), dropped=_reasons, refused=_reasons,
)


@given(periods=st.lists(_books, min_size=1, max_size=6))
def test_sums_over_periods_are_the_counters(periods: list[Books]) -> None:
    made = BookMetrics(account_id="123456789012", region="us-east-1")
    sums: Counter[tuple[str, str]] = Counter()
    for books in periods:
        for metric in made.close(books, 0):
            sums[metric.metric_name, metric.dimensions.get("Reason", "")] += int(metric.value.sum)
    last = dict(periods[-1].entries())
    assert {place: value for place, value in sums.items() if value} == {
        place: value for place, value in last.items() if value
    }


def test_totals_are_always_published_and_reasons_when_they_moved() -> None:
    made = BookMetrics(account_id="123456789012", region="us-east-1")
    made.close(Books(offered=1, dropped={"oversize": 1}), 0)
    names = [metric.metric_name for metric in made.close(Books(offered=1, dropped={"oversize": 1}), 1)]
    assert names == ["PacketsOffered", "PacketsSent", "PacketsReturned", "PacketsOriginated", "PacketsDelivered",
                     "PacketsWithoutEntry", "PacketsUnrecorded"]


def test_a_packet_that_came_back_late_takes_itself_off_again() -> None:
    made = BookMetrics(account_id="123456789012", region="us-east-1")
    made.close(Books(dropped={"not_returned": 1}), 0)
    (metric,) = [metric for metric in made.close(Books(), 1) if metric.dimensions]
    assert (metric.dimensions, metric.value.sum) == ({"Reason": "not_returned"}, -1)
