# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running Ansible as a person does, and reading what it says."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

ROOT = pathlib.Path(__file__).parents[2]
_DEADLINE = 25 * 60  # seconds for one playbook; emulation is slow
_TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(?:kvmmanager\.libvirt\.\w+ : )?(.*?)\] \**$")
_CHANGED = re.compile(r"^changed: \[([^\] ]+)")
_RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)


def plain(value: dict[str, Any]) -> Any:
    """ansible-inventory wraps each text that must not be used as a template; here it is only compared."""
    return value["__ansible_unsafe"] if set(value) == {"__ansible_unsafe"} else value


def write(path: pathlib.Path, content: object) -> None:
    """Write JSON, which is YAML too."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def dynamic_inventory(uris: dict[str, str]) -> dict[str, object]:
    """The configuration of the inventory plugin."""
    connections = [{"uri": uri, "alias": name} for name, uri in uris.items()]
    return {"plugin": "kvmmanager.libvirt.libvirt", "connections": connections}


@dataclass(frozen=True)
class Run:
    """What one run of a playbook said.

    :ivar changed: the names of the tasks that changed something, or would have, each with its host.
    """

    output: str
    status: int

    @property
    def changed(self) -> set[tuple[str, str]]:
        """Which task changed which host."""
        found, task = set(), ""
        for line in self.output.splitlines():
            if match := _TASK.match(line):
                task = match[1]
            elif match := _CHANGED.match(line):
                found.add((task, match[1]))
        return found

    @property
    def recap(self) -> dict[str, int]:
        """How many tasks changed each host that was reached and failed in nothing, as the recap says."""
        found = _RECAP.findall(self.output)
        return {host: int(changed) for host, changed, *trouble in found if trouble == ["0", "0"]}


@dataclass(frozen=True)
class Fleet:
    """An inventory folder and how to use it.

    :ivar folder: holds ansible.cfg and the folder inventory.
    :ivar image: the cloud image that the VMs are made from.
    :ivar key: the private SSH key for the guests, where the lab's hosts see it; None where SSH is not used.
    """

    folder: pathlib.Path
    image: pathlib.Path
    key: pathlib.Path | None

    def play(self, playbook: str, *options: str) -> Run:
        """Run a playbook of the collection. Its output goes to the test's, for when something is wrong."""
        return self._play(f"kvmmanager.libvirt.{playbook}", options)

    def play_file(self, name: str, *options: str) -> Run:
        """Run one of the playbooks that stand beside these tests."""
        return self._play(str(pathlib.Path(__file__).with_name("playbooks") / name), options)

    def _play(self, playbook: str, options: tuple[str, ...]) -> Run:
        done = subprocess.run(
            [self._program("ansible-playbook"), "-i", "inventory", playbook, *options],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_DEADLINE,
            check=False,
        )
        print(done.stdout)
        return Run(done.stdout, done.returncode)

    def hosts(self) -> dict[str, dict[str, Any]]:
        """The variables of each host in the inventory, static and dynamic parts together."""
        command = [self._program("ansible-inventory"), "-i", "inventory", "--list"]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment(), capture_output=True, text=True, timeout=60, check=True
        )
        return dict(json.loads(done.stdout, object_hook=plain)["_meta"]["hostvars"])

    def _program(self, name: str) -> str:
        return str(pathlib.Path(sys.executable).with_name(name))

    def _environment(self) -> dict[str, str]:
        """The caller's environment with this tree as the collection and none of Ansible's settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        return {**kept, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"), "LC_ALL": "C.UTF-8"}
