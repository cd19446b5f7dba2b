"""What the demo says on the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewatch.demo import scenario
from gatewatch.demo.balancer import Balancer
from gatewatch.demo.scenario import hints, told
from gatewatch.settings import Settings


def test_a_difference_is_told_with_its_counts_where_it_has_some() -> None:
    assert told({"chain": "demo", "what": "late"}) == "differs   demo: late"
    assert told({"chain": "a", "what": "b", "expected": 1234, "found": 0}) == "differs   a: b: expected 1,234, found 0"


def test_the_demo_goes_on_after_any_error_and_says_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the alarms' file is gone")

    monkeypatch.setattr(scenario, "read_alarms", broken)
    monkeypatch.setattr(scenario, "target_states", lambda *_: {"i-1": "healthy"})
    demo = scenario.Demo(Settings(data=str(tmp_path)), headless=True, rate=1.0)
    demo._balancer = Balancer(load_balancer_arn="a", target_group_arn="b", listener_arn="c")
    monkeypatch.setattr(demo, "_look_at_targets", lambda: None)
    for _ in range(3):
        demo._next_look_s = 0.0
        demo._look()
    assert capsys.readouterr().out.count("going on after an error: RuntimeError: the alarms' file is gone") == 1


def test_the_hints_can_be_pasted() -> None:
    shown = hints(Settings(data="/tmp/my lab", api_port=18_060, region="eu-west-1"))
    assert shown[0].endswith(" status --data '/tmp/my lab'")
    assert shown[-1] == ("AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=eu-west-1 "
                         "aws --endpoint-url http://127.0.0.1:18060 elbv2 describe-load-balancers")
    assert "any" not in hints(Settings(api_credentials="keys.toml"))[-1]
    assert not any("--data" in line for line in hints(Settings()))
