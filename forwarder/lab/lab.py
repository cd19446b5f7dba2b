"""The door to the lab: bring it up, read what it is, take it down.

What will be made is written to `DATA/lab/lab.json` before any of it is made, so `down` finds everything whatever
happened in between; `up` takes down what an earlier run left.  Call `privilege.ensure_privileges` first.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import tomli_w

from forwarder.inventory import Inventory
from forwarder.lab import build, namespace, topology
from forwarder.lab.build import BuildError
from forwarder.lab.plan import Machine, Plan
from forwarder.lab.privilege import JOINED, BadEnvironment, lab_folder, stop_holder
from forwarder.lab.reconcile import Before, reconcile
from forwarder.lab.rules import LAB_RULES
from forwarder.lab.wiring import wire
from forwarder.network_namespace import NETNS_FOLDER
from gatewatch.refusal import Refusal


class NoLab(Refusal, LookupError):
    """There is no lab in this data folder; the message says how to get one."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `lab.json`.  `building` means that some of the plan may be there, and `before` are plans of which something
    may be there besides.

    `held` says that a holder's namespaces have it: it is gone when the holder is.
    """

    state: Literal["building", "up"]
    held: bool
    made_netns_folder: bool
    plan: Plan
    before: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What `down` took away."""

    namespaces: int
    holder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A lab that is up."""

    data: Path
    plan: Plan

    @property
    def name(self) -> str:
        """The word its namespaces' names begin with."""
        return self.plan.name

    @property
    def rules(self) -> Path:
        """The appliances' rule file, written once and then left to the person."""
        return lab_folder(self.data) / "rules.toml"

    @property
    def inventory(self) -> Inventory:
        """What `DATA/inventory.toml` says."""
        return self.plan.inventory

    @property
    def appliances(self) -> tuple[Machine, ...]:
        """The appliances: name, instance id, address, zone, namespace."""
        return self.plan.appliances

    @property
    def clients(self) -> tuple[Machine, ...]:
        """The internet clients."""
        return self.plan.clients

    @property
    def servers(self) -> tuple[Machine, ...]:
        """The application servers."""
        return self.plan.servers

    @classmethod
    def up(cls, data: Path, *, name: str = topology.DEFAULT_NAME,
           host_mtu_bytes: int = topology.HOST_MTU_BYTES) -> Lab:
        """Build the network and write the inventory; what an earlier lab of this folder left goes first.

        `BadEnvironment` when the kernel refuses, or another data folder's lab has the name; nothing is left then.
        """
        plan = topology.plan(name, host_mtu_bytes=host_mtu_bytes)
        with _locked(data):
            _remove_recorded(data)
            _refuse_foreign(plan)
            made_folder = not NETNS_FOLDER.exists()
            held = bool(os.environ.get(JOINED))
            _write_record(data, Record(state="building", held=held, made_netns_folder=made_folder, plan=plan))
            try:
                namespace.prepare_folder()
                reconcile(plan)
            except (OSError, BuildError) as error:
                _remove_recorded(data)
                raise BadEnvironment(f"the lab cannot be made here: {error}") from error
            _offer_rules(data)
            _write_whole(data / "inventory.toml", _inventory_text(plan).encode())
            _write_record(data, Record(state="up", held=held, made_netns_folder=made_folder, plan=plan))
        return cls(data=data, plan=plan)

    @classmethod
    def read(cls, data: Path) -> Lab:
        """The lab that is up in this data folder; `NoLab` when none is, or it was left half made."""
        record = _read_record(data)
        if record is None or record.state != "up":
            raise NoLab(f"no lab is up in {data}; `gatewatch lab up` makes one")
        return cls(data=data, plan=record.plan)

    def follow(self, network: Inventory, *, before_step: Before = lambda what: None) -> Lab:
        """Make the namespaces be what this network says; the lab as it is then.

        What may be there is written down before anything is done, so the next call finishes what this one was cut short in.
        `BadEnvironment` when the kernel refuses, or the network cannot be wired; the rest of the lab goes on.
        """
        try:
            plan = wire(self.name, network, host_mtu_bytes=self.plan.host_mtu_bytes)
            with _locked(self.data):
                record = _read_record(self.data)
                if record is None:
                    raise NoLab(f"the lab of {self.data} was taken down")
                former = tuple(dict.fromkeys((*record.before, record.plan)))
                before = former if plan != record.plan else record.before
                _write_record(self.data, msgspec.structs.replace(record, plan=plan, before=before))
                reconcile(plan, before=before or (plan,), before_step=before_step)
                _write_record(self.data, msgspec.structs.replace(record, plan=plan, before=()))
        except (OSError, ValueError, BuildError) as error:
            raise BadEnvironment(f"the lab cannot follow the network: {error}") from error
        return Lab(data=self.data, plan=plan)

    @staticmethod
    def down(data: Path, *, name: str = "") -> Removed:
        """Remove everything the lab of this folder made; nothing to remove is fine.

        `name` removes a lab of that name whose data folder is lost.  `BadEnvironment` when the kernel refuses.
        """
        with _locked(data):
            try:
                removed = _remove_recorded(data)
                if name:
                    removed += build.remove(_namespaces(topology.plan(name)))
            except OSError as error:
                raise BadEnvironment(f"the lab of {data} cannot be removed: {error}") from error
            holder = stop_holder(data)
        return Removed(namespaces=removed, holder=holder)


def _remove_recorded(data: Path) -> int:
    record = _read_record(data)
    if record is None:
        return 0
    joined = bool(os.environ.get(JOINED))
    if joined and not record.held:
        raise BadEnvironment(f"the lab of {data} was made by root; take it down as root")
    # Without a holder to join, what it held is gone already, and the same names here are somebody else's.
    names = dict.fromkeys(name for plan in (record.plan, *record.before) for name in _namespaces(plan))
    removed = build.remove(tuple(names)) if joined == record.held else 0
    if record.made_netns_folder and not record.held:
        namespace.remove_folder()
    inventory = data / "inventory.toml"
    if inventory.exists() and inventory.read_text(encoding="utf-8") == _inventory_text(record.plan):
        inventory.unlink()
    _record_path(data).unlink()
    return removed


def _offer_rules(data: Path) -> None:
    """The appliances' rules, for a person to change; what was changed stays."""
    path = lab_folder(data) / "rules.toml"
    if not path.exists():
        _write_whole(path, LAB_RULES.read_bytes())


def _refuse_foreign(plan: Plan) -> None:
    foreign = [name for name in _namespaces(plan) if namespace.exists(name)]
    if foreign:
        raise BadEnvironment(
            f"the namespace {foreign[0]} exists and is not this data folder's; take that lab down, "
            f"or run `gatewatch lab down --name {plan.name}` if its data folder is lost"
        )


def _namespaces(plan: Plan) -> tuple[str, ...]:
    return tuple(entry.name for entry in plan.namespaces)


def _inventory_text(plan: Plan) -> str:
    title = "# Written by `gatewatch lab up`; `gatewatch lab down` removes it unless it was changed.\n\n"
    return title + tomli_w.dumps(msgspec.to_builtins(plan.inventory))


def _record_path(data: Path) -> Path:
    return lab_folder(data) / "lab.json"


def _read_record(data: Path) -> Record | None:
    path = _record_path(data)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise BadEnvironment(f"{path} cannot be understood: {error}; delete it, then remove what it recorded with "
                             "`gatewatch lab down --name NAME`") from error


def _write_record(data: Path, record: Record) -> None:
    _write_whole(_record_path(data), msgspec.json.format(msgspec.json.encode(record)))


def _write_whole(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


@contextlib.contextmanager
def _locked(data: Path) -> Iterator[None]:
    """One command at a time works on the lab of a data folder."""
    lab_folder(data).mkdir(parents=True, exist_ok=True)
    with (lab_folder(data) / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadEnvironment(f"another command is working on the lab of {data}") from error
        yield
