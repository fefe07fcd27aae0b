# Copyright: (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first process of a host: builds its file system, and then collects processes that ended.

Started by :mod:`.hosts` in fresh mount, process, IPC and host name namespaces. When it ends, the kernel ends every
process of the host and takes all its mounts down; that is how nothing of a host can stay behind.

Usage: python -m tests.lab.supervisor SPEC.json, where SPEC is a :class:`Spec`.
"""

from __future__ import annotations

import json
import os
import signal
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
_FRESH = ("/run", "/tmp", "/var/tmp", "/root")


@dataclass(frozen=True)
class Spec:
    """What the supervisor is told.

    :ivar name: host name.
    :ivar root: the operating system, C(/) for the machine's own.
    :ivar folder: the host's folder; has C(private) and C(root).
    :ivar base: the folder of all labs, hidden in the host but for C(shared).
    :ivar shared: the folder that all hosts of the lab see, at the same path.
    """

    name: str
    root: str
    folder: str
    base: str
    shared: str


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
    _mount("--rbind", "/dev", f"{new_root}/dev")
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
