"""XML as botocore reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.aws.protocols import xml
from gatewatch.aws.protocols.query import Query
from gatewatch.aws.services import ELBV2, model
from tests.gatewatch.aws.protocols.reading import parsed


@given(st.text(max_size=20))
def test_any_text_survives_or_is_replaced(text: str) -> None:
    operation_model = model("elbv2").operation_model("DescribeLoadBalancers")
    answer = Query().result(ELBV2, operation_model, {"NextMarker": text}, "rid")
    found = parsed(ELBV2, "DescribeLoadBalancers", answer, "query").get("NextMarker", "")
    legal = [character for character in text if character >= " " and character not in "\ufffe\uffff"]
    assert [character for character in found if character not in "\ufffd\t\n\r"] == [
        character for character in legal if character != "\ufffd"
    ]


def test_a_member_the_model_does_not_have_is_a_bug() -> None:
    shape = model("elbv2").operation_model("DescribeTags").output_shape
    with pytest.raises(AssertionError, match="Colour"):
        list(xml.members(shape, {"Colour": 1}, "query"))
