"""Named network namespaces: a file in /run/netns on which the namespace is mounted, as iproute2 does it.

`ip netns add` comes back to the host's namespace after it made the new one, which an ordinary user may not.  Here a
thread makes the namespace, mounts it and ends; the process never leaves where it is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from forwarder.lab import kernel
from forwarder.network_namespace import NETNS_FOLDER


def create(name: str, *, prepare: Callable[[], object] = lambda: None) -> None:
    """Make namespace `name`; `OSError` (EEXIST) if there is one, or what the kernel refused.

    `prepare` is called inside it before it has its name, so that nobody finds it unprepared.
    """
    path = NETNS_FOLDER / name
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o444))
    errors: list[OSError] = []

    def body() -> None:
        try:
            kernel.unshare(kernel.CLONE_NEWNET)
            prepare()
            kernel.mount("/proc/thread-self/ns/net", path, flags=kernel.MS_BIND)
        except OSError as error:
            errors.append(error)

    thread = threading.Thread(target=body, name=f"make-{name}")
    thread.start()
    thread.join()
    if errors:
        path.unlink()
        raise errors[0]


def exists(name: str) -> bool:
    """Whether something of that name is there, be it half made."""
    return (NETNS_FOLDER / name).exists()


def delete(name: str) -> bool:
    """Take the name away, and with it the namespace once no process is in it; False when there was none."""
    path = NETNS_FOLDER / name
    if not path.exists():
        return False
    with contextlib.suppress(FileNotFoundError):
        try:
            kernel.unmount(path)
        except OSError as error:
            if error.errno != errno.EINVAL:  # EINVAL: a file on which nothing is mounted, left by a crash
                raise
        path.unlink()
    return True


def prepare_folder() -> bool:
    """Make /run/netns as iproute2 does, shared so that an unmount reaches every process; True when it was not there."""
    if _is_mount_point(NETNS_FOLDER):
        return False
    made = not NETNS_FOLDER.exists()
    NETNS_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    kernel.mount(str(NETNS_FOLDER), NETNS_FOLDER, flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.mount("", NETNS_FOLDER, flags=kernel.MS_SHARED | kernel.MS_REC)
    return made


def remove_folder() -> None:
    """Undo `prepare_folder` unless somebody else's namespaces are in it."""
    if NETNS_FOLDER.exists() and not any(NETNS_FOLDER.iterdir()):
        with contextlib.suppress(OSError):  # somebody came between: then it stays, which harms nobody
            if _is_mount_point(NETNS_FOLDER):
                kernel.unmount(NETNS_FOLDER)
            NETNS_FOLDER.rmdir()


def _is_mount_point(path: Path) -> bool:
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return any(line.split(" ", 5)[4] == str(path) for line in mounts)
