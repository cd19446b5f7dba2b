from __future__ import annotations

from dashboards import frame, page_state
from dashboards.page_state import LISTED_PAGES, PageState
from dashboards.time_range import Absolute, Relative
from gatewatch.settings import Settings


def test_a_preset_is_chosen_where_there_is_one() -> None:
    assert frame.control_values(PageState(range=Relative(span_s=3600)))["range"] == "1h"
    custom = frame.control_values(PageState(range=Relative(span_s=2700)))
    assert (custom["range"], custom["custom"]) == ("", "Last 45m")
    assert frame.control_values(PageState(range=Absolute(start_s=0, end_s=60)))["custom"] == "From – to"


def test_menu_links_keep_what_belongs_to_all_pages() -> None:
    state = PageState(page="flows", range=Relative(span_s=60), theme="dark", refresh="2s").changed("port", "443")
    links = {link.label: link for link in frame.menu(state)}
    assert set(links) == {page.title for page in LISTED_PAGES}
    path, _, query = links["SQL"].href.partition("?")
    assert page_state.decode(path, query) == (state.elsewhere("sql"), [])
    assert [name for name, link in links.items() if link.active] == ["Flows"]


def test_the_tick_is_off_when_refresh_is_or_the_range_has_ended() -> None:
    assert frame.interval_ms(PageState(refresh="5s")) == (5000, False)
    assert frame.interval_ms(PageState(refresh="off"))[1]
    assert frame.interval_ms(PageState(refresh="5s", range=Absolute(start_s=0, end_s=60)))[1]


def test_the_frame_names_region_and_account_and_has_a_way_past_the_menu() -> None:
    text = str(frame.layout(Settings(region="eu-west-1", account_id="210987654321")))
    assert "eu-west-1  ·  210987654321" in text
    assert "Skip to content" in text
