"""Who may ask: by which name (Host), and from which page (Origin, Sec-Fetch-Site).

The console asks nobody to log in, so a page of any other site that is open in the reader's browser could run SQL here
if it were let.  A browser tells where a request comes from, and no page can make it lie.  What tells nothing (curl, a
health check) is no browser, and whoever runs it could as well say anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from dashboards.gate.refused import Refused
from gatewatch.host_names import names_of
from gatewatch.settings import Settings

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """`names` the console may be called by (`*`: any), and the `origins` of its pages behind a proxy, in lower case."""

    names: Sequence[str]
    origins: Sequence[str] = ()

    def refuse(self, method: str, headers: Mapping[str, str]) -> None:
        """Raise `Refused` where a request is none of ours.  `headers` have lower-case names."""
        host = headers.get("host", "").lower()
        if "*" not in self.names and name_in(host) not in self.names:
            raise Refused(status=400, reason="host", detail=f"this console is not called {host!r}; see console_origins")
        site = headers.get("sec-fetch-site", "none")
        if site not in ("same-origin", "none") and not _follows_a_link(method, headers):
            raise Refused(status=403, reason="origin", detail="asked by a page of another site")
        origin = headers.get("origin")
        if origin is not None and not self._is_ours(origin.lower(), host):
            raise Refused(status=403, reason="origin", detail=f"asked by a page of {origin}; see console_origins")

    def _is_ours(self, origin: str, host: str) -> bool:
        if origin in self.origins:
            return True
        scheme, mark, authority = origin.partition("://")
        port = _DEFAULT_PORTS.get(scheme)
        return bool(mark and port and host) and authority.removesuffix(port or "") == host.removesuffix(port or "")


def origins_of(settings: Settings) -> Origins:
    """What the settings say: the names of the address listened on, and `console_origins` with their names."""
    origins = [origin.lower().rstrip("/") for origin in settings.console_origins.split(",") if origin]
    named = [name_in(urlsplit(origin).netloc) for origin in origins]
    here = names_of(settings.console_host)
    # Who says how the console is called, also says how it is not; this machine's own names are for health checks.
    names = [*(names_of("127.0.0.1") if named and "*" in here else here), *named]
    return Origins(names=tuple(names), origins=tuple(origins))


def name_in(host: str) -> str:
    """The name in a Host header, without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def _follows_a_link(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a person goes to a page of ours from elsewhere, as from a message about an alarm; not within a frame."""
    whole_page = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return whole_page and method in ("GET", "HEAD")
