from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import amounts


@pytest.mark.parametrize(("value", "text"), [
    (None, "–"), (math.nan, "–"), (0, "0"), (999, "999"), (1234, "1,234"), (99_999, "99,999"), (100_000, "100K"),
    (1_234_567, "1.23M"), (2.5, "2.5"), (0.0123, "0.0123"), (16.333, "16.3"), (7.5e12, "7.5T"),
])
def test_counts(value: float | None, text: str) -> None:
    assert amounts.count(value) == text


@pytest.mark.parametrize(("value", "text"), [
    (0, "0 B"), (512, "512 B"), (999, "999 B"), (1000, "1 KB"), (1460, "1.46 KB"), (38_200_000, "38.2 MB"),
    (5e9, "5 GB"), (None, "–"), (12.34, "12.3 B"),
])
def test_data_counts_in_thousands_as_cloudwatch_does(value: float | None, text: str) -> None:
    assert amounts.data(value) == text


@pytest.mark.parametrize(("value", "unit", "text"), [
    (1460, "Bytes", "1.46 KB"), (1460, "Bytes/Second", "1.46 KB/s"), (12.5, "Count/Second", "12.5/s"),
    (3, "Count", "3"), (99.5, "Percent", "99.5 %"), (3, "None", "3"), (None, "Percent", "–"),
])
def test_values_of_units(value: float | None, unit: str, text: str) -> None:
    assert amounts.of_unit(value, unit) == text


@pytest.mark.parametrize(("seconds", "text"), [
    (0.0214, "21 ms"), (1, "1 s"), (1.25, "1.2 s"), (42, "42 s"), (60, "1 min"), (310, "5 min 10 s"),
    (12_000, "3 h 20 min"), (187_200, "2 d 4 h"), (86_400, "1 d"), (None, "–"),
])
def test_durations(seconds: float | None, text: str) -> None:
    assert amounts.duration(seconds) == text


@given(st.floats(1e-6, 1e15))
def test_what_is_there_never_reads_as_nothing(value: float) -> None:
    for writer in (amounts.count, amounts.data, amounts.rate, amounts.data_rate):
        assert any(digit in writer(value) for digit in "123456789")


@given(st.floats(1.0, 1e14))
def test_a_count_is_within_a_hundredth_of_the_value(value: float) -> None:
    text = amounts.count(value).replace(",", "")
    scale = {"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(text[-1], 1.0)
    assert float(text.rstrip("KMGT")) * scale == pytest.approx(value, rel=0.01)


def test_plurals() -> None:
    assert [amounts.plural(number, "flow") for number in (0, 1, 2_000)] == ["0 flows", "1 flow", "2,000 flows"]
    assert amounts.plural(2, "entry", "entries") == "2 entries"
