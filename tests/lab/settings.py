# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files a host's daemon reads. Pure text."""

from __future__ import annotations

import uuid

from .model import Host

SASL_FOLDER = "/etc/libvirt/sasl"  # where libsasl looks for libvirt.conf
SASL_DATABASE = "/etc/libvirt/passwd.db"
# No secret: the hosts answer on this machine alone.
SASL_USER = "operator"
SASL_PASSWORD = "open sesame"
_PKI = "/etc/libvirt/pki"


def sasl_conf() -> str:
    """Return libvirt.conf for SASL. Plain TCP needs a mechanism that encrypts, which SCRAM does not."""
    return f"mech_list: digest-md5 scram-sha-256\nsasldb_path: {SASL_DATABASE}\n"


def host_uuid(lab: str, host: Host) -> str:
    """Return the identity of a host; libvirt refuses to migrate between daemons that have the same one."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{host.name}.{lab}.kvmmanager.test"))


def libvirtd_conf(lab: str, host: Host, address: str) -> str:
    """Return libvirtd.conf."""
    return "".join(
        f"{line}\n"
        for line in (
            f"listen_tls = {int(host.tls)}",
            "listen_tcp = 1",
            f'listen_addr = "{address}"',
            f'auth_tcp = "{host.auth}"',
            f'auth_tls = "{host.auth}"',
            f'key_file = "{_PKI}/serverkey.pem"',
            f'cert_file = "{_PKI}/servercert.pem"',
            f'ca_file = "{_PKI}/cacert.pem"',
            # Only root gets into the host, and there is no polkit daemon to ask.
            'auth_unix_ro = "none"',
            'auth_unix_rw = "none"',
            f'host_uuid = "{host_uuid(lab, host)}"',
            'log_outputs = "2:file:/var/log/libvirt/libvirtd.log"',
        )
    )


def qemu_conf() -> str:
    """Return qemu.conf: a namespace inside a namespace, cgroups and AppArmor are not for a guest of a lab."""
    return 'security_driver = "none"\nnamespaces = []\ncgroup_controllers = []\n'


def hosts_file(addresses: dict[str, str]) -> str:
    """Return /etc/hosts: peer-to-peer migration looks the destination's name up on the source host."""
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in addresses.items())]
    return "".join(f"{line}\n" for line in lines)


def default_pool_xml() -> str:
    """Return the C(default) pool, where a hypervisor has it."""
    return (
        "<pool type='dir'>\n  <name>default</name>\n  <target><path>/var/lib/libvirt/images</path></target>\n</pool>\n"
    )
