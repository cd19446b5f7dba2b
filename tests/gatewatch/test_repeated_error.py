"""An error that keeps coming is logged once, then seldom, and none is forgotten in the count."""

from __future__ import annotations

from typing import Any

from gatewatch.repeated_error import KINDS_MAX, LOG_S, RepeatedError


class FakeLog:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []

    def exception(self, event: str, **values: Any) -> None:
        self.said.append((event, values))

    def warning(self, event: str, **values: Any) -> None:
        self.said.append((event, {**values, "warning": True}))


class FakeClock:
    """A time that is set."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def meet(errors: RepeatedError, error: Exception, event: str = "it failed") -> None:
    try:
        raise error
    except Exception:
        errors.exception(event, number=7)


def test_an_error_ten_times_a_second_is_one_line_in_ten_seconds() -> None:
    log, clock = FakeLog(), FakeClock()
    errors = RepeatedError(log, clock=clock)
    for turn in range(301):
        clock.now_s = 100.0 + turn / 10
        meet(errors, OSError(f"message {turn}"))
    assert [values.get("unsaid", 0) for _, values in log.said] == [0, 99, 99, 99]
    assert log.said[0] == ("it failed", {"number": 7})


def test_another_kind_of_error_is_said_at_once() -> None:
    log = FakeLog()
    errors = RepeatedError(log, clock=FakeClock())
    for _ in range(3):
        meet(errors, OSError())
        meet(errors, ValueError())
        meet(errors, ValueError(), event="something else failed")
    assert [event for event, _ in log.said] == ["it failed", "it failed", "something else failed"]


def test_a_warning_that_keeps_coming_is_seldom_too() -> None:
    log, clock = FakeLog(), FakeClock()
    errors = RepeatedError(log, clock=clock)
    for turn in range(101):
        clock.now_s = 100.0 + turn / 10
        errors.warning("it is away", number=turn)
    assert log.said == [
        ("it is away", {"number": 0, "warning": True}), ("it is away", {"number": 100, "unsaid": 99, "warning": True}),
    ]


def test_one_that_comes_again_much_later_is_said_again() -> None:
    log, clock = FakeLog(), FakeClock()
    errors = RepeatedError(log, clock=clock)
    meet(errors, OSError())
    clock.now_s += LOG_S
    meet(errors, OSError())
    assert len(log.said) == 2
    assert "unsaid" not in log.said[1][1]


def test_the_kinds_remembered_are_bounded() -> None:
    errors = RepeatedError(FakeLog(), clock=FakeClock())
    for number in range(10 * KINDS_MAX):
        meet(errors, OSError(), event=f"event {number}")
    assert len(errors._said) == KINDS_MAX
