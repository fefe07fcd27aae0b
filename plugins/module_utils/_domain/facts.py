# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a domain's options refer to and its host can do; read only when an option needs it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.kvm import why_kvm_is_unusable
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import missing
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import require_volume
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._uri import is_session
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at, parse, text_at


@dataclass(frozen=True)
class Host:
    """What the host offers a domain.

    :ivar virtualization: ``kvm`` where that is usable, else ``qemu``; or the type that the task names.
    :ivar arch: ``x86_64``, ``aarch64`` …
    :ivar firmware: what libvirt can choose by itself, ``efi`` for example.
    :ivar tpm: whether an emulated TPM is possible.
    """

    virtualization: str = "kvm"
    arch: str = "x86_64"
    firmware: tuple[str, ...] = ("bios", "efi")
    tpm: bool = True


@dataclass(frozen=True)
class Image:
    """A disk image that the task names: where it is and how it is written (``qcow2``, ``raw`` …)."""

    path: str
    format: str


@dataclass(frozen=True)
class Facts:
    """What `patch` needs to know besides the XML.

    :ivar uuid: for a domain that does not exist yet.
    :ivar host: for a domain that does not exist yet, and for a change of its type.
    :ivar images: of volumes by (pool, volume), of files by path; only those that the domain does not use already.
    :ivar formats: how those that it does use are written, by the same keys.
    :ivar variables: the folder in which the daemon keeps UEFI variables; empty for a user's own, whose home it is in.
    """

    uuid: str | None = None
    host: Host = field(default_factory=Host)
    images: dict[Any, Image] = field(default_factory=dict)
    formats: dict[Any, str] = field(default_factory=dict)
    variables: str = "/var/lib/libvirt/qemu/nvram"


def read_facts(hypervisor: Hypervisor, desired: dict[str, Any], current: Element | None) -> Facts:
    """The facts that these options need; a domain that stays as it is needs none, and that makes no call.

    :param current: the stored configuration, or None for a new domain.
    :raises Failure: for a pool, a volume or a network that does not exist, with what is near.
    """
    _require_networks(hypervisor, _named_networks(desired) - _used_networks(current))
    return replace(_read_facts(hypervisor, desired, current), variables=variables_folder(hypervisor.uri))


def variables_folder(uri: str) -> str:
    """See `Facts.variables`."""
    return "" if is_session(uri) else Facts.variables


def _read_facts(hypervisor: Hypervisor, desired: dict[str, Any], current: Element | None) -> Facts:
    images = {place: _read_image(hypervisor, place) for place in _named_images(desired) - _used_images(current)}
    found = {place: image for place, image in images.items() if image is not None}
    if current is None:
        return Facts(desired.get("uuid") or str(uuid.uuid4()), _read_host(hypervisor, desired), found)
    if _asks_more_of_host(desired, current):
        return Facts(host=_read_host(hypervisor, {**_machine_of(current), **desired}), images=found)
    return Facts(images=found)


def _asks_more_of_host(desired: dict[str, Any], current: Element) -> bool:
    """Whether a domain that exists is to have what not every host offers."""
    tpm = desired.get("tpm", False) and current.find("devices/tpm") is None
    chosen = attribute_at(current, "os", "firmware") or current.find("os/loader")
    return bool(tpm or (desired.get("firmware") == "uefi" and chosen is None))


def _machine_of(current: Element) -> dict[str, Any]:
    places = {"type": ("", "type"), "arch": ("os/type", "arch"), "machine": ("os/type", "machine")}
    return {option: attribute_at(current, *place) for option, place in places.items()}


def _read_host(hypervisor: Hypervisor, desired: dict[str, Any]) -> Host:
    if "xml" in desired:
        return Host()  # nothing is decided for who writes the XML
    named = desired.get("type", "auto")
    virt_type = None if named == "auto" else named
    text = hypervisor.privileged.domain_capabilities(None, desired.get("arch"), desired.get("machine"), virt_type)
    capabilities = parse(text, "the domain capabilities")
    offered = text_at(capabilities, "domain") or "qemu"
    unusable = named == "auto" and offered == "kvm" and why_kvm_is_unusable(hypervisor.uri)
    return Host(
        virtualization="qemu" if unusable else offered,
        arch=text_at(capabilities, "arch") or "x86_64",
        firmware=tuple(value.text or "" for value in capabilities.iterfind("os/enum[@name='firmware']/value")),
        tpm=_offers_tpm(capabilities),
    )


def _offers_tpm(capabilities: Element) -> bool:
    values = capabilities.iterfind("devices/tpm/enum[@name='backendModel']/value")
    return any(value.text == "emulator" for value in values)


def _named_images(desired: dict[str, Any]) -> set[Any]:
    """The volumes, as (pool, volume), and the files, as paths, that the task names."""
    places: set[Any] = set()
    for device in (*desired.get("disks", ()), *desired.get("cdroms", ())):
        volume, path = device.get("volume"), device.get("path")
        if volume:
            places.add((volume["pool"], volume["volume"]))
        # Where the format is named there is nothing to find out of a file.
        if path and "format" not in device and not path.startswith("/dev/"):
            places.add(path)
    return places


def _used_images(current: Element | None) -> set[Any]:
    if current is None:
        return set()
    sources = current.findall("devices/disk/source")
    volumes = {(source.get("pool"), source.get("volume")) for source in sources}
    return volumes | {source.get("file") for source in sources}


def _read_image(hypervisor: Hypervisor, place: Any) -> Image | None:
    """None for a file that is no volume of an active pool: libvirt knows nothing of it."""
    if isinstance(place, tuple):
        volume = require_volume(hypervisor, *place)
    else:
        find = hypervisor.connection.storageVolLookupByPath
        volume = hypervisor.find(f"look up the volume {place}", find, place)
    if volume is None:
        return None
    doing = f"read the volume '{volume.name()}'"
    described = parse(hypervisor.call(doing, volume.XMLDesc, 0), doing)
    written = described.find("target/format")
    return Image(text_at(described, "target/path") or "", "raw" if written is None else written.get("type", "raw"))


def _named_networks(desired: dict[str, Any]) -> set[str]:
    return {device["network"] for device in desired.get("interfaces", ()) if device.get("network")}


def _used_networks(current: Element | None) -> set[str | None]:
    if current is None:
        return set()
    return {source.get("network") for source in current.iterfind("devices/interface/source")}


def _require_networks(hypervisor: Hypervisor, names: Iterable[str]) -> None:
    for name in sorted(names):
        look_up = hypervisor.connection.networkLookupByName
        if hypervisor.find(f"look up the network '{name}'", look_up, name) is None:
            networks = hypervisor.call("list the networks", hypervisor.connection.listAllNetworks, 0)
            raise missing("network", name, hypervisor.uri, (network.name() for network in networks))
