# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For every module that manages something: tasks that would change something on libvirt's test driver.

The driver begins with a running domain ``test``, a network ``default`` and a storage pool ``default-pool``, which has a
volume `VOLUME` here.
"""

from __future__ import annotations

from typing import Any

VOLUME = """<volume><name>old</name><capacity unit='MiB'>1</capacity><target><format type='raw'/></target></volume>"""
CASES: dict[str, list[dict[str, Any]]] = {
    "cloud_image": [
        {"path": __file__, "format": "raw", "pool": "default-pool"},
        {"path": __file__, "format": "raw", "pool": "default-pool", "volume": "base"},
    ],
    "cloud_init_seed": [
        {"pool": "default-pool", "volume": "seed.iso", "user_data": {"hostname": "a"}},
        {"pool": "default-pool", "volume": "seed.iso", "meta_data": "instance-id: a"},
        {"pool": "default-pool", "volume": "old", "user_data": {"hostname": "a"}},
        {"pool": "default-pool", "volume": "old", "state": "absent"},
    ],
    "domain": [
        {"name": "new", "memory": "1 GiB", "interfaces": [{"network": "default"}], "autostart": True},
        {"xml": "<domain type='test'><name>new</name><memory>1024</memory><os><type>hvm</type></os></domain>"},
        {"name": "test", "description": "changed", "vcpus": 1},
        {"name": "test", "state": "stopped"},
        {"name": "test", "state": "paused"},
        {"name": "test", "state": "absent"},
        {"name": "test", "autostart": True, "apply": "config"},
    ],
    "network": [
        {"name": "new", "mode": "isolated", "autostart": True},
        {"name": "default", "state": "stopped"},
        {"name": "default", "state": "absent"},
        {"name": "default", "mtu": 1400, "dns": {"txt": [{"name": "a", "value": "b"}]}},
        {"name": "default", "mtu": 1400, "allow_restart": True},
    ],
    "pool": [
        {"name": "new", "path": "/new", "state": "started", "autostart": True},
        {"name": "default-pool", "state": "stopped"},
        {"name": "default-pool", "state": "absent"},
        {"name": "default-pool", "autostart": True, "path": "/elsewhere"},
    ],
    "volume": [
        {"pool": "default-pool", "name": "new", "capacity": "1 GiB", "format": "raw"},
        {"pool": "default-pool", "name": "new", "clone_from": {"volume": "old"}},
        {"pool": "default-pool", "name": "new", "src": __file__, "format": "raw"},
        {"pool": "default-pool", "name": "old", "capacity": "2 MiB"},
        {"pool": "default-pool", "name": "old", "src": __file__, "format": "raw", "overwrite": "always"},
        {"pool": "default-pool", "name": "old", "dest": "/tmp/nothing-writes-this"},
        {"pool": "default-pool", "name": "old", "state": "absent"},
    ],
}
