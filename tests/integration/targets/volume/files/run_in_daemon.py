# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command with the file system of the libvirtd behind a URI, which may be a lab host on this machine.

Usage: run_in_daemon.py URI COMMAND [ARGUMENT...]
"""

from __future__ import annotations

import os
import pathlib
import sys
from urllib.parse import urlsplit


def serves(process: pathlib.Path, host: str | None) -> bool:
    """Whether a process is the libvirtd that listens on this address; without one, the machine's own."""
    try:
        if (process / "comm").read_text(encoding="utf-8").strip() != "libvirtd":
            return False
        if host is None:
            return os.readlink(process / "ns/net") == os.readlink("/proc/self/ns/net")
        return f"|-- {host}\n" in (process / "net/fib_trie").read_text(encoding="utf-8")
    except OSError:  # it has ended
        return False


def main() -> None:
    host = urlsplit(sys.argv[1]).hostname
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdecimal() and serves(process, host):
            enter = ["nsenter", f"--target={process.name}", "--mount", "--root", "--wd=/"]
            os.execvp("nsenter", [*enter, *sys.argv[2:]])
    sys.exit(f"no libvirtd on this machine serves {sys.argv[1]}")


main()
