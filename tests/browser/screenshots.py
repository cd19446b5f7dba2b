"""Photograph every page of a running console: python tests/browser/screenshots.py --url http://127.0.0.1:8050 --out DIR.

Writes `<page>-<light|dark>-<wide|narrow>.png` and prints what a page did that it should not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.browser.chromium import SIZES, THEMES, Watch, browser, settled

PAGES = {"overview": "/", "targets": "/targets", "flows": "/flows", "sql": "/sql", "audit": "/audit", "alarms": "/alarms"}


def shoot(chromium: Any, url: str, folder: Path, pages: list[str], themes: list[str], sizes: list[str], query: str,
          full: bool) -> list[str]:
    """Take the photographs; what went wrong, as sentences."""
    problems: list[str] = []
    for size in sizes:
        width, height = SIZES[size]
        context = chromium.new_context(viewport={"width": width, "height": height}, device_scale_factor=1)
        for theme in themes:
            for name in pages:
                watch, page = Watch(), context.new_page()
                watch.follow(page)
                page.goto(f"{url.rstrip('/')}{PAGES[name]}?theme={theme}{'&' + query if query else ''}")
                settled(page)
                if name == "sql":
                    page.click("#sql-run")
                    page.wait_for_selector("#sql-status:not(:empty)")
                page.screenshot(path=folder / f"{name}-{theme}-{size}.png", full_page=full)
                problems += [f"{name} {theme} {size}: {text}" for text in watch.problems()]
                page.close()
        context.close()
    return problems


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8050")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--page", action="append", choices=sorted(PAGES))
    parser.add_argument("--theme", action="append", choices=THEMES)
    parser.add_argument("--size", action="append", choices=sorted(SIZES))
    parser.add_argument("--query", default="refresh=off", help="what follows in the address, such as range=15m")
    parser.add_argument("--full", action="store_true", help="the whole page, not only what fits the window")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        problems = shoot(chromium, given.url, given.out, given.page or list(PAGES), given.theme or list(THEMES),
                         given.size or list(SIZES), given.query, given.full)
    print("\n".join(problems) or f"no problems; pictures in {given.out}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
