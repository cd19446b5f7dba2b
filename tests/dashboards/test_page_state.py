from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashboards.page_state import (
    CLOCKS,
    PAGES,
    REFRESH,
    THEMES,
    VALUE_CHARACTERS_MAX,
    PageState,
    decode,
    encode,
    refresh_name,
)
from dashboards.time_range import Absolute, Relative
from tests.dashboards.test_time_range import ranges

_TEXTS = {
    "address": st.sampled_from(["10.0.2.10", "10.0.2.0/24", "2001:db8::/32"]), "port": st.integers(0, 65_535).map(str),
    "protocol": st.sampled_from(["tcp", "udp", "icmp"]), "action": st.sampled_from(["ACCEPT", "REJECT"]),
    "by": st.just("zone"), "read": st.sampled_from(["true", "any"]), "side": st.sampled_from(["balancer", "all"]),
    "direction": st.sampled_from(["ingress", "egress"]),
    "flow_page": st.integers(2, 999_999).map(str), "event_page": st.integers(2, 999_999).map(str),
}
_FREE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=200)


@st.composite
def states(draw: st.DrawFn) -> PageState:
    page = PAGES[draw(st.sampled_from(sorted(PAGES)))]
    chosen = [each.name for each in page.parameters if draw(st.booleans())]
    return PageState(
        page=page.name, range=draw(ranges), refresh=draw(st.sampled_from(sorted(REFRESH))),
        clock=draw(st.sampled_from(CLOCKS)), theme=draw(st.sampled_from(THEMES)),
        values={name: draw(_TEXTS.get(name, _FREE)) for name in chosen},
    )


def decoded(href: str) -> tuple[PageState, list[str]]:
    path, _, query = href.partition("?")
    return decode(path, query)


@given(states())
def test_a_url_reads_back_as_the_state_that_made_it(state: PageState) -> None:
    assert decoded(encode(state)) == (state, [])


@given(states())
def test_a_canonical_url_stays_as_it_is(state: PageState) -> None:
    assert encode(decoded(encode(state))[0]) == encode(state)


@given(st.text(max_size=40), st.text(max_size=300))
def test_any_url_gives_a_state_that_has_a_url(path: str, query: str) -> None:
    state, notes = decode("/" + path, query)
    assert decoded(encode(state))[0] == state
    assert all(isinstance(note, str) and note for note in notes)


def test_what_has_its_default_is_left_out() -> None:
    assert encode(PageState(page="flows")) == "/flows?refresh=10s"
    assert encode(PageState(page="audit", refresh="off").changed("read", "false")) == "/audit?refresh=off"


def test_each_wrong_part_has_its_sentence_and_the_rest_counts() -> None:
    state, notes = decode("/flows", "?range=yesterday&address=10.0.2&port=70000&action=REJECT&clock=sun&nothing=1")
    assert (state.range, state.clock, dict(state.values)) == (Relative(span_s=900), "utc", {"action": "REJECT"})
    assert len(notes) == 5
    assert any("'10.0.2' is neither an address nor a CIDR block" in note for note in notes)
    assert any("'70000' is not a port from 0 to 65535" in note for note in notes)


def test_an_unknown_path_is_the_page_that_says_so_at_the_same_range() -> None:
    state, notes = decode("/nowhere", "lb=x&range=1h&theme=dark")
    assert (state, notes) == (PageState(page="missing", range=Relative(span_s=3600), theme="dark"), [])
    assert encode(state.elsewhere("flows")) == "/flows?range=1h&refresh=10s&theme=dark"


def test_a_range_that_has_ended_is_not_refreshed() -> None:
    assert PageState(refresh="1s").refresh_s == 1
    assert PageState(refresh="1s", range=Absolute(start_s=0, end_s=60)).refresh_s == 0


def test_a_value_taken_back_is_gone() -> None:
    state = PageState(page="flows").changed("port", "443")
    assert state.value("port") == "443"
    assert state.changed("port", None) == state.changed("port", "") == PageState(page="flows")


def test_another_page_keeps_time_and_look_and_drops_the_rest() -> None:
    state = PageState(page="flows", range=Relative(span_s=60), theme="dark", clock="local").changed("port", "443")
    assert state.elsewhere("sql") == PageState(page="sql", range=Relative(span_s=60), theme="dark", clock="local")


def test_a_text_too_long_for_a_url_is_refused() -> None:
    _, notes = decode("/sql", "query=" + "x" * (VALUE_CHARACTERS_MAX + 1))
    assert notes[0].endswith("it is left out.")
    assert decode("/sql", "query=" + "x" * 100_000)[1] == ["The address is too long; its parameters are left out."]


def test_a_parameter_name_belongs_to_one_kind_of_control() -> None:
    """Ids of controls are unique over pages that write to them, and the frame's own names are taken."""
    names = [each.name for page in PAGES.values() for each in page.parameters]
    assert len(names) == len(set(names))
    assert not {"range", "refresh", "clock", "theme"} & set(names)


def test_the_setting_is_the_nearest_offered_interval() -> None:
    assert [refresh_name(seconds) for seconds in (0, 1, 3, 10, 900)] == ["off", "1s", "2s", "10s", "1m"]
