from __future__ import annotations

import re

import pytest

from dashboards.theme import (
    DARK,
    LIGHT,
    Palette,
    mantine_theme,
    palette_of,
    state_colour,
    state_colour_name,
    style_sheet,
)
from queries.alarms.state import StateValue


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, "relative luminance")."""
    parts = [int(colour[place:place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda palette: palette.name)
def test_text_can_be_read(palette: Palette) -> None:
    for ground in (palette.page, palette.panel, palette.raised):
        for text in ("ink", "muted", "accent", "red", "green", "grey", "amber"):
            assert contrast(getattr(palette, text), ground) >= 4.5, f"{text} on {ground}"
    for state in ("red", "green", "amber", "grey", "accent"):
        assert contrast(getattr(palette, state), getattr(palette, f"{state}_soft")) >= 4.5, state
    for colour in palette.series:
        assert contrast(colour, palette.panel) >= 3, colour


def test_states_mean_the_same_in_both_themes() -> None:
    assert [state_colour_name(state) for state in StateValue] == ["green", "red", "grey"]
    assert [state_colour_name(each) for each in ("healthy", "unhealthy", "draining", "initial", "unused", "?")] == [
        "green", "red", "amber", "accent", "grey", "grey"]
    for palette in (LIGHT, DARK):
        assert state_colour("ALARM", palette) == palette.red


def test_the_style_sheet_has_every_colour_of_both_themes() -> None:
    light, dark = style_sheet().split(':root[data-mantine-color-scheme="dark"]')
    assert set(re.findall(r"--gw-[a-z0-9-]+", light)) >= set(re.findall(r"--gw-[a-z0-9-]+", dark))
    assert f"--gw-red:{LIGHT.red}" in light
    assert f"--gw-red:{DARK.red}" in dark


def test_an_unknown_theme_is_light() -> None:
    assert palette_of(None) is palette_of("blue") is LIGHT
    assert palette_of("dark") is DARK


def test_mantine_uses_our_colours() -> None:
    theme = mantine_theme()
    assert theme["colors"][theme["primaryColor"]][6] == "var(--gw-accent)"
