"""Which target a new flow goes to: Maglev's lookup table over the eligible targets.

Operations: build a table from target names, pick by a hash.  Goals: targets get equal shares; when one leaves, few
flows of the others would choose anew (only new flows ever do; a live flow keeps its target in the flow table).  Plan:
each target walks the slots in its own permutation and the targets take turns claiming the next free slot of their walk.

Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from hashlib import blake2b


def is_prime(number: int) -> bool:
    """Whether `number` is a prime (trial division: it is asked once per plan, of numbers up to 65537)."""
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def build_table(names: Sequence[str], slots: int) -> array[int]:
    """A table of `slots` (a prime, else `ValueError`) positions in `names`; empty when there are no names.

    The order of names does not change who owns a slot.  With more names than slots some own none.
    """
    if not is_prime(slots):
        raise ValueError(f"maglev_slots is {slots}; a Maglev table needs a prime number of slots, for example 16381")
    table = array("i", [-1]) * slots if names else array("i")
    walks = [(position, *_permutation(names[position], slots)) for position in _in_name_order(names)]
    free = len(table)
    while free:
        for turn, (position, slot, skip) in enumerate(walks):
            while table[slot] >= 0:
                slot = (slot + skip) % slots
            table[slot] = position
            walks[turn] = (position, (slot + skip) % slots, skip)
            free -= 1
            if not free:
                break
    return table


def _in_name_order(names: Sequence[str]) -> list[int]:
    return sorted(range(len(names)), key=names.__getitem__)


def _permutation(name: str, slots: int) -> tuple[int, int]:
    """Offset and skip of a name's walk; any skip from 1 to slots - 1 visits every slot of a prime number."""
    digest = blake2b(name.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big") % slots, int.from_bytes(digest[8:], "big") % (slots - 1) + 1
