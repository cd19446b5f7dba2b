"""What a page shows, and the URL that says it: one is made from the other, so that a link is a saved view.

    /flows?range=1h&refresh=off&clock=utc&address=10.0.2.0%2F24&action=REJECT

`range`, `refresh`, `clock` and `theme` belong to every page, the rest to one page (`PAGES`).  What has its default
value is left out.  `decode(encode(state)) == state` for every state; a URL that says something impossible gives the
default and a sentence about it.  A path that is no page's is the page `missing`, which says so.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode

from dashboards import time_range
from dashboards.time_range import BadTimeRange, Relative, TimeRange

#: Intervals of the header, seconds by name.  CloudWatch starts at 10 s; gatewatch's data can be a second old.
REFRESH = {"off": 0, "1s": 1, "2s": 2, "5s": 5, "10s": 10, "1m": 60}
CLOCKS = ("utc", "local")
THEMES = ("", "light", "dark")

#: Longest value of one parameter, and of all: a URL must survive browsers and proxies.
VALUE_CHARACTERS_MAX, QUERY_CHARACTERS_MAX = 4_000, 8_000

DEFAULT_RANGE: TimeRange = Relative(span_s=time_range.PRESETS["15m"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value that one page keeps in the URL.  `check` returns what is wrong with a text, or nothing."""

    name: str
    label: str
    check: Callable[[str], str | None]
    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: its path, its name in the menu, and its own parameters."""

    name: str
    path: str
    title: str
    parameters: tuple[Parameter, ...] = ()
    #: False where time does not matter, and the header shows no time range.
    timed: bool = True
    #: False where no menu leads, since there is nothing to see.
    listed: bool = True

    def parameter(self, name: str) -> Parameter | None:
        """The parameter called `name`."""
        return next((each for each in self.parameters if each.name == name), None)


def _any(text: str) -> str | None:
    return None if len(text) <= VALUE_CHARACTERS_MAX else f"is longer than {VALUE_CHARACTERS_MAX:,} characters"


def _network(text: str) -> str | None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return "is neither an address nor a CIDR block such as 10.0.2.0/24"
    return None


def _port(text: str) -> str | None:
    good = re.fullmatch(r"\d{1,5}", text, re.ASCII) and int(text) <= 65_535
    return None if good else "is not a port from 0 to 65535"


def _one_of(*allowed: str) -> Callable[[str], str | None]:
    return lambda text: None if text in allowed else f"is not one of {', '.join(allowed)}"


def _page_number(text: str) -> str | None:
    return None if re.fullmatch(r"[1-9]\d{0,5}", text, re.ASCII) else "is not a page number"


_LOAD_BALANCER = Parameter(name="lb", label="Load balancer", check=_any)
#: Each page's own name, since a control's id is its parameter's name and ids are unique in the application.
_FLOW_PAGE, _EVENT_PAGE = (Parameter(name=name, label="Page", check=_page_number, default="1")
                           for name in ("flow_page", "event_page"))

PAGES = {
    page.name: page for page in (
        Page(name="overview", path="/", title="Overview", parameters=(
            _LOAD_BALANCER, Parameter(name="by", label="Lines", check=_one_of("zone")),
        )),
        Page(name="targets", path="/targets", title="Targets"),
        Page(name="flows", path="/flows", title="Flows", parameters=(
            Parameter(name="address", label="Address or CIDR", check=_network),
            Parameter(name="port", label="Port", check=_port),
            Parameter(name="protocol", label="Protocol", check=_one_of("tcp", "udp", "icmp")),
            Parameter(name="action", label="Action", check=_one_of("ACCEPT", "REJECT")),
            Parameter(name="reason", label="Drop reason", check=_any),
            Parameter(name="target", label="Target", check=_any),
            Parameter(name="direction", label="Direction", check=_one_of("ingress", "egress")),
            Parameter(name="side", label="Records of", default="endpoint",
                      check=_one_of("endpoint", "balancer", "all")),
            _FLOW_PAGE,
        )),
        Page(name="sql", path="/sql", title="SQL", timed=False, parameters=(
            Parameter(name="query", label="Query", check=_any),
            Parameter(name="saved", label="Saved query", check=_any),
        )),
        Page(name="audit", path="/audit", title="Audit", parameters=(
            Parameter(name="read", label="Read-only", check=_one_of("false", "true", "any"), default="false"),
            Parameter(name="name", label="Event name", check=_any),
            Parameter(name="user", label="User name", check=_any),
            Parameter(name="text", label="Text", check=_any),
            _EVENT_PAGE,
        )),
        Page(name="alarms", path="/alarms", title="Alarms", parameters=(
            Parameter(name="alarm", label="Alarm", check=_any),
        )),
        Page(name="missing", path="/not-found", title="Page not found", timed=False, listed=False),
    )
}
LISTED_PAGES = tuple(page for page in PAGES.values() if page.listed)
_BY_PATH = {page.path: page for page in LISTED_PAGES}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """One page with everything that was chosen on it.  `values` holds only what differs from its default."""

    page: str = "overview"
    range: TimeRange = DEFAULT_RANGE
    refresh: str = "10s"
    clock: str = "utc"
    theme: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def refresh_s(self) -> int:
        """Seconds between two refreshes, 0 for none; a range that has ended needs none."""
        return REFRESH[self.refresh] if isinstance(self.range, Relative) else 0

    def value(self, name: str) -> str:
        """A page's own parameter, its default where nothing was chosen."""
        parameter = PAGES[self.page].parameter(name)
        assert parameter is not None, f"page {self.page} has no parameter {name}"
        return self.values.get(name, parameter.default)

    def changed(self, name: str, value: str | None) -> PageState:
        """The same page with one parameter changed; `ValueError` says what is wrong with the value."""
        parameter = PAGES[self.page].parameter(name)
        if parameter is None:
            raise ValueError(f"the page {self.page} has no parameter {name!r}")
        text = "" if value is None else value
        rest = {key: kept for key, kept in self.values.items() if key != name}
        if text in ("", parameter.default):
            return replace(self, values=rest)
        if wrong := parameter.check(text):
            raise ValueError(f"{parameter.label}: {text!r} {wrong}")
        return replace(self, values={**rest, name: text})

    def elsewhere(self, page: str) -> PageState:
        """Another page at the same time range, refresh, clock and theme."""
        return replace(self, page=page, values={})


def encode(state: PageState) -> str:
    """The URL of a state, from the path on."""
    defaults = PageState()
    pairs = [(name, text) for name, text, default in (
        ("range", time_range.to_text(state.range), time_range.to_text(defaults.range)),
        ("refresh", state.refresh, ""),
        ("clock", state.clock, defaults.clock),
        ("theme", state.theme, defaults.theme),
    ) if text != default]
    page = PAGES[state.page]
    pairs += [(each.name, state.values[each.name]) for each in page.parameters if each.name in state.values]
    return f"{page.path}?{urlencode(pairs)}" if pairs else page.path


def decode(path: str, query: str, *, refresh: str = "10s") -> tuple[PageState, list[str]]:
    """The state a URL stands for, and a sentence for each part that could not be understood.

    `query` may have its question mark.  `refresh` is what a URL without one means (setting `console_refresh_s`).
    """
    notes: list[str] = []
    page = _BY_PATH.get(path.rstrip("/") or "/", PAGES["missing"])
    given = _pairs(query, notes)
    state = PageState(
        page=page.name,
        range=_range(given.pop("range", None), notes),
        refresh=_choice("refresh", given.pop("refresh", None), tuple(REFRESH), refresh, notes),
        clock=_choice("clock", given.pop("clock", None), CLOCKS, "utc", notes),
        theme=_choice("theme", given.pop("theme", None), THEMES, "", notes),
    )
    for name, text in given.items() if page.listed else ():  # what belongs to a page that is not there is not wrong
        try:
            state = state.changed(name, text)
        except ValueError as error:
            notes.append(f"{str(error)[0].upper()}{str(error)[1:]}; it is left out.")
    return state, notes


def refresh_name(seconds: int) -> str:
    """The offered interval nearest to a setting in seconds."""
    return min(REFRESH, key=lambda name: abs(REFRESH[name] - seconds))


def _pairs(query: str, notes: list[str]) -> dict[str, str]:
    if len(query) > QUERY_CHARACTERS_MAX * 3:  # percent-encoding may treble a text
        notes.append("The address is too long; its parameters are left out.")
        return {}
    try:
        return dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        notes.append("The address has too many parameters; they are left out.")
        return {}


def _range(text: str | None, notes: list[str]) -> TimeRange:
    if text is None:
        return DEFAULT_RANGE
    try:
        return time_range.from_text(text)
    except BadTimeRange as error:
        notes.append(f"Time range: {error}. Showing the {time_range.in_words(DEFAULT_RANGE)}.")
        return DEFAULT_RANGE


def _choice(name: str, text: str | None, allowed: tuple[str, ...], default: str, notes: list[str]) -> str:
    if text is None or text in allowed:
        return default if text is None else text
    notes.append(f"{name} is {text!r}, which is not one of {', '.join(filter(None, allowed))}.")
    return default
