"""Tables: ag-grid with our theme, and rows that carry both a value (to sort by) and its text (to read).

A row's field `bytes` may have `bytes_text`, which is what the cell shows, and `bytes_tone`, a state's colour name.
Text is made in Python, by `amounts` and `instants`, so that a number reads the same in a table as in a tile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dash_ag_grid as dag
from dash.development.base_component import Component

ROW_PIXELS, HEADER_PIXELS = 30, 32
#: Room for the horizontal scroll bar and the borders.
FRAME_PIXELS = 18
#: A table is never lower than this many rows, so that "no rows" has a place.
ROWS_MIN = 3

_TONES = ("red", "green", "amber", "grey", "accent")

_THEME = {"function": (
    "themeQuartz.withParams({"
    "backgroundColor: 'var(--gw-panel)', foregroundColor: 'var(--gw-ink)', borderColor: 'var(--gw-line)', "
    "headerBackgroundColor: 'var(--gw-raised)', headerTextColor: 'var(--gw-muted)', accentColor: 'var(--gw-accent)', "
    "rowHoverColor: 'var(--gw-raised)', selectedRowBackgroundColor: 'var(--gw-accent-soft)', "
    "menuBackgroundColor: 'var(--gw-panel)', chromeBackgroundColor: 'var(--gw-raised)', "
    "fontFamily: 'inherit', fontSize: 13, headerFontSize: 12, headerFontWeight: 600, spacing: 6, "
    "wrapperBorder: false, wrapperBorderRadius: 0, rowBorder: {color: 'var(--gw-grid)'}})"
)}
_TEXT = {"function": "params.data && params.data[params.colDef.field + '_text'] != null "
                     "? params.data[params.colDef.field + '_text'] : params.value"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: field, heading, what is in it (`text`, `number`, `code`, `state`), width in pixels and its hint."""

    field: str
    title: str
    kind: str = "text"
    width: int = 120
    grow: int = 0
    hint: str = ""
    tooltip: str = ""


def style_for(rows: int, rows_max: int) -> dict[str, str]:
    """The size of a table that shows its rows, and scrolls past `rows_max` of them."""
    shown = max(ROWS_MIN, min(rows, rows_max))
    return {"width": "100%", "height": f"{HEADER_PIXELS + shown * ROW_PIXELS + FRAME_PIXELS}px"}


def grid(identity: Any, columns: Sequence[Column], *, row_id: str = "", selectable: bool = False,
         nothing: str = "No rows", waiting: bool = True) -> Component:
    """A table.  `row_id` is the field that keeps a row's identity over refreshes; `nothing` is said without rows, but not
    before the first answer, which the table waits for unless it is not `waiting`.

    A callback that writes `rowData` writes `style` too (`style_for`), since the height follows the rows.
    """
    options: dict[str, Any] = {
        "theme": _THEME, "rowHeight": ROW_PIXELS, "headerHeight": HEADER_PIXELS, "animateRows": False,
        "enableCellTextSelection": not selectable, "ensureDomOrder": True, "suppressCellFocus": False,
        "tooltipShowDelay": 300, "localeText": {"noRowsToShow": nothing, "loadingOoo": "Loading"},
        "suppressColumnVirtualisation": True, "suppressDragLeaveHidesColumns": True,
    }
    if selectable:
        options["rowSelection"] = {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True}
    more: dict[str, Any] = {"getRowId": f"params.data.{row_id}"} if row_id else {}
    if not waiting:
        more["rowData"] = []
    return dag.AgGrid(
        id=identity, columnDefs=[definition(column) for column in columns], dashGridOptions=options,
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True, "minWidth": 60},
        className="grid", style=style_for(0, 0),
        dangerously_allow_code=False, **more,
    )


def definition(column: Column) -> dict[str, Any]:
    """The column as ag-grid wants it."""
    made: dict[str, Any] = {
        "field": column.field, "headerName": column.title, "width": column.width, "valueFormatter": _TEXT,
        "headerTooltip": column.hint or None,
        # What a narrow column cuts off can be read by pointing at it.
        "tooltipField": column.tooltip or (None if column.kind == "number" else column.field),
    }
    if column.grow:
        made |= {"flex": column.grow, "minWidth": column.width}
    if column.kind == "number":
        made |= {"type": "rightAligned", "cellClass": "figures"}
    if column.kind == "code":
        made["cellClass"] = "code"
    if column.kind == "state":
        tone = f"params.data.{column.field}_tone"
        made["cellClassRules"] = {f"state-{each}": f"{tone} === '{each}'" for each in _TONES}
    return {key: value for key, value in made.items() if value is not None}
