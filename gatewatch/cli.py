"""`gatewatch ...`: the front door and the composition root, which alone brings the rooms together.

Rooms are imported inside the commands, so that `gatewatch sql` does not wait for what only the forwarder needs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from gatewatch.command_line import with_settings, without_pydantic
from gatewatch.memory import choose_arrow_pool, return_large_pieces
from gatewatch.refusal import Refusal
from gatewatch.settings import Settings

app = typer.Typer(
    name="gatewatch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich takes longer to import than the help takes to read
    help="A Gateway Load Balancer you can run, see into and trust.  Start with `gatewatch demo`.",
)
lab_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="A network to run in: VPCs, route tables, appliances, clients, servers."
)
app.add_typer(lab_app, name="lab", short_help="A network to run in.")
endpoint_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Endpoints, and the devices they are attached to.")
app.add_typer(endpoint_app, name="endpoint", short_help="Where endpoints are attached.")

SERVICES = "Services, each alone"
ASK = "Ask"

#: What a person wants who watches for minutes and not for days.
DEMO_DEFAULTS = {
    "capture_window_s": 10,
    "metrics_period_s": 5,
    "alarm_period_s": 5,
    "alarm_evaluation_s": 1.0,
    "console_refresh_s": 5,
}


@app.command()
@with_settings(None, DEMO_DEFAULTS)
def demo(
    settings: Settings,
    duration: Annotated[int, typer.Option(help="how long traffic flows; 0: until Ctrl-C", metavar="seconds", min=0)] = 0,
    report: Annotated[Path | None, typer.Option(help="write the scenario's figures to this file (JSON)", metavar="file")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="no console, for scripts and tests", metavar="")] = False,
    rate: Annotated[float, typer.Option(help="new connections per second", metavar="number", min=0.1, max=500)] = 20.0,
    ingest_kills: Annotated[
        int, typer.Option(help="SIGKILL ingest this often, spread over the run", metavar="times", min=0, max=100)
    ] = 0,
) -> None:
    """The whole product alive: lab, services, traffic, and an appliance that dies and comes back."""
    from gatewatch.demo.scenario import run_demo

    _prepare(settings)
    sys.exit(
        run_demo(settings, duration_s=duration, report=report, headless=headless, rate=rate, ingest_kills=ingest_kills)
    )


@app.command()
@with_settings(None)
def up(settings: Settings) -> None:
    """Start every service on this host (no lab) under one supervisor; Ctrl-C stops them all."""
    from forwarder.lab.privilege import join_if_held
    from gatewatch.up import run_up

    join_if_held(settings.data_path)
    _prepare(settings)
    sys.exit(run_up(settings))


@app.command(rich_help_panel=SERVICES)
@with_settings("api")
def api(settings: Settings) -> None:
    """The AWS API: elbv2 for gateway load balancers, on 127.0.0.1:8060."""
    from gatewatch.api_service import serve

    _prepare(settings)
    serve(settings)


@app.command(rich_help_panel=SERVICES)
@with_settings("forwarder")
def forwarder(settings: Settings) -> None:
    """The packet path, its health probes and its telemetry."""
    from forwarder.lab.privilege import join_if_held
    from forwarder.service import serve

    join_if_held(settings.data_path)
    _prepare(settings)
    serve(settings)


@app.command(rich_help_panel=SERVICES)
@with_settings("ingest")
def ingest(settings: Settings) -> None:
    """The writer of the lake: bus to Parquet, exactly once."""
    from ingest.service import serve

    _prepare(settings)
    serve(settings)


@app.command(rich_help_panel=SERVICES)
@with_settings("alarms")
def alarms(settings: Settings) -> None:
    """Evaluates the alarms and tells the webhook."""
    from queries.alarms.service import serve

    _prepare(settings)
    serve(settings)


@app.command(rich_help_panel=SERVICES)
@with_settings("console")
def console(settings: Settings) -> None:
    """The dashboards, on http://127.0.0.1:8050."""
    from dashboards.service import serve

    _prepare(settings)
    serve(settings)


@app.command(rich_help_panel=SERVICES)
@with_settings("appliance")
def appliance(
    settings: Settings,
    name: Annotated[str, typer.Option(help="name in its access log and counters")] = "appliance",
    address: Annotated[str, typer.Option(help="address it receives GENEVE on (UDP 6081)")] = "0.0.0.0",
    rules: Annotated[Path | None, typer.Option(help="allow and deny rules (TOML); none: allow everything", metavar="file")] = None,
    health_port: Annotated[int, typer.Option(help="port that answers health checks", metavar="port", min=1, max=65_535)] = 80,
    netns: Annotated[str, typer.Option(help="network namespace of its interface; empty: this one")] = "",
) -> None:
    """A small firewall behind the balancer: takes GENEVE, applies rules, returns what it allows."""
    from forwarder.lab.appliance import serve

    _prepare(settings)
    serve(settings, name=name, address=address, netns=netns, rules=rules, health_port=health_port)


@app.command(rich_help_panel=ASK)
@with_settings("sql")
def sql(
    settings: Settings,
    statement: Annotated[str, typer.Argument(help="one SELECT over the tables of the lake; `-`: read standard input")],
    output: Annotated[str, typer.Option(help="table, csv or json")] = "table",
) -> None:
    """Run SQL over the lake: flow_logs, metrics, audit_events, target_health, appliance_access, alarm_events, rejects."""
    from queries.worker_process import launch

    _need_data_folder(settings)
    launched = launch()  # it imports DuckDB while this process imports its own part
    from gatewatch.answers import run_statement

    sys.exit(run_statement(settings, sys.stdin.read() if statement == "-" else statement, output, launched))


@app.command(rich_help_panel=ASK)
@with_settings("sql")
def query(
    settings: Settings,
    name: Annotated[str, typer.Argument(help="saved query; none: list them")] = "",
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE, may be repeated")
    ] = None,
    last: Annotated[str, typer.Option(help="how far back: 90s, 15m, 3h, 7d, or all")] = "all",
    output: Annotated[str, typer.Option(help="table, csv or json")] = "table",
) -> None:
    """Run a saved query, or list them."""
    from gatewatch.answers import list_saved, run_saved

    if not name:
        sys.exit(list_saved())
    _need_data_folder(settings)
    sys.exit(run_saved(settings, name, parameter or [], last, output))


@app.command(rich_help_panel=ASK)
@with_settings("status")
def status(
    settings: Settings,
    output: Annotated[str, typer.Option(help="table or json")] = "table",
) -> None:
    """The chain of counters from packet to lake row, and whether it balances (exit status 1 when it does not)."""
    from gatewatch.status_view import show_status

    _need_data_folder(settings)
    sys.exit(show_status(settings, output))


@app.command(rich_help_panel=ASK)
@with_settings("status")
def health(
    settings: Settings,
    service: Annotated[str, typer.Argument(help="api, forwarder, ingest, alarms, console, ...; none: the whole")] = "",
) -> None:
    """Whether traffic passes and is recorded (exit status 1: not), or whether one service wrote its counters a moment ago."""
    from gatewatch.status_view import overall_health, service_health

    _need_data_folder(settings)
    sys.exit(service_health(settings, service) if service else overall_health(settings))


@app.command("settings", rich_help_panel=ASK)
def list_settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="as a page of the documents", metavar="")] = False,
) -> None:
    """Every setting: name, default, what is allowed, what it does."""
    from gatewatch.settings_page import show_settings

    show_settings(markdown=markdown)


@endpoint_app.command("list")
@with_settings("status")
def endpoint_list(settings: Settings) -> None:
    """Every endpoint: its id, its state, its address, and the device its packets enter and leave by."""
    from gatewatch.endpoint_commands import endpoint_list as run

    run(settings)


@endpoint_app.command("attach")
@with_settings("status")
def endpoint_attach(
    settings: Settings,
    endpoint: Annotated[str, typer.Argument(help="the endpoint's id, as `aws ec2 create-vpc-endpoint` told it", metavar="vpce-ID")],
    device: Annotated[str, typer.Option(help="packets enter and leave by this network device", metavar="name")],
    router_mac: Annotated[str, typer.Option(help="MAC address of the router that packets go back to", metavar="address")],
    netns: Annotated[str, typer.Option(help="namespace that the device is in; empty: the forwarder's own", metavar="name")] = "",
) -> None:
    """Give an endpoint a device of this machine; a running forwarder opens it within a second.

    In the lab endpoints are attached by themselves.
    """
    from forwarder.inventory import Attachment
    from gatewatch.endpoint_commands import endpoint_attach as run

    run(settings, endpoint, Attachment(device=device, netns=netns, router_mac=router_mac))


@lab_app.command("up")
@with_settings("lab")
def lab_up(settings: Settings) -> None:
    """Build the lab's network; a lab that is up is taken down first."""
    from gatewatch.lab_commands import lab_up as run

    run(settings)


@lab_app.command("run")
@with_settings("lab")
def lab_run(
    settings: Settings,
    balancer: Annotated[
        bool, typer.Option("--balancer", help="create the load balancer through the API once that answers", metavar="")
    ] = False,
    rate: Annotated[float, typer.Option(help="new connections per second", metavar="number", min=0.1, max=500)] = 20.0,
) -> None:
    """The lab with its appliances and traffic, until Ctrl-C; then all of it is taken down."""
    from gatewatch.lab_commands import lab_run as run

    _prepare(settings)
    run(settings, balancer=balancer, rate=rate)


@lab_app.command("show")
@with_settings("lab")
def lab_show(settings: Settings) -> None:
    """Print VPCs, subnets, route tables and targets, so that a packet can be followed by eye."""
    from gatewatch.lab_commands import lab_show as run

    run(settings)


@lab_app.command("down")
@with_settings("lab")
def lab_down(
    settings: Settings,
    name: Annotated[str, typer.Option(help="also remove the lab of this name, whose data folder is lost")] = "",
) -> None:
    """Remove everything the lab made, also after a crash."""
    from gatewatch.lab_commands import lab_down as run

    run(settings, name=name)


def _prepare(settings: Settings) -> None:
    from gatewatch.service import set_up_logging

    set_up_logging(settings.log_level)
    return_large_pieces()
    try:
        settings.data_path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"the data folder {settings.data} cannot be made: {error.strerror}; choose another with --data") from error


def _need_data_folder(settings: Settings) -> None:
    """A folder that is not there is a mistyped `--data`, not a lake without rows."""
    if not settings.data_path.exists():
        raise Refusal(f"there is no data folder {settings.data}; name the one in use with --data, "
                      "or start with `gatewatch demo` or `gatewatch up`")


def main() -> None:
    """Entry point of the `gatewatch` script: what a person must put right is said in one line, with exit status 2."""
    choose_arrow_pool()
    _leave_flags_of_others(app, set(sys.argv[1:]))
    command = typer.main.get_command(app)
    without_pydantic(command)
    try:
        status = command(standalone_mode=False)
    except TyperException as error:
        _say_wrong_call(error)
        sys.exit(error.exit_code)
    except (Refusal, OSError) as error:
        typer.echo(f"gatewatch: {error}", err=True)
        sys.exit(2)
    sys.exit(status)


def _leave_flags_of_others(group: typer.Typer, words: set[str]) -> None:
    """Let the commands that were not called keep their name and sentence only: to make all flags takes longer than to help."""
    for command in group.registered_commands:
        function = command.callback
        assert function is not None, "commands are made of functions"
        command.short_help = (function.__doc__ or "").partition("\n")[0]  # whole, where typer would cut it off
        if (command.name or function.__name__) not in words:
            command.callback = _bare(function.__name__, function.__doc__)
    for below in group.registered_groups:
        if below.typer_instance is not None:
            _leave_flags_of_others(below.typer_instance, words)


def _bare(name: str, sentence: str | None) -> Callable[[], None]:
    def command() -> None:
        raise AssertionError(f"{name} was not called")

    command.__name__, command.__doc__ = name, sentence
    return command


def _say_wrong_call(error: TyperException) -> None:
    """One line for a command or option there is not; nothing where the help was printed for a command without one."""
    text = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    if text:
        called = context.command_path if context else "gatewatch"
        typer.echo(f"gatewatch: {text[0].lower()}{text[1:]}; `{called} --help` says what there is", err=True)
