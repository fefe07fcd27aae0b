# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks as libvirt 9.0 writes them, for the tests of this folder."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.options import ARGUMENTS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse

STORED = """
<network>
  <name>lab</name>
  <uuid>899ee747-8323-4ba8-98f9-a643d8b2a509</uuid>
  <forward mode='nat'/>
  <bridge name='virbr1' stp='on' delay='0'/>
  <mac address='52:54:00:12:17:6a'/>
  <domain name='p.test'/>
  <dns>
    <txt name='a' value='b'/>
    <host ip='10.91.1.9'>
      <hostname>h</hostname>
    </host>
  </dns>
  <ip address='10.91.1.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='10.91.1.10' end='10.91.1.20'/>
      <host mac='52:54:00:AA:00:01' name='x' ip='10.91.1.5'/>
    </dhcp>
  </ip>
  <ip family='ipv6' address='fd00:91::1' prefix='64'>
  </ip>
</network>
"""
LIVE = STORED.replace(
    "<forward mode='nat'/>", "<forward mode='nat'><nat><port start='1024' end='65535'/></nat></forward>"
)
BRIDGE = """
<network>
  <name>office</name>
  <uuid>284c8297-df27-43af-8ce7-db00bcbaa045</uuid>
  <forward mode='bridge'/>
  <bridge name='br0'/>
</network>
"""


def network(text: str = STORED) -> Element:
    """A ``<network>`` element."""
    return parse(text)


def ip(dhcp: dict[str, Any] | None = None) -> dict[str, Any]:
    """The options of the IPv4 address of ``STORED``."""
    return {"address": "10.91.1.1/24", **({} if dhcp is None else {"dhcp": dhcp})}


def params(**options: Any) -> dict[str, Any]:
    """A task's options as Ansible would hand them over."""
    defaults = {name: argument.get("default") for name, argument in ARGUMENTS.items()}
    return {**defaults, **options}
