"""Which addresses there are, and how they may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dash import Dash
from dash.fingerprint import check_fingerprint

from dashboards.gate.refused import Refused
from dashboards.page_state import LISTED_PAGES

#: Where a browser sends what was changed on a page.
CALLBACKS = "/_dash-update-component"
_READ = ("GET", "HEAD")
_PACKAGES = "/_dash-component-suites/"
_DATA = ("/health", "/_dash-layout", "/_dash-dependencies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Methods by path, and the files of Dash's packages."""

    methods: Mapping[str, tuple[str, ...]]
    packages: Mapping[str, set[str]]

    def refuse(self, method: str, path: str) -> None:
        """Raise `Refused` for an address that is not there, or is asked in a way it does not know."""
        allowed = self._allowed(path)
        if not allowed:
            raise Refused(status=404, reason="address", detail="there is nothing at this address")
        if method not in allowed:
            raise Refused(status=405, reason="method", detail=f"this address knows {', '.join(allowed)} only",
                          headers={"Allow": ", ".join(allowed)})

    def _allowed(self, path: str) -> tuple[str, ...]:
        if path.startswith(_PACKAGES):
            package, _, file = path.removeprefix(_PACKAGES).partition("/")
            return _READ if check_fingerprint(file)[0] in self.packages.get(package, ()) else ()
        return self.methods.get(path, ())


def addresses_of(app: Dash, assets: Path) -> Addresses:
    """The addresses of an application that has named the files of its packages (see `app.py`)."""
    pages = [path for page in LISTED_PAGES for path in {page.path, page.path.rstrip("/") + "/"}]
    files = [f"/assets/{file.relative_to(assets).as_posix()}" for file in assets.rglob("*") if file.is_file()]
    reads = dict.fromkeys([*pages, *files, *_DATA], _READ)
    return Addresses(methods={**reads, CALLBACKS: ("POST",)}, packages=app.registered_paths)


def may_be_a_page(method: str, path: str, accept: str) -> bool:
    """Whether someone who asks for an unknown address should read so on a page: a person, most likely."""
    wants_page = not accept or "text/html" in accept or "*/*" in accept
    return method in _READ and wants_page and not path.startswith(("/_", "/assets/"))
