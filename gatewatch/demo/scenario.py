"""`gatewatch demo`: sets the stage, tells what happens, lets one appliance die and come back, and writes the report."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from pathlib import Path
from typing import Any

import typer

from forwarder.lab.privilege import ensure_privileges
from gatewatch.data_folder import lab_run, supervised
from gatewatch.demo.acts import OVERTIME_SHARE_MAX, Acts, plan_acts
from gatewatch.demo.balancer import Balancer, NoAnswer, client, create_balancer, target_states, wait_for_api
from gatewatch.demo.preparation import Refused, prepare_folder, refuse_unwritable
from gatewatch.demo.report import foreign_records, make_report, write_report
from gatewatch.demo.stage import Stage
from gatewatch.demo.witnesses import CHAIN, contradictions, device_counts
from gatewatch.service import stop_event
from gatewatch.settings import Settings
from gatewatch.up import refuse_taken_ports
from queries.alarms.state import StateValue, read_alarms
from queries.conditions.condition import CONDITIONS, alarm_name

API_WAIT_S = 60.0
HEALTHY_WAIT_S = 90.0
_FOREVER_S = 10.0**9

#: Different errors told; a message that changes each time must not fill the terminal.
PROBLEMS_MAX = 20
_CONDITION_ALARMS = {alarm_name(code) for code in CONDITIONS}


def run_demo(
    settings: Settings, *, duration_s: float, report: Path | None, headless: bool, rate: float, ingest_kills: int
) -> int:
    """Run the demo; the exit status (0: the books balance, 1: they do not).  `Refusal` when it cannot start."""
    refuse_unwritable(report)
    ensure_privileges(settings.data_path)
    with supervised(settings.data_path), lab_run(settings.data_path):
        refuse_taken_ports(settings, console=not headless)
        prepare_folder(settings.data_path)
        demo = Demo(settings, headless=headless, rate=rate)
        return demo.run(plan_acts(duration_s, ingest_kills), duration_s, report)


def program() -> str:
    """How this program was called, so that a hint can be copied as it stands."""
    called = Path(sys.argv[0])
    return f"{Path(sys.executable)} -m gatewatch" if called.name == "__main__.py" else str(called)


def hints(settings: Settings) -> list[str]:
    """Commands to try while the demo runs, each as it can be pasted."""
    where = "" if settings.data == Settings().data else f" --data {shlex.quote(settings.data)}"
    lines = [f"{program()} {question}{where}" for question in ("status", "query top_talkers", "lab show")]
    # Any well-formed signature is taken unless the settings say who may call.
    keys = "" if settings.api_credentials else "AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any "
    url = f"http://{settings.api_host}:{settings.api_port}"
    return [*lines, f"{keys}AWS_DEFAULT_REGION={settings.region} aws --endpoint-url {url} elbv2 describe-load-balancers"]


def told(difference: dict[str, Any]) -> str:
    """One of the report's differences as a line for people."""
    counts = f": expected {difference['expected']:,}, found {difference['found']:,}" if "expected" in difference else ""
    return f"differs   {difference['chain']}: {difference['what']}{counts}"


class Demo:
    """One run of the demo, in the main thread."""

    def __init__(self, settings: Settings, *, headless: bool, rate: float) -> None:
        """Nothing is started yet."""
        self._settings = settings
        self._headless = headless
        self._stage = Stage(settings, console=not headless, rate=rate)
        self._stop: threading.Event = stop_event()
        self._begun_s = time.monotonic()
        self._elbv2: Any = None
        self._balancer: Balancer | None = None
        self._states: dict[str, str] = {}
        self._alarms: dict[str, StateValue] = {}
        self._alarm_was: set[StateValue] = set()
        self._killed_s: float | None = None
        self._revived = False
        self._next_look_s = 0.0
        self._health_known = True
        self._restarted: set[str] = set()
        self._problems: set[str] = set()

    def run(self, acts: Acts, duration_s: float, report: Path | None) -> int:
        """From the first namespace to the report."""
        started_s = time.time()
        try:
            self._begin()
            traffic_s = time.monotonic()
            end_s = traffic_s + (duration_s or _FOREVER_S)
            self._stage.run_until(end_s, self._stop.is_set, lambda: self._act(acts, time.monotonic() - traffic_s))
            if duration_s and not self._stop.is_set():
                self._finish_acts(acts, traffic_s, end_s + OVERTIME_SHARE_MAX * duration_s)
            self._restarted = self._stage.restarted()
            self._say("stopping: traffic first, then what records it, ingest last")
            drained = self._stage.drain()
            contradicted = self._question_witnesses()
        finally:
            self._stage.close()
        return self._finish(report, started_s, drained, contradicted)

    def _begin(self) -> None:
        self._say("building the lab: two VPCs, their route tables, three appliances, clients and servers")
        self._stage.open()
        self._elbv2 = client(self._settings)
        if not wait_for_api(self._elbv2, API_WAIT_S):
            raise Refused(
                f"the API did not answer within {API_WAIT_S:.0f} s; see {self._settings.data_path / 'logs' / 'api.log'}"
            )
        if not self._headless:
            self._say(f"console   http://{self._settings.console_host}:{self._settings.console_port}")
        self._say("creating load balancer, target group, targets and listener through the AWS API")
        lab = self._stage.lab
        self._balancer = create_balancer(
            self._elbv2, lab.inventory, [machine.instance_id for machine in lab.appliances]
        )
        deadline_s = time.monotonic() + HEALTHY_WAIT_S
        self._stage.run_until(deadline_s, lambda: self._stop.is_set() or self._all_healthy(), self._look)
        if self._stop.is_set():
            return
        self._stage.start_traffic()
        self._say("traffic: HTTP, DNS, ping, SSH-like and a port scan now and then, from 203.0.113.0/24 to 10.0.2.0/24")
        self._hint()

    def _hint(self) -> None:
        self._say("ask, in another terminal:")
        for line in hints(self._settings):
            typer.echo(f"    {line}")

    def _act(self, acts: Acts, elapsed_s: float) -> None:
        self._look()
        if acts.ingest_kills_s and elapsed_s >= acts.ingest_kills_s[0] and self._stage.kill_ingest_at_work():
            acts.ingest_kills_s.pop(0)
            self._say("killed ingest (SIGKILL)")
        if self._killed_s is None:
            ready = elapsed_s >= acts.kill_s and StateValue.OK in self._alarm_was
            if ready or elapsed_s >= acts.kill_latest_s:
                self._kill()
        elif not self._revived:
            ready = elapsed_s >= acts.revive_s and StateValue.ALARM in self._alarm_was
            if ready or elapsed_s >= acts.revive_latest_s:
                self._revive()

    def _finish_acts(self, acts: Acts, traffic_s: float, end_s: float) -> None:
        """On a slow machine, go on until all has been shown, or until the monotonic `end_s`."""

        def over() -> bool:
            shown = acts.over(revived=self._revived, alarms=self._alarms, alarms_were=self._alarm_was)
            return shown or self._stop.is_set()

        if not over():
            self._say("going on a little: not everything has been shown yet")
            self._stage.run_until(end_s, over, lambda: self._act(acts, time.monotonic() - traffic_s))

    def _kill(self) -> None:
        name = self._victim()
        self._say(f"killing {name} (SIGKILL): its flows stay with it, new ones must find another")
        self._killed_s = time.time()
        self._stage.supervisor.halt(name)

    def _revive(self) -> None:
        self._say(f"reviving {self._victim()}")
        self._revived = True
        self._stage.start_appliance(self._victim())

    def _victim(self) -> str:
        return str(self._stage.lab.appliances[0].name)

    def _look(self) -> None:
        """Tell of changes in target health and alarms, about twice a second."""
        if time.monotonic() < self._next_look_s or self._balancer is None:
            return
        self._next_look_s = time.monotonic() + 0.5
        for look in (self._look_after_the_lab, self._look_at_targets, self._look_at_alarms):
            try:
                look()
            except Exception as error:  # the demo's outermost loop: whatever it cannot see, its services go on
                self._say_once(f"{type(error).__name__}: {error}")

    def _say_once(self, problem: str) -> None:
        """Say what went wrong, but not at every look."""
        if problem not in self._problems and len(self._problems) < PROBLEMS_MAX:
            self._problems.add(problem)
            self._say(f"going on after an error: {problem}")

    def _look_after_the_lab(self) -> None:
        for what in self._stage.caretaker.look():
            self._say(what)

    def _look_at_alarms(self) -> None:
        for alarm in read_alarms(self._settings.data_path):
            known = self._alarms.get(alarm.name)
            # Of the many that watch conditions only what happens is told, not that they begin.
            begins = alarm.state is not StateValue.ALARM and known in (None, StateValue.INSUFFICIENT_DATA)
            if known != alarm.state and not (begins and alarm.name in _CONDITION_ALARMS):
                self._say(f"alarm {alarm.name} is {alarm.state}")
            self._alarms[alarm.name] = alarm.state
            if alarm.name not in _CONDITION_ALARMS:
                self._alarm_was.add(alarm.state)

    def _look_at_targets(self) -> None:
        assert self._balancer is not None
        try:
            states = target_states(self._elbv2, self._balancer.target_group_arn)
        except NoAnswer as error:
            # The supervisor starts it again; packets do not wait for it, nor does the scenario.
            if self._health_known:
                self._say(str(error))
            self._health_known = False
            return
        if not self._health_known:
            self._say("the targets' health is known again")
        self._health_known = True
        names = {machine.instance_id: machine.name for machine in self._stage.lab.appliances}
        for target, state in states.items():
            if self._states.get(target) != state:
                self._say(f"target {names.get(target, target)} is {state}")
        self._states = states

    def _all_healthy(self) -> bool:
        return bool(self._states) and set(self._states.values()) == {"healthy"}

    def _question_witnesses(self) -> list[dict[str, Any]]:
        """Hold the books against the kernel's counters and the appliances'; while their namespaces are still there."""
        lab = self._stage.lab
        broken = self._restarted | ({self._victim()} if self._killed_s is not None else set())
        unbroken = {machine.address: machine.name for machine in lab.appliances if machine.name not in broken}
        try:
            devices = {endpoint.id: device_counts(endpoint) for endpoint in lab.inventory.endpoints}
        except OSError as error:
            return [{"chain": CHAIN, "what": f"an endpoint's device cannot be asked: {error}"}]
        return contradictions(self._settings.data_path, devices, unbroken)

    def _finish(self, report: Path | None, started_s: float, drained: bool, contradicted: list[dict[str, Any]]) -> int:
        figures = make_report(self._settings, started_s=started_s, killed_s=self._killed_s)
        figures["differences"] += contradicted
        if not drained:
            figures["differences"].append({"chain": "demo", "what": "records were still under way at the end"})
        figures["balanced"] = not figures["differences"]
        if foreign := foreign_records(self._settings.data_path):
            self._say(f"the broker also held {foreign:,} records of other runs; freshness_s and the console count them too")
        if report is not None:
            write_report(report, figures)
            self._say(f"report written to {report}")
        packets = figures["packets"]
        self._say(
            f"{packets['offered']:,} packets offered, {packets['delivered']:,} delivered, "
            f"{sum(packets['dropped'].values()):,} dropped; {figures['flow_records']['in_lake']:,} flow records in the lake; "
            f"the books {'balance' if figures['balanced'] else 'DO NOT BALANCE'}"
        )
        for difference in figures["differences"]:
            self._say(told(difference))
        return 0 if figures["balanced"] else 1

    def _say(self, text: str) -> None:
        typer.echo(f"[{time.monotonic() - self._begun_s:6.1f} s] {text}")
