from __future__ import annotations

from dashboards.console import Console
from dashboards.page_state import LISTED_PAGES, PageState
from dashboards.pages import missing
from dashboards.time_range import Relative


def test_it_leads_to_every_page_at_the_same_time_range(console: Console) -> None:
    card = str(missing.build(PageState(page="missing", range=Relative(span_s=3600)), console))
    for page in LISTED_PAGES:
        assert f"href='{page.path}?range=1h&refresh=10s'" in card
