# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logging in to the hosts of a lab by SSH: keys, and each host's sshd."""

from __future__ import annotations

import shlex
from pathlib import Path

from .client import ClientFiles
from .run import run

SERVER_FOLDER = "/etc/libvirt/sshd"  # in the host


def write_client_files(client: ClientFiles) -> None:
    """Make the key, and the program that uses it with the lab's list of known hosts."""
    _make_key(client.ssh_key)
    client.known_hosts.touch()
    options = ["-F", "none", "-i", str(client.ssh_key), "-o", f"UserKnownHostsFile={client.known_hosts}"]
    options += ["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
    client.ssh_program.write_text(f'#!/bin/sh\nexec ssh {shlex.join(options)} "$@"\n', encoding="utf-8")
    client.ssh_program.chmod(0o700)


def write_server_files(client: ClientFiles, etc: Path, address: str) -> None:
    """Make a host's key, make it known to the client, and let the client in."""
    folder = etc / "sshd"
    folder.mkdir(mode=0o700)
    _make_key(folder / "host_key")
    kind, key = (folder / "host_key.pub").read_text(encoding="ascii").split()[:2]
    with client.known_hosts.open("a", encoding="ascii") as known:
        known.write(f"{address} {kind} {key}\n")
    public = client.ssh_key.with_suffix(".pub").read_text(encoding="ascii")
    (folder / "authorized_keys").write_text(public, encoding="ascii")
    (folder / "config").write_text(server_config(address), encoding="ascii")


def server_config(address: str) -> str:
    """Return sshd_config: this key, for root, and nothing else."""
    return f"""ListenAddress {address}
HostKey {SERVER_FOLDER}/host_key
AuthorizedKeysFile {SERVER_FOLDER}/authorized_keys
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile /run/sshd.pid
"""


def _make_key(file: Path) -> None:
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "kvmmanager-lab", "-f", file])
