# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make ansible_collections.kvmmanager.libvirt importable, through Ansible's own loader."""

from __future__ import annotations

import pathlib

from ansible.plugins.loader import init_plugin_loader

COLLECTIONS = pathlib.Path(__file__).parents[2] / ".cache" / "collections"

if not (COLLECTIONS / "ansible_collections/kvmmanager/libvirt").exists():
    raise RuntimeError(f"{COLLECTIONS} does not hold the collection; run scripts/bootstrap test")

init_plugin_loader([str(COLLECTIONS)])
