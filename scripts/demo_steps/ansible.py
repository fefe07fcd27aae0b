# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running Ansible for the demo: with this tree as the collection, and none of the user's own settings."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

from .common import FOLDER, ROOT, DemoError

INVENTORY = FOLDER / "demo.libvirt.yml"
SSH_KEY = FOLDER / "id_ed25519"
_CONTROLLER = FOLDER / "controller.ini"
_SETTINGS = """[defaults]
display_skipped_hosts = false
retry_files_enabled = false
"""


def prepare(uri: str) -> None:
    """Write the settings, the inventory of the VMs and an SSH key for them, as far as they are not there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "ansible.cfg").write_text(_SETTINGS, encoding="utf-8")
    _CONTROLLER.write_text(f"localhost ansible_connection=local ansible_python_interpreter={sys.executable}\n", "utf-8")
    INVENTORY.write_text(json.dumps(inventory(uri), indent=2) + "\n", encoding="utf-8")
    if not SSH_KEY.exists():
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "kvmmanager-demo", "-f", str(SSH_KEY)]
        subprocess.run(command, check=True)


def inventory(uri: str) -> dict[str, Any]:
    """The configuration of the inventory plugin: JSON is YAML, too."""
    return {
        "plugin": "kvmmanager.libvirt.libvirt",
        "connections": [{"uri": uri, "alias": "demo"}],
        "include": [{"labels": {"demo": "kvmmanager"}}],
    }


def run_playbook(variables: dict[str, Any]) -> None:
    """Run the playbook kvmmanager.libvirt.demo and show what it says.

    :raises DemoError: a task failed; Ansible has said which.
    """
    command = [_program("ansible-playbook"), "-i", str(_CONTROLLER), "kvmmanager.libvirt.demo"]
    command += ["-e", json.dumps(variables)]
    if subprocess.run(command, cwd=FOLDER, env=environment(), check=False).returncode != 0:
        raise DemoError("the playbook failed; Ansible says above why. Run the same again: it goes on from there.")


def listed() -> dict[str, Any]:
    """What `ansible-inventory --list` says of the demo's VMs."""
    return dict(json.loads(_inventory_command("--list", capture=True), object_hook=_plain))


def _plain(value: dict[str, Any]) -> Any:
    """ansible-inventory wraps each text that must not be used as a template; here it is only shown."""
    return value["__ansible_unsafe"] if set(value) == {"__ansible_unsafe"} else value


def show_graph() -> None:
    """Print the inventory as a tree."""
    _inventory_command("--graph")


def environment() -> dict[str, str]:
    """This process's environment with this tree as the collection."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_CONFIG": str(FOLDER / "ansible.cfg"),
        "LC_ALL": "C.UTF-8",
    }


def _inventory_command(option: str, capture: bool = False) -> str:
    command = [_program("ansible-inventory"), "-i", str(INVENTORY), option]
    stdout = subprocess.PIPE if capture else None
    done = subprocess.run(command, cwd=FOLDER, env=environment(), check=False, stdout=stdout, text=True)
    if done.returncode != 0:
        raise DemoError("the inventory cannot be read; what Ansible says above tells why.")
    return done.stdout or ""


def _program(name: str) -> str:
    """The program that belongs to the Python that runs the demo."""
    return str(pathlib.Path(sys.executable).with_name(name))
