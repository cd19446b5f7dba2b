"""The lab's appliances as processes: one for each appliance there is, also for those that the API launched or took away meanwhile."""

from __future__ import annotations

from forwarder.lab.lab import Lab
from gatewatch.settings import Settings
from gatewatch.supervisor import ServiceCommand, Supervisor
from gatewatch.up import service_command


class Crew:
    """Call `follow` with the lab as it is; only what came or went since the last call is started or stopped."""

    def __init__(self, supervisor: Supervisor, settings: Settings) -> None:
        self._supervisor = supervisor
        self._settings = settings
        self._names: tuple[str, ...] = ()

    def follow(self, lab: Lab) -> None:
        """Start the appliances that came, stop those that went."""
        names = tuple(appliance.name for appliance in lab.appliances)
        if names == self._names:
            return
        for name in self._names:
            if name not in names:
                self._supervisor.stop(name)
        for name in names:
            if name not in self._names:
                self.start(lab, name)
        self._names = names

    def start(self, lab: Lab, name: str) -> None:
        """Start, or start again, one of them."""
        self._supervisor.start(appliance_command(lab, name, self._settings))


def appliance_command(lab: Lab, name: str, settings: Settings) -> ServiceCommand:
    """How one of the lab's appliances is run."""
    appliance = next(machine for machine in lab.appliances if machine.name == name)
    arguments = (
        "--name",
        appliance.name,
        "--address",
        appliance.address,
        "--netns",
        appliance.netns,
        "--rules",
        str(lab.rules),
    )
    command = service_command("appliance", settings, *arguments)
    return ServiceCommand(name=name, argv=command.argv, environment=command.environment)
