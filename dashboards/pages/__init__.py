"""The pages.  Each module has `build(state, console)`, its layout, and `register(app, console)`, its callbacks if any."""

from __future__ import annotations

from collections.abc import Callable

from dash.development.base_component import Component

from dashboards.console import Console
from dashboards.page_state import PageState
from dashboards.pages import alarms, audit, flows, missing, overview, sql, targets

PAGES_WITH_CALLBACKS = (overview, targets, flows, sql, audit, alarms)

#: The layout of each page by its name in `page_state.PAGES`.
BUILDERS: dict[str, Callable[[PageState, Console], Component]] = {
    "overview": overview.build, "targets": targets.build, "flows": flows.build, "sql": sql.build, "audit": audit.build,
    "alarms": alarms.build, "missing": missing.build,
}
