#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The task runs on the controller: the action plugin of the same name does all the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_fetch
short_description: Fetch files from a guest
version_added: 0.1.0
description:
  - Copies a file or a directory of a virtual machine to the controller, through the agent in its guest.
  - A file is fetched only when the controller does not have it, or with another content. Its checksum is compared with
    that of the copy when it has arrived, and it takes the place of the old one at once.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.guest
  - kvmmanager.libvirt.attributes
options:
  src:
    description:
      - The file or directory, an absolute path of the guest.
      - Of a directory, the files in it and below are fetched. What is neither a file nor a directory is left out.
    type: str
    required: true
  dest:
    description:
      - The folder on the controller, absolute, or relative to the playbook. The file goes to
        C(DEST/HOST/PATH), HOST being the name of the host in the inventory and PATH that of O(src).
      - With O(flat=true), the path of the file itself or, when it ends with a slash, the folder that it goes into.
    type: str
    required: true
  flat:
    description: Whether to put neither the name of the host nor the folders of O(src) before the name of the file.
    type: bool
    default: false
  fail_on_missing:
    description: Whether it is an error when there is no O(src).
    type: bool
    default: true
  timeout:
    description: How many seconds all of it may take.
    type: float
    default: 600
notes:
  - The agent follows no link of the guest, neither at the end of O(src) nor before. Name the path that it leads to.
  - Of a directory at most 10,000 files are fetched, else the task fails. Those that are left out, and directories,
    count, too.
  - Files may grow while they are fetched, by 64 MiB in all.
seealso:
  - module: kvmmanager.libvirt.guest_copy
  - module: ansible.builtin.fetch
"""

EXAMPLES = r"""
- name: Keep the log of each guest, in logs/HOST/var/log/syslog
  kvmmanager.libvirt.guest_fetch:
    src: /var/log/syslog
    dest: logs

- name: Fetch one file to one place
  kvmmanager.libvirt.guest_fetch:
    src: /etc/machine-id
    dest: "ids/{{ inventory_hostname }}"
    flat: true

- name: Fetch what may not be there
  kvmmanager.libvirt.guest_fetch:
    src: /var/crash
    dest: crashes
    fail_on_missing: false
"""

RETURN = r"""
dest:
  description: The path of the file or folder on the controller.
  returned: success
  type: str
  sample: /home/ops/logs/web1/var/log/syslog
checksum:
  description: The SHA-256 checksum of the file. V(null) in check mode for one that would be fetched.
  returned: when O(src) is a file
  type: str
  sample: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
size:
  description: The size of all files that were asked for, in bytes.
  returned: success
  type: int
  sample: 20480
files:
  description: The files of the controller that were written, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [/home/ops/logs/web1/var/log/syslog]
left_out:
  description: Paths of the guest below O(src) that are neither files nor directories.
  returned: success
  type: list
  elements: str
  sample: [/var/crash/latest]
msg:
  description: That there is nothing.
  returned: when there is no O(src) and O(fail_on_missing=false)
  type: str
  sample: There is no /var/crash in the guest, so nothing was fetched.
"""
