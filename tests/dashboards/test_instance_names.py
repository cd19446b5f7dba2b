"""Names come from the inventory's file, which may be absent, wrong, or ambiguous."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.instance_names import names_at, read_names
from tests.dashboards.small_lake import console_of, look_at

INVENTORY = """
[[instances]]
id = "i-1"
address = "10.1.1.11"
name = "appliance-1"

[[instances]]
id = "i-2"
name = "twin"

[[instances]]
id = "i-3"
name = "twin"

[[instances]]
id = "i-4"
"""


def test_ids_and_addresses_have_the_instances_name(tmp_path: Path) -> None:
    (tmp_path / "inventory.toml").write_text(INVENTORY)
    console = console_of(tmp_path)
    assert names_at(look_at(console, "/targets"), console) == {"i-1": "appliance-1", "10.1.1.11": "appliance-1"}
    console.close()


@pytest.mark.parametrize("text", [None, "this is no TOML", "instances = 3", "[[instances]]\nname = 7", "instances = [1]",
                                  "a = " + "9" * 5_000, "a = " + "[" * 20_000],
                         ids=["none", "words", "number", "no-id", "no-table", "digits", "depth"])
def test_without_a_good_inventory_there_are_no_names(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "inventory.toml"
    if text is not None:
        path.write_text(text)
    assert read_names(path) == {}
