# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module of this collection shares in its documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """How to reach the libvirt daemon; the options of `CONNECTION_ARGUMENTS` in _task.py."""

    DOCUMENTATION = r"""
options:
  uri:
    description:
      - The libvirt daemon to talk to, as a L(libvirt URI,https://libvirt.org/uri.html).
      - For example V(qemu:///system) for the machine that the task runs on, V(qemu+ssh://root@host/system)
        or V(qemu+tls://host/system) for another one.
      - When the environment variable E(LIBVIRT_DEFAULT_URI) is set where the task runs, that is the default.
    type: str
    default: qemu:///system
  username:
    description: The user to log in as, where the daemon asks for a login (SASL).
    type: str
  password:
    description: The password for O(username).
    type: str
  tls_pki_path:
    description:
      - A folder with C(cacert.pem), C(clientcert.pem) and C(clientkey.pem), for a V(qemu+tls://) URI.
      - By default libvirt looks in C(~/.pki/libvirt) and C(/etc/pki).
    type: path
  tls_verify:
    description: Whether to check the server's certificate of a V(qemu+tls://) URI.
    type: bool
    default: true
  ssh_key_file:
    description: The private key for a V(qemu+ssh://) URI. By default what the user's SSH configuration says.
    type: path
  ssh_known_hosts:
    description: The file of known host keys, for a V(qemu+libssh://) URI.
    type: path
  connect_timeout:
    description: How many seconds opening the connection may take.
    type: float
    default: 30
  call_timeout:
    description:
      - How many seconds the daemon may take to answer one call.
      - It does not limit what takes long by nature, such as copying a volume.
    type: float
    default: 120
  keepalive_interval:
    description:
      - After how many seconds of silence the daemon is asked whether it is still there.
      - When it does not answer five times in a row, the task fails. V(0) never asks.
    type: int
    default: 5
requirements:
  - libvirt-python (the Debian and Fedora package is C(python3-libvirt))
"""
