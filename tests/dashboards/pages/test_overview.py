from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dashboards.answers import Failed
from dashboards.console import Console
from dashboards.pages import overview
from queries.metric_statistics import Point
from queries.overview import CHARTS, Chart, Line
from tests.dashboards.small_lake import END_S, START_S, console_of, look_at
from tests.queries.lake_builder import BALANCER, metric, publish

FIRST_FIGURE = 3


def tiles_of(console: Console, href: str = "/?range=15m") -> dict[str, str]:
    """Tiles by title: number and unit."""
    made = overview.refresh(look_at(console, href), console)[2]
    texts = [getattr(tile, "aria-label").split(": ") for tile in made]
    return dict(texts)


def figures_of(console: Console, href: str = "/?range=15m") -> dict[str, object]:
    made = overview.refresh(look_at(console, href), console)
    return {chart.metric_name: made[FIRST_FIGURE + place] for place, chart in enumerate(CHARTS)}


def test_the_numbers_are_the_lakes(console: Console) -> None:
    assert tiles_of(console) == {
        "Healthy targets": "3", "Unhealthy targets": "0", "Active flows": "42", "New flows": "3 /s",
        "Processed": "2.5 KB/s", "Rejected": "5 packets",
    }


def test_a_range_in_the_past_shows_its_own_end(console: Console) -> None:
    tiles = tiles_of(console, "/?range=2026-11-23T01:00:00Z/2026-11-23T01:05:00Z")
    assert (tiles["Healthy targets"], tiles["Unhealthy targets"]) == ("2", "1")


def test_every_chart_has_its_points(console: Console) -> None:
    figures = figures_of(console)
    assert sum(figures["NewFlowCount"].data[0].y) == 60 * 30  # type: ignore[attr-defined]
    assert max(figures["UnHealthyHostCount"].data[0].y) == 1  # type: ignore[attr-defined]
    assert figures["RejectedFlowCount_TCP"].layout.meta["picture"] == "no data"  # type: ignore[attr-defined]


def test_an_open_period_is_left_out_so_that_its_sum_is_no_dip(small_lake: Path) -> None:
    # Over an hour a point stands for 30 s; the lake ends 10 s into such a period.
    console = console_of(small_lake, lambda: float(END_S))
    look = look_at(console, "/?range=1h")
    assert overview.complete_until(look, console) == END_S
    sums = figures_of(console, "/?range=1h")["NewFlowCount"].data[0].y  # type: ignore[attr-defined]
    assert set(sums) == {90.0}
    console.close()


def test_a_line_for_each_zone(console: Console) -> None:
    figure = figures_of(console, "/?range=15m&by=zone")["ActiveFlowCount"]
    assert [line.name for line in figure.data] == ["us-east-1a"]  # type: ignore[attr-defined]


def test_the_balancer_is_named_in_grey_until_one_is_chosen(console: Console) -> None:
    choices, placeholder = overview.refresh(look_at(console, "/"), console)[:2]
    assert choices == [{"value": BALANCER, "label": "inspection"}]
    assert placeholder == "inspection"
    choices, placeholder = overview.refresh(look_at(console, "/?lb=gwy%2Fother%2F00"), console)[:2]
    assert [each["label"] for each in choices] == ["inspection", "other"]


def test_late_numbers_say_when_they_were_true_and_zero_is_never_guessed(small_lake: Path) -> None:
    console = console_of(small_lake, lambda: float(END_S + 300))
    made = overview.refresh(look_at(console, "/?range=15m"), console)
    details = [tile.children[3].children for tile in made[2][:5]]
    assert details == ["last known at 01:09:50"] * 5
    pictures = {figure.layout.meta["picture"] for figure in made[FIRST_FIGURE:FIRST_FIGURE + 6]}
    assert pictures == {"late data"}
    console.close()


def test_a_range_that_goes_on_after_the_data_guesses_no_zero(console: Console) -> None:
    tiles = tiles_of(console, "/?range=2026-11-23T01:00:00Z/2026-11-23T02:00:00Z")
    assert tiles["Active flows"] == "42"
    tiles = tiles_of(console, "/?range=2026-11-23T01:30:00Z/2026-11-23T02:00:00Z")
    assert set(tiles.values()) == {"–"}


def test_a_metric_that_is_silent_while_others_report_is_zero(tmp_path: Path) -> None:
    publish(tmp_path, "metrics", [
        metric(START_S, "ActiveFlowCount", 5), *(metric(START_S + late_s, "PeakBytesPerSecond", 0, unit="Bytes/Second")
                                                 for late_s in range(0, 600, 10))])
    console = console_of(tmp_path)
    assert tiles_of(console)["Active flows"] == "0"
    assert tiles_of(console)["Healthy targets"] == "–"
    console.close()


def test_a_lake_without_metrics_is_no_data(empty_console: Console) -> None:
    assert set(tiles_of(empty_console).values()) == {"–"}
    assert {figure.layout.meta["picture"] for figure in figures_of(empty_console).values()} == {  # type: ignore[attr-defined]
        "no data"}


def test_a_broken_lake_is_a_failure_in_every_chart(tmp_path: Path) -> None:
    (tmp_path / "manifest.sqlite").write_bytes(b"this is not a database, whatever its name says" * 100)
    console = console_of(tmp_path)
    assert {figure.layout.meta["picture"] for figure in figures_of(console).values()} == {  # type: ignore[attr-defined]
        "query failed"}
    note, = overview.refresh(look_at(console, "/"), console)[2]
    assert note.className == "note red"
    console.close()


def test_about_says_statistic_period_and_unit(console: Console) -> None:
    assert overview.refresh(look_at(console, "/?range=15m"), console)[-6] == "Sum · 10 s · Bytes"
    assert overview.about(Failed("why"), 5) == "Sum · Bytes"


def test_only_one_of_the_last_whole_periods_is_latest() -> None:
    points = [Point(timestamp_s=START_S, value=1.0), Point(timestamp_s=START_S + 10, value=2.0)]
    assert overview.latest(points, 10, START_S + 20) == points[1]
    assert overview.latest(points, 10, START_S + 39) == points[1]
    assert overview.latest(points, 10, START_S + 40) is None
    assert overview.latest([], 10, START_S) is None


def test_an_empty_chart_beside_full_ones_says_why(tmp_path: Path) -> None:
    publish(tmp_path, "metrics", [metric(START_S + late_s, "PeakBytesPerSecond", 0, unit="Bytes/Second")
                                  for late_s in range(0, 600, 10)])
    console = console_of(tmp_path)
    figures = figures_of(console)
    assert "only when it is not zero" in figures["RejectedFlowCount_TCP"].layout.annotations[0].text
    assert "only when" not in figures["HealthyHostCount"].layout.annotations[0].text
    console.close()


def test_what_has_no_zones_says_so(console: Console) -> None:
    charts = [replace(chart, lines=[] if chart.definition.metric_name == "ConsumedLCUs" else [
        Line(label="us-east-1a", points=[Point(timestamp_s=START_S, value=1.0)])])
        for chart in (Chart(definition=each, period_s=10, lines=[]) for each in CHARTS)]
    place = [each.metric_name for each in CHARTS].index("ConsumedLCUs")
    assert overview.why_empty(charts, place, look_at(console, "/?by=zone")) == "It is published for the whole balancer only."
    assert overview.why_empty(charts, place, look_at(console, "/")) == ""
