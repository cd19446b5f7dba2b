"""What a service holds: memory, open files and threads of its process and of the children that are no service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gatewatch.status_file import read_all

#: Files beside the data, by what is said of them: they keep books and must not grow with time alone.
BOOKKEEPING = {"manifest": "manifest.sqlite*", "state": "state.sqlite*", "alarms": "alarms.sqlite*", "status": "status/*.json"}


def readings(data: Path) -> dict[str, float]:
    """Figure by name, such as `alarms memory_mb`; services that are not there are left out."""
    found: dict[str, float] = {}
    services = {name: int(status["pid"]) for name, status in read_all(data).items()}
    for name, process in services.items():
        family = [process, *_children(process, set(services.values()))]
        try:
            found[f"{name} memory_mb"] = sum(map(_memory_kb, family)) / 1024
            found[f"{name} files"] = sum(len(list(Path(f"/proc/{each}/fd").iterdir())) for each in family)
            found[f"{name} threads"] = sum(len(list(Path(f"/proc/{each}/task").iterdir())) for each in family)
        except OSError:  # it ended just now
            continue
    for name, pattern in BOOKKEEPING.items():
        found[f"{name} size_mb"] = sum(path.stat().st_size for path in data.glob(pattern)) / (1 << 20)
    return found


def _memory_kb(process: int) -> int:
    """What it alone holds: not the pages of files, which the kernel takes back, and which others who use them make seem less."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1])
    raise OSError(f"process {process} tells no Pss_Anon")


def _children(process: int, services: set[int]) -> Iterator[int]:
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        children = {int(child) for task in tasks for child in (task / "children").read_text().split()}
    except OSError:
        return
    for child in children - services:
        yield child
        yield from _children(child, services)
