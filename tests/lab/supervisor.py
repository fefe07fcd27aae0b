# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first process of a host: builds its file system, and then collects processes that ended.

Started by :mod:`.hosts` in fresh mount, process, IPC and host name namespaces. When it ends, the kernel ends every
process of the host and takes all its mounts down; that is how nothing of a host can stay behind.

Usage: python -m tests.lab.supervisor SPEC.json, where SPEC is a :class:`Spec`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# Folders of its own that a host gets, from FOLDER/private. The rest of its root is shared and read-only.
PRIVATE_FOLDERS = (
    "/etc/libvirt",
    "/var/lib/libvirt",
    "/var/cache/libvirt",
    "/var/log",
    "/var/lib/swtpm-localca",
)
PRIVATE_FILES = ("/etc/hosts", "/etc/hostname")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "fuse", "net/tun", "vhost-net", "vhost-vsock")
_FRESH = ("/run", "/tmp", "/var/tmp", "/root")


@dataclass(frozen=True)
class Spec:
    """What the supervisor is told.

    :ivar name: host name.
    :ivar root: the operating system, C(/) for the machine's own.
    :ivar folder: the host's folder; has C(private) and C(root).
    :ivar base: the folder of all labs, hidden in the host but for C(shared).
    :ivar shared: the folder that all hosts of the lab see, at the same path.
    :ivar kvm: give the host /dev/kvm.
    """

    name: str
    root: str
    folder: str
    base: str
    shared: str
    kvm: bool


def main() -> None:
    """Become the host, print the process id as the machine sees it, and stay."""
    spec = Spec(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    outer_pid = os.readlink("/proc/self")  # /proc still is the machine's
    Path("/proc/sys/kernel/hostname").write_text(spec.name, encoding="ascii")
    new_root = _assemble(spec)
    os.chroot(new_root)
    os.chdir("/")
    print(outer_pid, flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    _collect()


def _assemble(spec: Spec) -> str:
    """Mount the host's file system below its folder and return where."""
    new_root = f"{spec.folder}/root"
    _mount("--rbind", spec.root, new_root)
    _mount("--make-rprivate", new_root)
    # The machine itself, or a root that other hosts share: the host must not change it.
    _mount("--options", "remount,bind,ro", new_root)
    _mount("-t", "proc", "proc", f"{new_root}/proc")
    # `ip netns exec` made a /sys with the host's own network and no cgroups: libvirt leaves the machine's alone.
    _mount("--bind", "/sys", f"{new_root}/sys")
    _make_devices(f"{new_root}/dev", kvm=spec.kvm)
    for folder in _FRESH:
        mode = "1777" if folder.endswith("tmp") else "0755"
        _mount("-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", f"{new_root}{folder}")
    os.mkdir(f"{new_root}/run/lock")
    for path in (*PRIVATE_FOLDERS, *PRIVATE_FILES):
        if os.path.exists(f"{spec.folder}/private{path}"):
            _mount("--bind", f"{spec.folder}/private{path}", f"{new_root}{path}")
    _mount("-t", "tmpfs", "-o", "mode=0711", "tmpfs", f"{new_root}{spec.base}")
    os.makedirs(f"{new_root}{spec.shared}")
    _mount("--bind", spec.shared, f"{new_root}{spec.shared}")
    return new_root


def _make_devices(folder: str, kvm: bool) -> None:
    """Give the host its own /dev: what libvirt does to a device there does not reach the machine's."""
    _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", folder)
    for name in ("pts", "shm", "net"):
        os.mkdir(f"{folder}/{name}")
    _mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=0620,gid=5", "devpts", f"{folder}/pts")
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", f"{folder}/shm")
    os.umask(0)
    for name in (*_DEVICES, *(["kvm"] if kvm else [])):
        with contextlib.suppress(FileNotFoundError):
            known = os.stat(f"/dev/{name}")
            os.mknod(f"{folder}/{name}", stat.S_IFCHR | 0o666, known.st_rdev)
    os.umask(0o022)
    os.symlink("pts/ptmx", f"{folder}/ptmx")
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", f"{folder}/{name}")


def _mount(*arguments: str) -> None:
    """Run mount(8) or end with what it said."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mount {' '.join(arguments)}: {done.stderr.strip().splitlines()[0]}")


def _collect() -> None:
    """Wait for the daemons' orphans, which become this process's children, until this process is killed."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            signal.sigwait({signal.SIGCHLD})


if __name__ == "__main__":
    main()
