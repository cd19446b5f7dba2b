from __future__ import annotations

from pathlib import Path

from dashboards.console import Console
from dashboards.pages import targets
from tests.dashboards.small_lake import BYTES_A_FLOW, END_S, PERIOD_S, TARGETS, console_of, fill, look_at

PAST = "/targets?range=2026-11-23T01:00:00Z/2026-11-23T01:05:00Z"


def test_every_target_with_state_reason_and_since(console: Console) -> None:
    summary, note, rows, *_ = targets.refresh(look_at(console, "/targets"), console)
    assert note is None
    assert [badge.children[1] for badge in summary] == ["3 healthy"]
    sick = rows[2]
    assert (sick["target"], sick["state"], sick["state_tone"], sick["since_text"], sick["changes"]) == (
        TARGETS[2], "healthy", "green", "2026-11-23 01:06:40", 3)
    assert sick["age_text"] == "3 min 20 s"


def test_a_range_in_the_past_shows_what_was_true_then(console: Console) -> None:
    summary, _, rows, *_ = targets.refresh(look_at(console, PAST), console)
    assert [badge.children[1] for badge in summary] == ["2 healthy", "1 unhealthy"]
    assert (rows[2]["reason"], rows[2]["description"]) == ("Target.FailedHealthChecks", "Health checks failed")


def test_the_timeline_has_the_sick_time(console: Console) -> None:
    figure = targets.refresh(look_at(console, "/targets"), console)[4]
    sick = next(trace for trace in figure.data if trace.name == "unhealthy")
    assert (str(sick.base[0]), sick.x[0]) == ("2026-11-23 01:03:20", 200_000)


def test_bytes_and_packets_of_each_target(console: Console) -> None:
    bytes_figure, packets_figure = targets.refresh(look_at(console, "/targets?range=15m"), console)[5:7]
    given = next(trace for trace in bytes_figure.data if trace.name == "given")
    windows = 600 // PERIOD_S
    assert dict(zip(given.y, given.x, strict=True))[TARGETS[1]] == windows * BYTES_A_FLOW
    assert packets_figure.layout.meta["picture"] == "data"


def test_the_open_state_ends_now_and_not_in_the_future(console: Console) -> None:
    figure = targets.refresh(look_at(console, "/targets?range=5m"), console)[4]
    healthy = next(trace for trace in figure.data if trace.name == "healthy")
    assert max(base.timestamp() + length / 1000 for base, length in zip(healthy.base, healthy.x, strict=True)) <= (
        figure.layout.xaxis.range[1].timestamp())


def test_a_broken_lake_is_a_failure_and_not_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "manifest.sqlite").write_bytes(b"this is not a database, whatever its name says" * 100)
    console = console_of(tmp_path, lambda: float(END_S))
    summary, note, rows, _, *figures, about = targets.refresh(look_at(console, "/targets"), console)
    assert (summary, rows, note.className) == ([], [], "note red")
    assert {figure.layout.meta["picture"] for figure in figures} == {"query failed"}
    assert about == "as of 2026-11-23 01:10:00"
    console.close()


def test_targets_have_the_names_of_the_inventory(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "inventory.toml").write_text(f'[[instances]]\nid = "{TARGETS[0]}"\nname = "zz-appliance"\n')
    console = console_of(tmp_path)
    _, _, rows, _, timeline, bytes_figure, *_ = targets.refresh(look_at(console, "/targets?range=15m"), console)
    assert [row["name"] for row in rows] == ["zz-appliance", "", ""]
    assert [text.strip() for text in timeline.layout.yaxis.ticktext] == ["zz-appliance", TARGETS[2], TARGETS[1]]  # from the bottom up
    assert list(bytes_figure.data[0].y) == ["zz-appliance", TARGETS[2], TARGETS[1]]
    console.close()
