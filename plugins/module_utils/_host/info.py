# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describing a hypervisor: what the module host_info does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.kvm import why_kvm_is_unusable
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._host.capabilities import (
    best_machine,
    describe_cpu,
    describe_features,
    describe_kvm,
    has_iommu,
    host_arch,
    version_text,
    virtualization_types,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._parallel import each
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse

# virNodeGetInfo: https://libvirt.org/html/libvirt-libvirt-host.html#virNodeInfo
_CPUS, _MHZ, _NODES, _SOCKETS, _CORES, _THREADS = range(2, 8)


def collect(_params: dict[str, Any], hypervisor: Hypervisor) -> dict[str, Any]:
    """All that a user may want to know of a hypervisor, in two round trips and no change."""
    read = _read_at_once(hypervisor)
    capabilities = parse(read["capabilities"], "the capabilities of the host")
    features = parse(
        hypervisor.privileged.domain_capabilities(None, host_arch(capabilities), best_machine(capabilities), None),
        "the domain capabilities",
    )
    return {
        "host": {
            "uri": hypervisor.uri,
            "hostname": read["hostname"],
            "libvirt_version": version_text(read["libvirt_version"]),
            "hypervisor": read["hypervisor"],
            "hypervisor_version": version_text(read["hypervisor_version"]),
            "cpu": {**describe_cpu(capabilities), **_topology(read["node"])},
            "memory": _memory(read["memory"]),
            "virtualization_types": virtualization_types(capabilities),
            "kvm": describe_kvm(capabilities, why_kvm_is_unusable(hypervisor.uri)),
            "iommu": has_iommu(capabilities),
            "features": describe_features(capabilities, features),
            "pools": _names(read["pools"], read["started_pools"]),
            "networks": _names(read["networks"], read["started_networks"]),
        }
    }


def _read_at_once(hypervisor: Hypervisor) -> dict[str, Any]:
    connection = hypervisor.connection
    reads: dict[str, tuple[str, Callable[..., Any], tuple[Any, ...]]] = {
        "capabilities": ("read the capabilities of the host", connection.getCapabilities, ()),
        "hostname": ("read the name of the host", connection.getHostname, ()),
        "libvirt_version": ("read the version of libvirt", connection.getLibVersion, ()),
        "hypervisor": ("read the type of the hypervisor", connection.getType, ()),
        "hypervisor_version": ("read the version of the hypervisor", connection.getVersion, ()),
        "node": ("read the processors of the host", connection.getInfo, ()),
        "memory": (
            "read the memory of the host",
            connection.getMemoryStats,
            (libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS, 0),
        ),
        "pools": ("list the storage pools", connection.listAllStoragePools, (0,)),
        "started_pools": (
            "list the storage pools",
            connection.listAllStoragePools,
            (libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE,),
        ),
        "networks": ("list the networks", connection.listAllNetworks, (0,)),
        "started_networks": (
            "list the networks",
            connection.listAllNetworks,
            (libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE,),
        ),
    }

    def read(name: str) -> Any:
        doing, function, arguments = reads[name]
        return hypervisor.call(doing, function, *arguments)

    return dict(zip(reads, each(read, reads)))


def _topology(node: list[Any]) -> dict[str, int]:
    return {
        "count": node[_CPUS],
        "mhz": node[_MHZ],
        "numa_nodes": node[_NODES],
        "sockets_per_node": node[_SOCKETS],
        "cores_per_socket": node[_CORES],
        "threads_per_core": node[_THREADS],
    }


def _memory(kibibytes: dict[str, int]) -> dict[str, int | None]:
    """libvirt counts KiB; bytes come back."""
    sizes = {name: kibibytes.get(name) for name in ("total", "free", "buffers", "cached")}
    return {name: None if size is None else size * 1024 for name, size in sizes.items()}


def _names(everything: list[Any], started: list[Any]) -> list[dict[str, str]]:
    active = {item.name() for item in started}
    names = sorted({item.name() for item in everything} | active)
    return [{"name": name, "state": "started" if name in active else "stopped"} for name in names]
