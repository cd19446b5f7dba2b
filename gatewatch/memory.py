"""How a service's memory goes back to the kernel: Arrow allocates with malloc, and malloc returns large pieces when they are freed.

Left alone, each keeps what it once needed: Arrow's own allocator for ever, and glibc in the arena of the thread that asked, having
raised the size from which a piece is returned with the first large one (mallopt(3), M_MMAP_THRESHOLD).  A hundred merges in
ingest's thread left up to 103 MB that way, and 47 MB at most with this.
"""

from __future__ import annotations

import os

#: From this size on a piece is the kernel's again once it is freed.
RETURNED_FROM_BYTES = 256 << 10
_M_MMAP_THRESHOLD = -3


def choose_arrow_pool() -> None:
    """Have Arrow use malloc; before it is imported.  Children inherit it; who set the variable has another."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def return_large_pieces() -> bool:
    """Have malloc return large pieces at once; False where the C library has no such thing."""
    import ctypes  # here: commands that start no service need not wait for it

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_MMAP_THRESHOLD, RETURNED_FROM_BYTES) == 1
