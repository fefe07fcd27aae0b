# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One command after another, and a ping while the guest and its port are busy.

A command through qemu-guest-agent is started and then asked for until it has ended, with the pauses of the connection
plugin libvirt_qemu of community.libvirt. Bare is the time that the guest takes to start it and see it end, with
nobody asking through a port. The goals: a third of its time; and at most 50 ms more for a ping, at the
median, while 64 MiB go each way and a command uses a processor.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import libvirt_qemu

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.exchange import Exchange, Outgoing
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import Command, GuestError
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.kvmmanager import KvmmanagerGuest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.session import Session
from benchmarks.figure import Figure
from benchmarks.guest_files import INSIDE, SIZE, source_file
from benchmarks.guest_machine import Machine

GOAL = 3
MOST_ADDED = 50  # milliseconds
_COMMANDS = 40
_PINGS = 40
_LONG = 300.0  # seconds
# Run in the guest: the median of the milliseconds that a command takes there.
_ALONE = f"""
import os, statistics, time
taken = []
for _turn in range({_COMMANDS}):
    begin = time.perf_counter()
    os.waitpid(os.posix_spawn("/usr/bin/true", ["true"], os.environ), 0)
    taken.append((time.perf_counter() - begin) * 1000)
print(statistics.median(taken))
"""


def figures(machine: Machine) -> list[Figure]:
    """The figures of this file."""
    return [_command(machine), *_pings(machine)]


def _command(machine: Machine) -> Figure:
    with machine.guest() as guest, machine.domain() as domain:
        taken: dict[str, list[float]] = {"ours": [], "theirs": []}
        contenders = {"ours": lambda: guest.run(Command(["true"]), 60), "theirs": lambda: _exec_and_poll(domain)}
        for _turn in range(_COMMANDS):
            for who, call in contenders.items():
                taken[who].append(_milliseconds(call))
        alone = float(guest.run(Command(["python3", "-c", _ALONE]), 60).stdout)
    ours, theirs = (statistics.median(taken[who]) for who in ("ours", "theirs"))
    return Figure("a command in a guest, start to end", ours, theirs, "ms", GOAL, bare=alone)


def _exec_and_poll(domain: Any) -> None:
    def ask(command: str, **arguments: Any) -> Any:
        request = json.dumps({"execute": command, "arguments": arguments})
        return json.loads(libvirt_qemu.qemuAgentCommand(domain, request, 30, 0))["return"]

    begin = time.perf_counter()
    pid = ask("guest-exec", path="true", arg=[], **{"capture-output": True})["pid"]
    while not ask("guest-exec-status", pid=pid)["exited"]:
        time.sleep(min(max((time.perf_counter() - begin) * 0.05, 0.0002), 1.0))


def _pings(machine: Machine) -> list[Figure]:
    busy = {"into": _put, "out of": _get}
    figures_ = []
    with machine.guest() as guest:
        assert isinstance(guest, KvmmanagerGuest)
        session = guest.session
        idle = statistics.median(_milliseconds(lambda: _ping(session)) for _number in range(_PINGS))
        for direction, begin in busy.items():
            added = statistics.median(_pings_beside(machine, session, begin)) - idle
            name = f"added to a ping by a copy {direction} the guest and a command"
            figures_.append(Figure(name, max(added, 0.0), MOST_ADDED, "ms"))
        guest.remove(INSIDE)
    return figures_


def _pings_beside(machine: Machine, session: Session, begin: Callable[[Machine, Session], Exchange]) -> list[float]:
    """Milliseconds of each ping while a transfer runs, which must not end before them, and a command."""
    command = session.begin("exec_command", {"argv": ["sh", "-c", "while :; do :; done"]}, _LONG)
    transfers = [begin(machine, session)]
    taken: list[float] = []
    while len(taken) < _PINGS:
        taken.append(_milliseconds(lambda: _ping(session)))
        if transfers[-1].answer is not None or transfers[-1].error is not None:
            session.wait(transfers[-1], "copy a file")
            transfers.append(begin(machine, session))
    session.wait(transfers[-1], "copy a file")
    session.cancel(command)
    with contextlib.suppress(GuestError):
        session.wait(command, "end a command")
    return taken


def _ping(session: Session) -> None:
    session.call("ping", {}, 60, "answer")


def _put(machine: Machine, session: Session) -> Exchange:
    file, sha256 = source_file(machine)
    # It stays open until it is read, and then goes with the exchange.
    outgoing = Outgoing("content", file.open("rb"))
    return session.begin("file_put", {"path": INSIDE, "size": SIZE, "sha256": sha256}, _LONG, outgoing=outgoing)


def _get(_machine: Machine, session: Session) -> Exchange:
    return session.begin("file_get", {"path": INSIDE}, _LONG, sinks={"content": lambda _piece: None})


def _milliseconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1000
