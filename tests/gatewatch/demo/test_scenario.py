"""The scenario's plan, and that it never removes what is not a demo's."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewatch.demo.scenario import MARKER, Refused, hints, plan_acts, prepare_folder, refuse_unwritable, told
from gatewatch.settings import Settings
from queries.alarms.state import StateValue


@pytest.mark.parametrize("duration_s", [0, 20, 60, 600])
def test_acts_are_in_order_and_within_the_run(duration_s: float) -> None:
    acts = plan_acts(duration_s, 10)
    order = [acts.kill_s, acts.kill_latest_s, acts.revive_s, acts.revive_latest_s]
    assert order == sorted(order)
    assert acts.ingest_kills_s == sorted(acts.ingest_kills_s)
    assert len(acts.ingest_kills_s) == 10
    if duration_s:
        assert max(order + acts.ingest_kills_s) < duration_s


def test_the_acts_are_over_when_all_has_been_shown() -> None:
    acts = plan_acts(60, 1)
    calm, were = {"unhealthy": StateValue.OK}, {StateValue.OK, StateValue.ALARM}
    assert not acts.over(revived=True, alarms=calm, alarms_were=were), "ingest was not killed yet"
    acts.ingest_kills_s.pop()
    assert acts.over(revived=True, alarms=calm, alarms_were=were)
    assert not acts.over(revived=False, alarms=calm, alarms_were=were)
    assert not acts.over(revived=True, alarms={"unhealthy": StateValue.ALARM}, alarms_were=were)
    assert not acts.over(revived=True, alarms=calm, alarms_were={StateValue.OK})


def test_an_earlier_demo_is_removed(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    (tmp_path / "lake" / "metrics").mkdir(parents=True)
    (tmp_path / "manifest.sqlite-wal").touch()
    (tmp_path / "lab").mkdir()
    (tmp_path / "notes.txt").touch()
    prepare_folder(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab", MARKER, "notes.txt"]


def test_records_of_somebody_else_are_never_removed(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    with pytest.raises(Refused, match="choose another folder with --data"):
        prepare_folder(tmp_path)
    assert (tmp_path / "lake").exists()


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "new")
    assert (tmp_path / "new" / MARKER).exists()


def test_a_report_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    refuse_unwritable(None)
    refuse_unwritable(tmp_path / "report.json")
    assert not (tmp_path / "report.json").exists(), "a demo that is refused later must leave no empty report"
    with pytest.raises(Refused, match="cannot be written: No such file or directory"):
        refuse_unwritable(tmp_path / "none" / "report.json")


def test_a_difference_is_told_with_its_counts_where_it_has_some() -> None:
    assert told({"chain": "demo", "what": "late"}) == "differs   demo: late"
    assert told({"chain": "a", "what": "b", "expected": 1234, "found": 0}) == "differs   a: b: expected 1,234, found 0"


def test_the_hints_can_be_pasted() -> None:
    shown = hints(Settings(data="/tmp/my lab", api_port=18_060, region="eu-west-1"))
    assert shown[0].endswith(" status --data '/tmp/my lab'")
    assert shown[-1] == ("AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=eu-west-1 "
                         "aws --endpoint-url http://127.0.0.1:18060 elbv2 describe-load-balancers")
    assert "any" not in hints(Settings(api_credentials="keys.toml"))[-1]
    assert not any("--data" in line for line in hints(Settings()))
