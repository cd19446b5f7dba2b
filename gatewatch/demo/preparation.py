"""What a demo makes sure of before it starts: a folder that is its own to empty, and a report that can be written."""

from __future__ import annotations

import shutil
from pathlib import Path

from gatewatch.refusal import Refusal

#: What a demo writes and the next one removes; `lab/` is the lab's own.
MARKER = "made-by-demo"
CONTENT = ("spool", "lake", "status", "logs", "manifest.sqlite", "manifest.lock", "state.sqlite", "alarms.sqlite")


class Refused(Refusal, RuntimeError):
    """The demo cannot start; the message says why and what to do."""


def refuse_unwritable(report: Path | None) -> None:
    """`Refused` if the report could not be written in the end."""
    try:
        if report is not None:
            there_before = report.exists()
            report.open("a", encoding="utf-8").close()
            if not there_before:
                report.unlink()  # an empty report would tell of a run that never was
    except OSError as error:
        raise Refused(f"the report {report} cannot be written: {error.strerror}") from error


def prepare_folder(data: Path) -> None:
    """Remove what an earlier demo left, so that the figures are this run's; `Refused` if it is not a demo's."""
    found = [path for name in CONTENT for path in sorted(data.glob(f"{name}*"))]
    if found and not (data / MARKER).exists():
        raise Refused(f"{data} holds records that are not a demo's; choose another folder with --data")
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    data.mkdir(parents=True, exist_ok=True)
    (data / MARKER).touch()
