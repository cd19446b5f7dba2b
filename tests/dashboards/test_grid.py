from __future__ import annotations

from dashboards.grid import FRAME_PIXELS, HEADER_PIXELS, ROW_PIXELS, Column, definition, grid, style_for


def test_numbers_are_right_and_figures_aligned() -> None:
    made = definition(Column(field="bytes", title="Bytes", kind="number"))
    assert (made["type"], made["cellClass"]) == ("rightAligned", "figures")
    assert "_text" in made["valueFormatter"]["function"]


def test_a_state_is_coloured_by_its_tone() -> None:
    made = definition(Column(field="state", title="State", kind="state"))
    assert made["cellClassRules"]["state-red"] == "params.data.state_tone === 'red'"


def test_a_growing_column_keeps_its_width_as_least() -> None:
    assert definition(Column(field="a", title="A", width=150, grow=2))["minWidth"] == 150


def test_a_table_is_as_high_as_its_rows_up_to_a_limit() -> None:
    heights = [int(style_for(rows, 10)["height"][:-2]) for rows in (0, 5, 10, 500)]
    assert heights[0] == HEADER_PIXELS + 3 * ROW_PIXELS + FRAME_PIXELS
    assert heights[1] == HEADER_PIXELS + 5 * ROW_PIXELS + FRAME_PIXELS
    assert heights[2] == heights[3]


def test_no_rows_are_told_only_once_there_is_an_answer() -> None:
    assert not hasattr(grid("g", [Column(field="a", title="A")]), "rowData")  # ag-grid says "Loading"
    assert grid("g", [], waiting=False).rowData == []


def test_no_text_becomes_code() -> None:
    made = grid("g", [Column(field="a", title="A")], nothing="<b>nothing</b>", row_id="a")
    assert made.dangerously_allow_code is False
    assert made.dashGridOptions["localeText"]["noRowsToShow"] == "<b>nothing</b>"
    assert made.getRowId == "params.data.a"
