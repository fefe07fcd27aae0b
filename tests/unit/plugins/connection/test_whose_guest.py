# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which guest a task runs, whatever delegates it: real runs of Ansible, with guests that say who they are.

Ansible gives a delegated host the name of the host that it is delegated for, and uses a connection again within a loop.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.connection import guest as plugin

# Takes the place of what the plugin imports.
GUESTS = """
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import Ended


class _Guest:
    agent, messages = "kvmmanager", (0, 0)

    def __init__(self, domain):
        self.where, self._domain = domain, domain.encode()

    def run(self, command, timeout, stdin=None):
        return Ended(0, None, self._domain + b"\\n")


@contextlib.contextmanager
def connect(_options):
    yield None


@contextlib.contextmanager
def open_guest(_hypervisor, domain, *_options):
    yield _Guest(domain)
"""
HYPERVISOR = """
<node>
  <domain type='test'><name>web1</name><memory>1024</memory><os><type>hvm</type></os></domain>
  <domain type='test'><name>web2</name><memory>1024</memory><os><type>hvm</type></os></domain>
  <domain type='test'><name>other</name><memory>1024</memory><os><type>hvm</type></os></domain>
</node>
"""
VARIABLES = {"ansible_connection": "fake_guest", "ansible_host": "192.0.2.1"}  # one address: all look like one host
HOSTS = {"web1": VARIABLES, "web2": VARIABLES, "web3": {**VARIABLES, "ansible_libvirt_domain": "other"}}
INVENTORY = {"all": {"hosts": HOSTS}}
# A task, and the guests in which it must run.
RAW = {"ansible.builtin.raw": "who"}
INFO = {"kvmmanager.libvirt.guest_info": {}, "ignore_errors": True}
TASKS: list[tuple[dict[str, Any], list[str] | None]] = [
    ({**RAW}, ["web1"]),
    ({**RAW, "delegate_to": "web2"}, ["web2"]),
    ({**RAW, "delegate_to": "{{ there }}"}, ["web2"]),
    ({**RAW, "delegate_to": "web3"}, ["other"]),
    ({**RAW, "delegate_to": "{{ omit }}"}, ["web1"]),
    ({**RAW, "delegate_to": "{{ item }}", "loop": ["web1", "web2", "web3", "web1"]}, ["web1", "web2", "other", "web1"]),
    ({**RAW, "delegate_to": "web2", "loop": [1, 2]}, ["web2", "web2"]),
    ({**RAW, "vars": {"ansible_libvirt_domain": "{{ item }}"}, "loop": ["a", "b"]}, ["a", "b"]),
    ({"ansible.builtin.meta": "reset_connection", "delegate_to": "web2"}, None),
    ({**RAW}, ["web1"]),
    ({**INFO}, ["web1"]),
    ({**INFO, "delegate_to": "web2"}, ["web2"]),
    ({**INFO, "delegate_to": "web3"}, ["other"]),
    ({**INFO, "delegate_to": "localhost"}, ["web1"]),
    ({**INFO, "delegate_to": "{{ item }}", "loop": ["web3", "web1"]}, ["other", "web1"]),
    ({**INFO, "delegate_to": "web2", "kvmmanager.libvirt.guest_info": {"name": "other"}}, ["other"]),
]


PLACES = [place for _task, place in TASKS if place is not None]


def playbook(folder: pathlib.Path) -> list[dict[str, Any]]:
    """The tasks, and one that stores on the controller what they returned."""
    tasks = [
        {"name": f"task {number}", **task, **({} if places is None else {"register": f"task{number}"})}
        for number, (task, places) in enumerate(TASKS)
    ]
    results = ", ".join(task["register"] for task in tasks if "register" in task)
    told = {"content": f"{{{{ [{results}] | to_json }}}}", "dest": f"{folder}/results.json", "mode": "0600"}
    here = {"delegate_to": "localhost", "vars": {"ansible_connection": "local"}}
    variables = {"there": "web2", "ansible_libvirt_uri": f"test://{folder}/node.xml"}
    return [
        {
            "hosts": "web1",
            "gather_facts": False,
            "vars": variables,
            "tasks": [*tasks, {"ansible.builtin.copy": told, **here}],
        }
    ]


def guest_of(result: dict[str, Any]) -> str:
    """Where one task ran: raw says it, and what a module says of a guest without an agent."""
    if "stdout_lines" in result:
        return str(result["stdout_lines"][0])
    return str(re.findall("The running domain '(.*?)' has no port", result["msg"])[0])


def test_a_task_runs_in_the_guest_of_the_host_that_it_is_delegated_to(tmp_path: pathlib.Path) -> None:
    (tmp_path / "connection_plugins").mkdir()
    source = pathlib.Path(plugin.__file__).read_text(encoding="utf-8")
    (tmp_path / "connection_plugins" / "fake_guest.py").write_text(source + GUESTS, encoding="utf-8")
    (tmp_path / "hosts.json").write_text(json.dumps(INVENTORY), encoding="utf-8")
    (tmp_path / "node.xml").write_text(HYPERVISOR, encoding="utf-8")
    (tmp_path / "play.json").write_text(json.dumps(playbook(tmp_path)), encoding="utf-8")
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "hosts.json", "play.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [[guest_of(one) for one in result.get("results", [result])] for result in results] == PLACES
