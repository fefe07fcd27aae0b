# Copyright: (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run every target as a role, in a playbook of its own, against real libvirt.

Targets keep the layout of ansible-test: tasks/main.yml and aliases, with defaults, vars, files and
meta where wanted. They are given these variables:

libvirt_uri, libvirt_uri_2     the two hosts of the lab: Debian 12 and Debian 13
lab_tmp                        a scratch directory that is removed afterwards
tiny_kernel, tiny_initrd,
tiny_cmdline                   the guest that boots in seconds, for a target with the alias needs/tiny_guest
cloud_image                    path of the full cloud image, for a target with the alias needs/cloud_image
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from tests.integration.conftest import Hosts

ROOT = pathlib.Path(__file__).parents[2]
DEADLINE = 20 * 60  # seconds for one target; emulation is slow


def test_target(target: pathlib.Path, hosts: Hosts, tmp_path: pathlib.Path) -> None:
    """The target's playbook ends without a failed task."""
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "libvirt_uri": hosts.first,
        "libvirt_uri_2": hosts.second,
        "lab_tmp": str(tmp_path),
        **guest_variables(target),
    }
    (tmp_path / "vars.json").write_text(json.dumps(variables), encoding="utf-8")
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(playbook_for(target), encoding="utf-8")
    result = subprocess.run(
        [ansible_playbook(), "-i", "testhost,", "-e", f"@{tmp_path / 'vars.json'}", str(playbook)],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    print(result.stdout)
    assert result.returncode == 0, f"target {target.name} failed; its output is shown below"


def playbook_for(target: pathlib.Path) -> str:
    """A play as JSON, which is YAML, that applies the target as a role."""
    play = {
        "name": f"Target {target.name}",
        "hosts": "testhost",
        "gather_facts": False,
        "roles": [str(target)],
    }
    return json.dumps([play], indent=2)


def guest_variables(target: pathlib.Path) -> dict[str, str]:
    """Build (or take from the cache) the guests that the target's aliases ask for."""
    aliases = target / "aliases"
    wanted = set(aliases.read_text(encoding="utf-8").split()) if aliases.exists() else set()
    variables: dict[str, str] = {}
    if "needs/tiny_guest" in wanted:
        from tests.lab import images

        tiny = images.tiny()
        variables["tiny_kernel"] = str(tiny.kernel)
        variables["tiny_initrd"] = str(tiny.initrd)
        variables["tiny_cmdline"] = tiny.cmdline
    if "needs/cloud_image" in wanted:
        from tests.lab import images

        variables["cloud_image"] = str(images.cloud())
    return variables


def ansible_playbook() -> str:
    """The ansible-playbook that belongs to the Python that runs the tests."""
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    if not program.exists():
        pytest.fail(f"{program} does not exist; run scripts/bootstrap test")
    return str(program)


def environment() -> dict[str, str]:
    """The caller's environment without Ansible's own settings, and with this tree as the collection."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_CONFIG": os.devnull,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "ANSIBLE_VERBOSITY": os.environ.get("ANSIBLE_VERBOSITY", "1"),
        "LC_ALL": "C.UTF-8",
    }
