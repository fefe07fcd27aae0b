# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole Ansible processes through the port: our connection plugin beside libvirt_qemu of community.libvirt.

Both have the same Ansible, the same guest and an empty folder for temporary files. The goals: 1.8 times faster for one
``ping``, with at most 15 messages each way, and for a playbook of ten small tasks.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
from collections.abc import Callable
from typing import Any

from benchmarks import incumbent
from benchmarks.figure import Figure
from benchmarks.guest_machine import NAME, Machine
from benchmarks.timing import medians

GOAL = 1.8
MOST_MESSAGES = 15
_ROUNDS = 5
_PLAYBOOK_ROUNDS = 3
_MESSAGES = re.compile(r"AFTER (\d+) MESSAGES TO IT AND (\d+) FROM IT")
_TASKS: list[dict[str, Any]] = [
    {"ansible.builtin.ping": {}},
    {"ansible.builtin.command": {"argv": ["uname", "-a"]}},
    {"ansible.builtin.file": {"path": "/run/bench", "state": "directory", "mode": "0755"}},
    {"ansible.builtin.copy": {"content": "Hello\n", "dest": "/run/bench/greeting", "mode": "0644"}},
    {"ansible.builtin.lineinfile": {"path": "/run/bench/greeting", "line": "Goodbye"}},
    {"ansible.builtin.stat": {"path": "/run/bench/greeting"}},
    {"ansible.builtin.slurp": {"src": "/run/bench/greeting"}},
    {"ansible.builtin.getent": {"database": "passwd"}},
    {"ansible.builtin.find": {"paths": "/run/bench"}},
    {"ansible.builtin.file": {"path": "/run/bench", "state": "absent"}},
]


def figures(machine: Machine) -> list[Figure]:
    """The figures of this file."""
    ours, theirs = _Contender(machine, "ours"), _Contender(machine, "theirs")
    ping = medians({"ours": ours.ping(), "theirs": theirs.ping()}, _ROUNDS)
    playbook = medians({"ours": ours.playbook(), "theirs": theirs.playbook()}, _PLAYBOOK_ROUNDS)
    sent, received = ours.messages()
    return [
        Figure("ansible -m ping in a guest, whole process", ping["ours"], ping["theirs"], "s", GOAL),
        Figure(f"{len(_TASKS)} small tasks in a guest", playbook["ours"], playbook["theirs"], "s", GOAL),
        Figure("messages to the guest for one ping", sent, MOST_MESSAGES, "msgs"),
        Figure("messages from the guest for one ping", received, MOST_MESSAGES, "msgs"),
    ]


class _Contender:
    """One of the two connection plugins, with Ansible's own settings but for the folder in the guest."""

    def __init__(self, machine: Machine, who: str) -> None:
        uri = machine.host.uri
        connection = {
            "ours": {"ansible_connection": "kvmmanager.libvirt.guest", "ansible_libvirt_uri": uri},
            "theirs": {"ansible_connection": "community.libvirt.libvirt_qemu", "ansible_libvirt_uri": uri},
        }[who]
        inside = {"ansible_python_interpreter": "/usr/bin/python3", "ansible_remote_tmp": "/tmp/.ansible"}
        folder = machine.folder / who
        folder.mkdir()
        self._inventory = folder / "inventory.json"
        self._inventory.write_text(json.dumps({"all": {"hosts": {NAME: {**connection, **inside}}}}), encoding="utf-8")
        self._playbook = folder / "playbook.yml"
        tasks = [{"name": f"Task {number}", **task} for number, task in enumerate(_TASKS)]
        play = [{"name": "Ten tasks", "hosts": NAME, "gather_facts": False, "tasks": tasks}]
        self._playbook.write_text(json.dumps(play), encoding="utf-8")
        self._environment = incumbent.environment(folder)

    def ping(self, *options: str) -> Callable[[], str]:
        """A call of ``ansible -m ping``."""
        return self._call("ansible", NAME, "-m", "ansible.builtin.ping", *options, expected='"pong"')

    def playbook(self) -> Callable[[], str]:
        """A call of ``ansible-playbook`` with the tasks."""
        return self._call("ansible-playbook", str(self._playbook), expected=f"ok={len(_TASKS)} ")

    def messages(self) -> tuple[int, int]:
        """How many messages one ping sends and receives, as the plugin tells where Ansible is talkative."""
        found = _MESSAGES.findall(self.ping("-vvv")())
        return sum(int(sent) for sent, _received in found), sum(int(received) for _sent, received in found)

    def _call(self, program: str, *words: str, expected: str) -> Callable[[], str]:
        command = [incumbent.program(program), *words, "--inventory", str(self._inventory)]

        def run() -> str:
            done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
            if done.returncode or expected not in done.stdout:
                name = pathlib.Path(command[0]).name
                raise RuntimeError(f"{name} in the guest failed: {done.stdout[-3000:]} {done.stderr[-2000:]}")
            return done.stdout

        return run
