# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a lab while it exists: one folder a lab, with everything it needs and state.json.

The state is written before the thing it describes is made, so that whatever a crash leaves behind is listed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .client import ClientFiles
from .errors import LabBusyError, LabError
from .model import Host
from .process import Process, boot_id

# One place for the whole machine, whatever clone of the repository runs: bridges and subnets are shared too.
BASE = Path("/var/lib/kvmmanager-lab")
NUMBERS_LOCK = "0"  # held while a number is chosen; no lab can have this name


@dataclass
class State:
    """The record of one lab.

    :ivar number: which 10.77.N.0/24 and kvmlabN it uses.
    :ivar boot: the boot it was made in; after another, only files are left of it.
    :ivar owner: the process whose lab it is (a test run), or None if it stays until somebody takes it down.
    :ivar complete: all hosts were up once.
    :ivar supervisors: the process of each host that keeps its namespaces, by host name.
    """

    name: str
    number: int
    hosts: list[Host]
    boot: str = field(default_factory=boot_id)
    owner: Process | None = None
    complete: bool = False
    supervisors: dict[str, Process] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The lab's folder."""
        return lab_folder(self.name)

    @property
    def client(self) -> ClientFiles:
        """What a client needs to log in."""
        return ClientFiles(self.folder / "client")

    def save(self) -> None:
        """Write the record, whole or not at all."""
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        target = self.folder / "state.json"
        fresh = target.with_suffix(".new")
        fresh.write_text(json.dumps(self._as_dict(), indent=2), encoding="utf-8")
        os.replace(fresh, target)

    def _as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "number": self.number,
            "hosts": [host.as_dict() for host in self.hosts],
            "boot": self.boot,
            "owner": vars(self.owner) if self.owner else None,
            "complete": self.complete,
            "supervisors": {name: vars(process) for name, process in self.supervisors.items()},
        }


def lab_folder(name: str) -> Path:
    """Return the folder of the lab of that name."""
    return BASE / name


def load(name: str) -> State | None:
    """Return the record of a lab, or None if there is no such lab."""
    try:
        data = json.loads((lab_folder(name) / "state.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LabError(f"{lab_folder(name)}/state.json is damaged: {error}") from error
    return State(
        name=data["name"],
        number=data["number"],
        hosts=[Host(**host) for host in data["hosts"]],
        boot=data["boot"],
        owner=Process(**data["owner"]) if data["owner"] else None,
        complete=data["complete"],
        supervisors={host: Process(**process) for host, process in data["supervisors"].items()},
    )


def load_all() -> list[State]:
    """Return the records of all labs of this machine, by name."""
    states = [load(path.parent.name) for path in sorted(BASE.glob("*/state.json"))]
    return [state for state in states if state is not None]


@contextlib.contextmanager
def locked(name: str, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock of this machine. It goes with the process, so a crash never leaves it behind.

    :raises LabBusyError: another process holds it, and C(wait) is false.
    """
    BASE.mkdir(mode=0o711, parents=True, exist_ok=True)
    with (BASE / f".{name}.lock").open("w", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise LabBusyError(
                f"another process is starting or stopping lab {name!r}; wait for it, or use --name"
            ) from error
        yield
