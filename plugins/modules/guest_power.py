#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The task runs on the controller: the action plugin of the same name does all the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_power
short_description: Shut down or reboot a guest from its inside
version_added: 0.1.0
description:
  - Asks the agent in a guest to shut it down or to reboot it, and waits until it is off, or back again.
  - Unlike the power button of M(kvmmanager.libvirt.domain), the order is heard by a guest that does not listen to that.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.guest
  - kvmmanager.libvirt.attributes
attributes:
  idempotent:
    support: partial
    details: With O(state=shutdown) a guest that is off is left alone. With O(state=reboot) each run reboots.
options:
  state:
    description:
      - V(shutdown) shuts the guest down, and waits until its domain is off.
      - V(reboot) reboots it, and waits until an agent answers that has booted anew. The domain keeps its process, so
        what it stores for the next start does not take effect.
    type: str
    choices: [shutdown, reboot]
    required: true
  timeout:
    description: How many seconds all of it may take.
    type: float
    default: 300
notes:
  - That a guest with qemu-guest-agent is back is told by libvirt, and by its agent, which then answers.
seealso:
  - module: kvmmanager.libvirt.domain
"""

EXAMPLES = r"""
- name: Reboot after an upgrade, one guest after the other
  kvmmanager.libvirt.guest_power:
    state: reboot
  throttle: 1

- name: Shut down a guest by its name
  kvmmanager.libvirt.guest_power:
    uri: qemu+ssh://root@kvm1.example.com/system
    name: web1
    state: shutdown
  delegate_to: localhost
"""

RETURN = r"""
name:
  description: The name of the domain.
  returned: success
  type: str
  sample: web1
state:
  description: The power of the guest, V(on) or V(off).
  returned: success
  type: str
  sample: "on"
elapsed:
  description: How many seconds it took.
  returned: when not in check mode
  type: float
  sample: 21.4
"""
