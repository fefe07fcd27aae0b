#!/usr/bin/python
# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_init_info
short_description: Wait until cloud-init in a guest has ended, and tell how
version_added: 0.1.0
description:
  - Waits until the guest of a running domain says that its cloud-init has ended, and returns what it says.
  - It needs no network between host and guest, and no agent in the guest. The guest writes the report to a port of
    its virtual serial bus, and this module reads it through the connection to the hypervisor.
  - For that the guest needs a small service that writes the report. The role P(kvmmanager.libvirt.cloud_vm#role)
    installs it through the seed's vendor data; its template C(vendor_data.sh.j2) shows what the service does.
  - When the running domain does not have the port, but one for a guest agent, C(kvmmanager-agent) or
    C(qemu-guest-agent), this module waits for that agent and asks it. The agent must be allowed to run
    C(cloud-init status), or to read what cloud-init left in C(/run/cloud-init).
  - What is returned is the guest's word. Do not trust it more than you trust the guest.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
  - kvmmanager.libvirt.attributes.info
options:
  name:
    description: The name of the domain. It must run.
    type: str
    required: true
  port:
    description: The name of the port, one of the domain's channels.
    type: str
    default: org.kvmmanager.cloud_init.0
  timeout:
    description: For how many seconds to wait.
    type: float
    default: 600
seealso:
  - module: kvmmanager.libvirt.domain
  - module: kvmmanager.libvirt.cloud_init_seed
  - name: cloud-init status
    description: What the words in the report mean.
    link: https://docs.cloud-init.io/en/latest/explanation/return_codes.html
"""

EXAMPLES = r"""
- name: Wait until web1 has configured itself
  kvmmanager.libvirt.cloud_init_info:
    name: web1
    timeout: 300
  register: cloud_init

- name: Stop when it did not work
  ansible.builtin.assert:
    that: cloud_init.status in ['done', 'degraded']
    fail_msg: "{{ cloud_init.report }}"
"""

RETURN = r"""
name:
  description: The name of the domain.
  returned: success
  type: str
  sample: web1
status:
  description:
    - How cloud-init ended, V(done), V(degraded) (done, with warnings), V(error), V(disabled) or V(not run).
    - V(unknown) where the guest says something else, for example because cloud-init was removed from it.
  returned: success
  type: str
  sample: done
report:
  description:
    - All that C(cloud-init status --long) printed in the guest.
    - The same in few words, where the agent that was asked may only read files.
  returned: success
  type: str
  sample: "status: done\nboot_status_code: enabled-by-generator\ndetail:\nDataSourceNoCloud [seed=/dev/sr0][dsmode=net]"
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.status import PORT
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.waiting import collect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_info

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "port": {"type": "str", "default": PORT},
    "timeout": {"type": "float", "default": 600},
}


def main() -> None:
    """Run the module."""
    run_info(ARGUMENTS, collect)


if __name__ == "__main__":
    main()
