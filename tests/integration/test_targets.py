# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run every target as a role, in a playbook of its own, against real libvirt.

Targets keep the layout of ansible-test: tasks/main.yml and aliases, with defaults, vars, files and
meta where wanted. They are given these variables:

libvirt_uri, libvirt_uri_2     the two hosts of the lab: Debian 12 and Debian 13
lab_tmp                        a scratch directory that both hosts see, and that is removed afterwards
tiny_kernel, tiny_initrd,
tiny_cmdline                   the guest that boots in seconds, for the alias needs/tiny_guest
tiny_agent_initrd              the same with our agent in it, for the alias needs/agent_guest
cloud_image                    path of the full cloud image, for the alias needs/cloud_image
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.integration.conftest import Hosts

ROOT = pathlib.Path(__file__).parents[2]
# Read instead of the user's own ansible.cfg. A failed task shows its whole result.
SETTINGS = f"""[defaults]
nocolor = true
retry_files_enabled = false
roles_path = {pathlib.Path(__file__).parent / "targets"}
verbosity = 1
"""
DEADLINE = 20 * 60  # seconds for one target; emulation is slow


def test_target(target: pathlib.Path, hosts: Hosts, tmp_path: pathlib.Path) -> None:
    """The target's playbook ends without a failed task."""
    scratch = hosts.scratch / target.name
    scratch.mkdir()
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "libvirt_uri": hosts.first,
        "libvirt_uri_2": hosts.second,
        "lab_tmp": str(scratch),
        **guest_variables(target, scratch),
    }
    (tmp_path / "ansible.cfg").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "vars.json").write_text(json.dumps(variables), encoding="utf-8")
    (tmp_path / "playbook.yml").write_text(playbook_for(target), encoding="utf-8")
    output = tmp_path / "output.txt"
    try:
        status = run_playbook(tmp_path, output)
    except subprocess.TimeoutExpired:
        status = f"no end within {DEADLINE} seconds"
    print(output.read_text(encoding="utf-8", errors="replace"))
    if status != 0:
        pytest.fail(f"target {target.name}: ansible-playbook ended with {status}", pytrace=False)


def run_playbook(directory: pathlib.Path, output: pathlib.Path) -> int | str:
    """Run playbook.yml of the directory; the exit status, 0 when no task failed."""
    command = [ansible_playbook(), "-i", "testhost,", "-e", "@vars.json", "playbook.yml"]
    with output.open("w", encoding="utf-8") as stream:
        return subprocess.run(
            command,
            cwd=directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            timeout=DEADLINE,
            check=False,
        ).returncode


def playbook_for(target: pathlib.Path) -> str:
    """A play as JSON, which is YAML, that applies the target as a role."""
    play = {
        "name": f"Target {target.name}",
        "hosts": "testhost",
        "gather_facts": False,
        "roles": [target.name],
    }
    return json.dumps([play], indent=2)


def guest_variables(target: pathlib.Path, scratch: pathlib.Path) -> dict[str, str]:
    """Build (or take from the cache) the guests that the target's aliases ask for, where the hosts see them."""
    aliases = target / "aliases"
    wanted = set(aliases.read_text(encoding="utf-8").split()) if aliases.exists() else set()
    variables: dict[str, object] = {}
    if wanted & {"needs/tiny_guest", "needs/agent_guest"}:
        from tests.lab import images

        tiny = images.tiny()
        variables["tiny_kernel"] = shutil.copy(tiny.kernel, scratch / "kernel")
        variables["tiny_initrd"] = shutil.copy(tiny.initrd, scratch / "initrd")
        variables["tiny_cmdline"] = tiny.cmdline
        if "needs/agent_guest" in wanted:
            variables["tiny_agent_initrd"] = images.tiny_with_agent(scratch).initrd
    if "needs/cloud_image" in wanted:
        from tests.lab import images

        variables["cloud_image"] = images.cloud()
    return {name: str(value) for name, value in variables.items()}


def ansible_playbook() -> str:
    """The ansible-playbook that belongs to the Python that runs the tests."""
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    if not program.exists():
        pytest.fail(f"{program} does not exist; run scripts/bootstrap test")
    return str(program)


def environment() -> dict[str, str]:
    """The caller's environment with this tree as the collection and none of Ansible's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    collections = str(ROOT / ".cache" / "collections")
    return {**kept, "ANSIBLE_COLLECTIONS_PATH": collections, "LC_ALL": "C.UTF-8"}
