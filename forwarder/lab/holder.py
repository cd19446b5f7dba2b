"""The process that keeps an ordinary user's namespaces: `python -m forwarder.lab.holder FOLDER`.

It makes a user namespace in which the user is root and a mount namespace in which /run/netns can be written, says
`ready`, and waits for SIGTERM.  The network stays the host's.  Its record is on disk before anything is made, so that
whoever starts next finds it.  A refused call is said on standard output, by name, and the exit status is 1.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

import msgspec

from forwarder.lab import kernel
from forwarder.lab.privilege import Holder, start_ticks
from forwarder.network_namespace import NETNS_FOLDER


def main(folder: Path) -> int:
    """Make the namespaces and hold them until SIGTERM."""
    record(folder)
    try:
        become_root_of_a_user_namespace()
        provide_netns_folder()
    except OSError as error:
        (folder / "holder.json").unlink(missing_ok=True)
        print(error.strerror or error, flush=True)
        return 1
    os.chdir("/")
    # Blocked, so that a signal that comes early waits for sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    print("ready", flush=True)
    _let_go_of_the_terminal()
    signal.sigwait({signal.SIGTERM})
    return 0


def record(folder: Path) -> None:
    """Write who holds the namespaces to `holder.json`, whole."""
    own = start_ticks(os.getpid())
    assert own is not None
    temporary = folder / f".holder.{os.getpid()}"
    temporary.write_bytes(msgspec.json.encode(Holder(pid=os.getpid(), start_ticks=own)))
    temporary.replace(folder / "holder.json")


def become_root_of_a_user_namespace() -> None:
    """New user and mount namespaces; the user's own ids become 0 (user_namespaces(7))."""
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        try:
            Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
        except OSError as error:
            raise OSError(error.errno, f"write to /proc/self/{name}: {error.strerror}") from error
    kernel.mount("", Path("/"), flags=kernel.MS_REC | kernel.MS_SLAVE)


def provide_netns_folder() -> None:
    """A writable /run/netns, of this mount namespace alone.

    Where the host has none, nobody but root could make it in /run: then /run becomes a tmpfs in which everything of the
    old one is mounted again, since name resolution and others look there.
    """
    if NETNS_FOLDER.is_dir():
        kernel.mount("tmpfs", NETNS_FOLDER, kind="tmpfs")
        return
    run = NETNS_FOLDER.parent
    old = Path(tempfile.mkdtemp(prefix="gatewatch-run-"))
    kernel.mount(str(run), old, flags=kernel.MS_BIND | kernel.MS_REC)
    kernel.mount("tmpfs", run, kind="tmpfs")
    for entry in old.iterdir():
        _show_again(entry, run / entry.name)
    kernel.unmount(old)
    old.rmdir()
    NETNS_FOLDER.mkdir(exist_ok=True)


def _show_again(old: Path, new: Path) -> None:
    if old.is_symlink():
        new.symlink_to(old.readlink())
        return
    if old.is_dir():
        new.mkdir()
    else:
        new.touch()
    kernel.mount(str(old), new, flags=kernel.MS_BIND | kernel.MS_REC)


def _let_go_of_the_terminal() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
