# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role guest_agent on a system of Red Hat's family: this machine with a layer over its folders, and its rpm.

Nothing that happens there is seen outside. The tests beside this one apply the role to Debian, in guests.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
# rpm does not know what this machine has, and no script of a package shall find its services.
_RPM = '#!/bin/sh\ncase $1 in --upgrade | --erase) set -- "$@" --nodeps --noscripts ;; esac\nexec /usr/bin/rpm "$@"\n'
_PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  roles: [kvmmanager.libvirt.guest_agent]
"""
_LAYERS = """
set -eu
layers=$1
mount -t tmpfs none "$layers"
for name in etc usr var; do
    mkdir -p "$layers/$name/upper" "$layers/$name/work"
    mount -t overlay none -o "lowerdir=/$name,upperdir=$layers/$name/upper,workdir=$layers/$name/work" "/$name"
done
"""
_SYSTEM = """
rm -rf /var/lib/rpm /etc/os-release
mkdir -p /var/lib/rpm /usr/local/bin
echo ID=fedora > /etc/os-release
printf '%s' "$RPM" > /usr/local/bin/rpm
chmod 755 /usr/local/bin/rpm
printf '%s' "$PLAYBOOK" > "$layers/play.yml"
shift
for options; do
    echo "PLAYS $options"
    ansible-playbook -i localhost, "$layers/play.yml" $options
    ls -d /etc/kvmmanager-agent.json /var/cache/kvmmanager-agent /usr/sbin/kvmmanager-agent 2>/dev/null || :
done
"""
THERE = ["/etc/kvmmanager-agent.json", "/usr/sbin/kvmmanager-agent", "/var/cache/kvmmanager-agent"]


def in_layers(folder: pathlib.Path, script: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script where all that it writes to the system's folders is gone afterwards."""
    command = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        _LAYERS + script,
        "sh",
        str(folder),
        *words,
    ]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=300
    )


def plays(folder: pathlib.Path, *runs: str) -> list[tuple[set[str], list[str]]]:
    """For each run with these options: the tasks that changed something, and what of the agent is there then."""
    packages = folder / "packages"
    command = [sys.executable, "-m", "packaging", str(folder / "built"), "--role", str(packages)]
    subprocess.run(command, cwd=ROOT / "agent", check=True, capture_output=True)
    done = in_layers(
        folder / "layers",
        _SYSTEM,
        *(f"-e guest_agent_package_dir={packages} {options}" for options in runs),
        RPM=_RPM,
        PLAYBOOK=_PLAYBOOK,
        PATH=f"{pathlib.Path(sys.executable).parent}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".cache/collections"),
        ANSIBLE_NOCOLOR="1",
        LC_ALL="C.UTF-8",
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    found = []
    for said in done.stdout.split("PLAYS ")[1:]:
        changed = re.findall(r"^TASK \[(?:[\w.]+ : )?([^\]]+)\] \**\n(?:(?!TASK).*\n)*?changed: ", said, re.MULTILINE)
        found.append((set(changed), [line for line in said.splitlines() if line.startswith("/")]))
    return found


def test_the_role_twice_and_foretold(tmp_path: pathlib.Path) -> None:
    (tmp_path / "layers").mkdir()
    if os.geteuid() or in_layers(tmp_path / "layers", "").returncode:
        pytest.skip("only root can lay something over folders, and not everywhere")
    present = {"Bring the package", "Install the package", "Configure the agent"}
    absent = {"Remove the agent, its configuration and its package"}
    gone = "-e guest_agent_state=absent"
    expected = {
        "--check": (present, []),
        "": (present, THERE),
        "--diff": (set(), THERE),
        f"--check {gone}": (absent, THERE),
        gone: (absent, []),
        f"--diff {gone}": (set(), []),
    }
    found = plays(tmp_path, *expected)
    for options, is_so in zip(expected, found, strict=True):
        assert is_so == expected[options], options
