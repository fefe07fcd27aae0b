# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a client needs to log in to the hosts of a lab, made once a lab."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ClientFiles:
    """Where the client's files are. Only root can read them.

    :ivar folder: has all of them.
    """

    folder: Path

    @property
    def pki(self) -> Path:
        """For TLS: the folder for C(pkipath), with cacert.pem, clientcert.pem and clientkey.pem."""
        return self.folder / "pki"

    @property
    def ca_key(self) -> Path:
        """The key that signs the certificates of the lab."""
        return self.folder / "cakey.pem"

    @property
    def ssh_key(self) -> Path:
        """The private key that opens the hosts."""
        return self.folder / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The host keys, in OpenSSH's format."""
        return self.folder / "known_hosts"

    @property
    def ssh_program(self) -> Path:
        """An C(ssh) that knows the hosts, whatever the user's own settings are."""
        return self.folder / "ssh"
