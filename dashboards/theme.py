"""Colours, type and spacing: one palette for each theme, from which CSS variables, figures and icons are all made.

A colour has the same meaning in both themes: red is ALARM, unhealthy or REJECT; green is OK, healthy or ACCEPT; grey is
INSUFFICIENT_DATA or unused; amber is on the way out (draining, late) and the accent on the way in (initial).
Every state is also written in words, since
colour alone tells some people nothing.  Text colours keep a contrast of at least 4.5 to 1 on panel and page.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

FONT = '"Open Sans", "Helvetica Neue", Roboto, Arial, sans-serif'
MONOSPACE = '"Source Code Pro", ui-monospace, Menlo, Consolas, monospace'


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one theme, as CSS writes them; `series` are for lines and bars without a meaning of their own."""

    name: str
    page: str
    panel: str
    raised: str
    ink: str
    muted: str
    line: str
    grid: str
    accent: str
    accent_soft: str
    red: str
    red_soft: str
    green: str
    green_soft: str
    grey: str
    grey_soft: str
    amber: str
    amber_soft: str
    series: tuple[str, ...]


LIGHT = Palette(
    name="light", page="#f4f5f7", panel="#ffffff", raised="#f9fafb", ink="#10161d", muted="#56616f", line="#d6dbe1",
    grid="#eaedf0", accent="#0a63c2", accent_soft="#e6f0fb", red="#c4232b", red_soft="#fdebea", green="#1b7a34",
    green_soft="#e7f5ea", grey="#5d6875", grey_soft="#eceff2", amber="#9a5a00", amber_soft="#fdf1dc",
    series=("#2268c8", "#d9662b", "#1f8a8a", "#a23b72", "#7a5ccf", "#8a6d1d", "#4b7f2a", "#5a6b7c"),
)
DARK = Palette(
    name="dark", page="#0e141b", panel="#151d26", raised="#1b2530", ink="#e9edf1", muted="#9aa7b5", line="#2c3947",
    grid="#222d39", accent="#58a6f5", accent_soft="#16304c", red="#ff7069", red_soft="#401d20", green="#4cc46a",
    green_soft="#15351f", grey="#97a3b0", grey_soft="#27313c", amber="#f0b14a", amber_soft="#3d2e12",
    series=("#5b9bf3", "#f08d55", "#43bdbd", "#db7bb0", "#a78df0", "#cdb04f", "#86c25f", "#a3b2c2"),
)
PALETTES = {palette.name: palette for palette in (LIGHT, DARK)}

#: Which of a palette's colours a state has; what is not listed is grey.
STATE_COLOURS = {
    "ALARM": "red", "unhealthy": "red", "REJECT": "red", "deny": "red",
    "OK": "green", "healthy": "green", "ACCEPT": "green", "allow": "green",
    "initial": "accent", "draining": "amber", "unhealthy.draining": "amber", "late": "amber",
}


def palette_of(name: str | None) -> Palette:
    """The palette called `light` or `dark`; light for anything else."""
    return PALETTES.get(name or "", LIGHT)


def state_colour_name(state: str) -> str:
    """`red`, `green`, `amber`, `accent` or `grey`: the colour of a target's, alarm's or flow's state."""
    return STATE_COLOURS.get(state, "grey")


def state_colour(state: str, palette: Palette) -> str:
    """The colour of a state in a theme."""
    colour: str = getattr(palette, state_colour_name(state))
    return colour


def _variables(palette: Palette) -> str:
    pairs = [f"--gw-{each.name.replace('_', '-')}:{getattr(palette, each.name)}"
             for each in fields(palette) if each.name not in ("name", "series")]
    pairs += [f"--gw-series-{number}:{colour}" for number, colour in enumerate(palette.series, 1)]
    return ";".join(pairs)


def style_sheet() -> str:
    """The palettes as CSS variables, chosen by the attribute that Mantine sets on the document."""
    return (
        f":root{{{_variables(LIGHT)};--gw-font:{FONT};--gw-mono:{MONOSPACE};color-scheme:light}}"
        f':root[data-mantine-color-scheme="dark"]{{{_variables(DARK)};color-scheme:dark}}'
    )


def _shades(colour: str) -> list[str]:
    return [colour] * 10


def mantine_theme() -> dict[str, Any]:
    """Mantine's theme: our type, small radii, and our colours through the CSS variables."""
    return {
        "fontFamily": FONT,
        "fontFamilyMonospace": MONOSPACE,
        "headings": {"fontFamily": FONT, "fontWeight": "700"},
        "primaryColor": "accent",
        "colors": {name: _shades(f"var(--gw-{name})") for name in ("accent", "red", "green", "amber")},
        "defaultRadius": "sm",
        "radius": {"xs": "3px", "sm": "6px", "md": "10px"},
        "fontSizes": {"xs": "0.75rem", "sm": "0.8125rem", "md": "0.875rem", "lg": "1rem", "xl": "1.25rem"},
        "cursorType": "pointer",
        "respectReducedMotion": True,
    }
