"""The table of attributes is whole: every default is allowed, every pair mutual, every refusal worded."""

from __future__ import annotations

import pytest

from forwarder.control.attribute_table import LISTENER, LOAD_BALANCER, TARGET_GROUP, attributes_of


@pytest.mark.parametrize(("level", "count"), [(LOAD_BALANCER, 2), (TARGET_GROUP, 7), (LISTENER, 2)])
def test_every_level_has_its_attributes(level: str, count: int) -> None:
    table = attributes_of(level)
    assert len(table) == count
    for key, attribute in table.items():
        assert attribute.key == key
        if attribute.type == "integer":
            assert attribute.minimum <= int(attribute.default) <= attribute.maximum
        else:
            assert attribute.default in attribute.allowed
        assert bool(attribute.refused_value) == bool(attribute.refusal) == key.startswith("send_tcp_reset.")
        assert attribute.refused_value != attribute.default
        if attribute.must_equal:
            assert table[attribute.must_equal].must_equal == key
