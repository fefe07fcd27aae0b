#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The task runs on the controller: the action plugin of the same name does all the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_copy
short_description: Copy files into a guest
version_added: 0.1.0
description:
  - Copies a file, a directory or a text into a virtual machine, through the agent in its guest.
  - A file is written only when its content, mode, owner or group differs. Its checksum is compared with that of the
    copy when it has arrived, and it takes the place of the old one at once, so nobody sees half of it.
  - A copy that breaks off goes on from where it was when the agent is back within O(timeout).
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.guest
  - kvmmanager.libvirt.attributes
options:
  src:
    description:
      - The file or directory on the controller, absolute, or relative to the C(files) folder of the role or playbook.
      - A directory is copied with all that is in it. When its path ends with a slash, its content is copied into
        O(dest), otherwise the directory itself. Links are followed.
      - Files that Ansible Vault has encrypted are decrypted.
      - Either this or O(content) is needed.
    type: str
  content:
    description: The text of the file. A dictionary or a list is written as JSON.
    type: raw
  dest:
    description:
      - Where to copy to, an absolute path of the guest.
      - When it ends with a slash, or is a directory, the file keeps its name and goes into that directory, which is
        made where it is missing. Directories above it are not.
    type: str
    required: true
  mode:
    description:
      - The permissions of the files, as octal digits in quotes, such as V('0644'), or V(preserve) for those that they
        have on the controller.
      - By default a file that is there keeps its own, and a new one can be read and written by its owner only.
    type: raw
  directory_mode:
    description:
      - The permissions of directories that are made, as octal digits in quotes. Others keep theirs.
      - By default V('0755') or, when O(mode=preserve), those that they have on the controller.
    type: raw
  owner:
    description:
      - The user that owns the files, a name or a number. A name is looked up in C(/etc/passwd) of the guest.
      - By default a file that is there keeps its own, and a new one belongs to the user of the agent, root. Directories
        that are made belong to it, too.
    type: str
  group:
    description: The group that owns the files, a name or a number. The same holds as for O(owner), with C(/etc/group).
    type: str
  timeout:
    description: How many seconds all of it may take.
    type: float
    default: 600
notes:
  - The agent follows no link of the guest, neither at the end of O(dest) nor before. Name the path that it leads to.
  - With C(--diff), texts of at most C(max_diff_size) bytes are shown. Set C(diff) to V(false) for a task that copies
    secrets.
seealso:
  - module: kvmmanager.libvirt.guest_fetch
  - module: ansible.builtin.copy
"""

EXAMPLES = r"""
- name: Configure a service in guests that have no network
  kvmmanager.libvirt.guest_copy:
    src: nginx.conf
    dest: /etc/nginx/nginx.conf
    mode: '0644'

- name: Have the content of a directory in another one, with its modes
  kvmmanager.libvirt.guest_copy:
    src: site/
    dest: /srv/www
    mode: preserve
    owner: www-data
    group: www-data

- name: Write a text
  kvmmanager.libvirt.guest_copy:
    content: |
      Managed by Ansible.
    dest: /etc/motd
    mode: '0644'
"""

RETURN = r"""
dest:
  description: The path of the file, or of the directory that everything was copied into.
  returned: success
  type: str
  sample: /etc/motd
checksum:
  description: The SHA-256 checksum of the file. V(null) for a directory.
  returned: success
  type: str
  sample: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
size:
  description: The size of all files that were asked for, in bytes.
  returned: success
  type: int
  sample: 20
files:
  description: The files of the guest that were written, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [/etc/motd]
directories:
  description: The directories of the guest that were made, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: []
"""
