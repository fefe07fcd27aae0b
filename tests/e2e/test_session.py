# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A VM on the daemon of a user who has no rights at all, with user-mode networking."""

from __future__ import annotations

import os
import pathlib
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import pytest

from tests.e2e.fleet import ROOT, Run, write
from tests.lab import images
from tests.lab.kvm import kvm_is_usable

PLAYBOOK = pathlib.Path(__file__).with_name("playbooks") / "session.yml"
# All processes that begin in there end with the first of them, the daemon and its VM included. That one is a shell,
# which collects those that have ended: libvirt would wait long for a QEMU that nobody collects.
CONTAINED = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", '"$@"; exit $?', "sh")


@pytest.fixture
def home() -> Iterator[pathlib.Path]:
    """The user's home, with a short name: the path of a socket has at most 107 characters."""
    with tempfile.TemporaryDirectory(prefix="session-") as folder:
        yield pathlib.Path(folder)


def as_user(home: pathlib.Path, *command: str) -> Run:
    """Run a program as somebody who owns what root owns, so that they can read this tree, and may do nothing else."""
    user = next(known for known in pwd.getpwall() if known.pw_uid != 0)  # libvirt looks for a name
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "XDG_"))}
    own = {"HOME": str(home), "LC_ALL": "C.UTF-8", "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections")}
    done = subprocess.run(
        [*CONTAINED, "unshare", "--user", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}", *command],
        cwd=home,
        env={**kept, **own, "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    print(done.stdout)
    return Run(done.stdout, done.returncode)


def test_user_without_rights(home: pathlib.Path) -> None:
    """The VM boots, gets an address from QEMU, is as it should be at the second run, and goes again."""
    vm: dict[str, object] = {
        "cloud_vm_hypervisor": "qemu:///session",
        "cloud_vm_image": str(images.tiny().disk),
        "cloud_vm_image_options": {"cache_dir": str(home / "images")},
        "cloud_vm_network": "user",
        "cloud_vm_memory": "256 MiB",
        "cloud_vm_vcpus": 1,
        "cloud_vm_disk_size": "1 GiB",
        "cloud_vm_ssh_authorized_keys": [],
        "cloud_vm_guest_agent": False,
        # This user may open whatever root may, also a /dev/kvm that is of no use.
        "cloud_vm_domain": {
            "type": "kvm" if kvm_is_usable() else "qemu",
            "wait_for": ["address"],
            "timeout": 300,
        },
        "cloud_vm_wait_for": "nothing",
        "cloud_vm_stop_timeout": 20,
    }
    inventory = {"vms": {"hosts": {"session1": vm}}, "all": {"vars": {"pool_path": str(home / "pool")}}}
    write(home / "hosts.json", inventory)
    program = str(pathlib.Path(sys.executable).with_name("ansible-playbook"))
    run = as_user(home, program, "-i", "hosts.json", str(PLAYBOOK))
    assert run.status == 0
    deployed = {"Bring the image to the hypervisor, once for all VMs", "Have the root disk", "Have the domain, running"}
    assert deployed <= {task for task, _host in run.changed}
    # Each task that makes or removes something does so once, though the VM is deployed twice.
    assert run.recap["session1"] == len({task for task, host in run.changed if host == "session1"})
