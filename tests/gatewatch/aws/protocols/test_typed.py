"""Content with types of its own, along a shape."""

from __future__ import annotations

import pytest
from botocore.model import Shape
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.aws.protocols.typed import TypedReader, write_typed
from gatewatch.aws.services import model

PUT = model("cloudwatch").operation_model("PutMetricData").input_shape
TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "double": (float, int), "integer": (int,), "boolean": (bool,)}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["Namespace", "MetricData", "MetricName", "Dimensions", "Name", "Value", "Values", "x"]), inner, max_size=4),
    max_leaves=12,
)


def take(shape: Shape, value: object) -> object:
    return value


@given(st.dictionaries(st.sampled_from(["Namespace", "MetricData", "StrictEntityValidation", "x"]), anything, max_size=4))
def test_whatever_is_sent_gives_parameters_and_problems(content: dict[str, object]) -> None:
    found, problems = TypedReader({**TYPES, "timestamp": (float,), "blob": (bytes,)}, take).read(content, PUT)
    assert found.keys() <= PUT.members.keys()
    assert all(problem.path for problem in problems)
    assert found.keys() == {name for name in content if name in PUT.members and content[name] is not None}


def test_an_operation_without_input_takes_nothing() -> None:
    found, problems = TypedReader(TYPES, take).read({"Colour": 1}, None)
    assert (found, [(problem.path, problem.unknown) for problem in problems]) == ({}, [("Colour", True)])


def test_a_member_the_model_does_not_have_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="Colour"):
        write_typed(PUT, {"Colour": 1}, lambda value: value)


def test_what_is_none_is_left_out() -> None:
    assert write_typed(PUT, {"Namespace": "n", "MetricData": None}, lambda value: value) == {"Namespace": "n"}
