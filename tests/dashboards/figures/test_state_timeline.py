from __future__ import annotations

from datetime import UTC

from dashboards.figures.state_timeline import height_of, state_timeline
from dashboards.theme import LIGHT
from dashboards.time_range import Window
from queries.targets import Segment

START_S = 1_795_428_000
WINDOW = Window(start_s=START_S, end_s=START_S + 600, live=True)


def segment(target: str, state: str, start_s: int, end_s: int, reason: str = "") -> Segment:
    return Segment(load_balancer="gwy/a/1", target_group="targetgroup/b/2", target_id=target, availability_zone="use1a",
                   state=state, reason=reason, description="", start_s=START_S + start_s, end_s=START_S + end_s)


SEGMENTS = [
    segment("i-1", "healthy", 0, 600), segment("i-2", "healthy", 0, 300),
    segment("i-2", "unhealthy", 300, 450, "Target.FailedHealthChecks"), segment("i-2", "healthy", 450, 600),
]


def test_a_bar_lies_where_and_as_long_as_the_state_lasted() -> None:
    made = state_timeline(SEGMENTS, window=WINDOW, zone=UTC, palette=LIGHT)
    sick = next(trace for trace in made.data if trace.name == "unhealthy")
    assert (str(sick.base[0]), sick.x[0], sick.y[0]) == ("2026-11-23 10:05:00", 150_000, "i-2")
    assert sick.marker.color == LIGHT.red
    assert "Target.FailedHealthChecks" in sick.hovertext[0]
    assert "2 min 30 s" in sick.hovertext[0]


def test_names_and_reasons_are_shown_as_they_are_and_not_as_markup() -> None:
    made = state_timeline([segment("i-1", "healthy", 0, 600, "<i>why")], window=WINDOW, zone=UTC, palette=LIGHT,
                          names={"i-1": "<a href='https://evil.example'>"})
    assert made.layout.yaxis.ticktext[0].strip() == "&lt;a href='https://evil.example'&gt;"
    assert "&lt;i&gt;why" in made.data[0].hovertext[0]


def test_a_state_is_one_entry_of_the_legend() -> None:
    made = state_timeline(SEGMENTS, window=WINDOW, zone=UTC, palette=LIGHT)
    assert [trace.name for trace in made.data] == ["healthy", "unhealthy"]
    assert [len(trace.y) for trace in made.data] == [3, 1]


def test_the_first_target_is_on_top_and_each_has_its_height() -> None:
    made = state_timeline(SEGMENTS, window=WINDOW, zone=UTC, palette=LIGHT)
    assert list(made.layout.yaxis.categoryarray) == ["i-2", "i-1"]
    many = [segment(f"i-{number}", "healthy", 0, 1) for number in range(20)]
    assert height_of(many) > height_of(SEGMENTS) > 0


def test_without_targets_there_is_no_data() -> None:
    assert state_timeline([], window=WINDOW, zone=UTC, palette=LIGHT).layout.meta["picture"] == "no data"
