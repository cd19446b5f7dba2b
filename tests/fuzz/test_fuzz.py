"""A bounded share of the fuzz run (`make fuzz` does the whole): only a packet or a counted drop reason comes out."""

from __future__ import annotations

import json

import pytest

from forwarder.capture.drop_reason import DROP_REASONS, DropReason
from tests.fuzz.fuzz_codec import fuzz_round, fuzz_scapy, main, run_round

#: Not made by bytes: the data path reports them.
REPORTED = {
    DropReason.RECEIVE_QUEUE_FULL, DropReason.RETURN_QUEUE_FULL, DropReason.SEND_FAILED, DropReason.DELIVER_FAILED,
    DropReason.NOT_RETURNED,
}


def test_engine_and_codec_survive_a_hundred_thousand_packets_and_meet_every_reason() -> None:
    seen = fuzz_round("ci/0", 50_000) + fuzz_round("ci/1", 50_000)
    assert sum(seen.values()) >= 100_000
    made_by_bytes = {reason for reason in DROP_REASONS if reason not in REPORTED}
    assert made_by_bytes <= set(seen)


def test_scapy_says_the_same_of_a_thousand_packets() -> None:
    assert fuzz_scapy("ci", 1000) > 500


def test_the_program_prints_what_came_out(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--count", "500", "--scapy-count", "20", "--jobs", "1"])
    printed = json.loads(capsys.readouterr().out)
    assert (printed["packets"], printed["scapy_packets"], printed["jobs"]) == (500, 20, 1)
    assert printed["outcome"]["sent"] > 0


def test_a_round_can_be_repeated_alone(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = []
    for _ in range(2):
        main(["--round", "ci/0/engine/0"])
        outcomes.append(json.loads(capsys.readouterr().out)["outcome"])
    assert outcomes[0] == outcomes[1]


def test_a_failure_names_its_round(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(seed: str, count: int) -> int:
        raise KeyError(count)

    monkeypatch.setattr("tests.fuzz.fuzz_codec.fuzz_round", break_down)
    with pytest.raises(AssertionError, match=r"round 'x/0/engine/3': KeyError: 7"):
        run_round("x/0/engine/3", 7)
