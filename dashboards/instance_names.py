"""Names of targets, as the inventory gives them: `appliance-1` for `i-07c7e0e743c0b4173` and for `10.1.1.11`.

The lake's records name targets by id or address, as AWS's do; a person who is told that appliance-1 died looks for that.
The inventory's file is read as it stands; one that is absent or wrong gives no names, and the services that need it say
what is wrong with it.  A name that two instances share is none, since the two would be drawn as one.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dashboards.answers import Failed
from dashboards.console import Console, Look


def names_at(look: Look, console: Console) -> Mapping[str, str]:
    """Names by instance id and by address, read at most once a refresh."""
    answer = console.ask(look, "instance-names", lambda: read_names(console.settings.inventory_path))
    return {} if isinstance(answer, Failed) else answer.rows


def read_names(inventory: Path) -> dict[str, str]:
    """Names in an inventory's file; none where it cannot be read."""
    try:
        content = tomllib.loads(inventory.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    instances = content.get("instances")
    found = [_names(each) for each in instances] if isinstance(instances, list) else []
    times = Counter(name for names in found for name in set(names.values()))
    return {key: name for names in found for key, name in names.items() if times[name] == 1}


def _names(instance: Any) -> dict[str, str]:
    if not isinstance(instance, dict) or not isinstance(instance.get("name"), str) or not instance["name"]:
        return {}
    return {key: instance["name"] for key in (instance.get("id"), instance.get("address")) if isinstance(key, str)}
