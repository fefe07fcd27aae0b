# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``xml``: a user's domain XML laid over the one that libvirt holds. Pure.

The user may hand over what libvirt printed, of the stored or of the running domain: what starting a domain adds to its
XML is no wish.
"""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.drives import target_of
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.identity import pair
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.overlay import overlay
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.plugged import unresolve
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections.machine import is_version_of
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections.memory import whole_mib
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import SizeField
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    attribute_at,
    child,
    clone,
    remove_all,
)

_MOST = SizeField("max_memory", "memory")
_CURRENT = SizeField("memory", "currentMemory")


def lay_over(current: Element, given: Element, gone: Callable[[Element], bool]) -> Element:
    """``current``, with what ``given`` says.

    :param gone: whether a device that ``given`` does not list is to go.
    """
    target, wanted = clone(current), without_run_time(given, current)
    overlay(target, wanted, gone, _same_text)
    _follow_memory(current, target, wanted)
    _agree_on_listening(target, wanted)
    _agree_on_firmware(current, target, wanted)
    return target


def without_run_time(given: Element, current: Element) -> Element:
    """``given`` without what libvirt adds to the XML of a running domain, and never stores."""
    wanted = clone(given)
    running = wanted.attrib.pop("id", None) is not None
    _strip_always(wanted)
    _strip_types_of_empty_drives(wanted, current)
    if running:
        _strip_devices_of_running(wanted)
        _strip_places_of_running(wanted, current)
        _strip_drivers_of_running(wanted, current)
        _strip_graphics_of_running(wanted, current)
        _strip_domain_of_running(wanted, current)
    return wanted


def _strip_always(wanted: Element) -> None:
    for parent in wanted.iter():
        for alias in parent.findall("alias"):
            if not alias.get("name", "").startswith("ua-"):  # the prefix of aliases that a user may choose
                parent.remove(alias)
    for source in wanted.iterfind("devices/*/source"):
        for name in ("index", "portid"):
            source.attrib.pop(name, None)
    for target in wanted.iterfind("devices/channel/target"):
        target.attrib.pop("state", None)
    for target in wanted.iterfind("devices/console/target[@type='virtio']"):
        target.attrib.pop("port", None)  # libvirt counts them, and may count the running ones otherwise


def _strip_types_of_empty_drives(wanted: Element, current: Element) -> None:
    """Of a drive without a medium libvirt does not remember what kind of medium it was for."""
    held = _disks(current)
    for device in wanted.iterfind("devices/disk"):
        known = held.get(target_of(device))
        if known is not None and device.find("source") is None and known.find("source") is None:
            device.attrib.pop("type", None)


def _strip_devices_of_running(wanted: Element) -> None:
    for source in wanted.iterfind("devices/*/source[@tls='no']"):
        del source.attrib["tls"]  # the daemon's default
    for target in wanted.iterfind("devices/disk/target"):
        target.attrib.pop("tray", None)  # the guest opens and closes it
    for device in wanted.iterfind("devices/*"):
        device.attrib.pop("tty", None)
        if device.get("type") == "pty" or (device.tag == "channel" and device.get("type") == "unix"):
            remove_all(device, "source")
        if device.tag == "disk":
            remove_all(device, "backingStore")
        if device.tag == "interface":
            remove_all(device, "target")
            unresolve(device)


def _strip_places_of_running(wanted: Element, current: Element) -> None:
    """Where in the guest's memory a module came to be."""
    held = current.findall("devices/memory")
    given = wanted.findall("devices/memory")
    for device, known in zip(given, pair(held, given)):
        address = device.find("address")
        if known is not None and address is not None and attribute_at(known, "address", "base") is None:
            address.attrib.pop("base", None)


def _strip_drivers_of_running(wanted: Element, current: Element) -> None:
    """A running disk says how its image is written, also where its configuration leaves that to libvirt."""
    held = _disks(current)
    for device in wanted.iterfind("devices/disk"):
        known = held.get(target_of(device))
        if known is not None and attribute_at(known, "driver", "type") is None:
            remove_all(device, "driver")


def _disks(domain: Element) -> dict[str, Element]:
    return {target_of(device): device for device in domain.iterfind("devices/disk")}


def _strip_graphics_of_running(wanted: Element, current: Element) -> None:
    for device in wanted.iterfind("devices/graphics"):
        if device.get("autoport") == "yes":
            device.attrib.pop("port", None)
        held = current.find(f"devices/graphics[@type='{device.get('type')}']")
        if held is None:
            continue
        if held.get("listen") is None:  # the address is the daemon's default
            device.attrib.pop("listen", None)
            remove_all(device, "listen")
        if held.get("socket") is None:  # libvirt chooses another at each start
            device.attrib.pop("socket", None)


def _strip_domain_of_running(wanted: Element, current: Element) -> None:
    # Where the balloon is, not where somebody wants it.
    remove_all(wanted, "currentMemory")
    most = _MOST.read(current)
    if most is not None and whole_mib(most) == _MOST.read(wanted):
        remove_all(wanted, "memory")
    if current.find("resource") is None:
        remove_all(wanted, "resource")
    _strip_labels(wanted, current)
    _strip_firmware_of_running(wanted, current)
    _strip_expanded_cpu(wanted, current)


def _strip_firmware_of_running(wanted: Element, current: Element) -> None:
    """libvirt chooses the files of the firmware where the configuration does not name them, and what they need."""
    for parent in wanted.findall("os"):
        for tag in ("loader", "nvram"):
            if current.find(f"os/{tag}") is None:
                remove_all(parent, tag)
    for nvram in wanted.iterfind("os/nvram"):
        for name in ("template", "templateFormat"):
            if attribute_at(current, "os/nvram", name) is None:
                nvram.attrib.pop(name, None)
    if current.find("features/smm") is None:
        for parent in wanted.findall("features"):
            remove_all(parent, "smm")


def _strip_labels(wanted: Element, current: Element) -> None:
    """Each start chooses new security labels, and adds those that the daemon uses for all its domains."""
    held = {label.get("model") for label in current.iterfind("seclabel")}
    for label in wanted.findall("seclabel"):
        if label.get("type") == "dynamic":
            for tag in ("label", "imagelabel"):
                remove_all(label, tag)
            if label.get("model") not in held:
                wanted.remove(label)


def _strip_expanded_cpu(wanted: Element, current: Element) -> None:
    """A running domain shows which model and features its mode came to."""
    held = current.find("cpu")
    cpu = wanted.find("cpu")
    if cpu is None or held is None or (cpu.get("mode") == held.get("mode") and cpu.get("check") == held.get("check")):
        return
    if held.get("mode") != "host-model" and held.get("check") not in ("partial", "none", None):
        return
    if held.get("mode") != "host-model" and cpu.get("mode") != held.get("mode"):
        return
    cpu.attrib.clear()
    for tag in ("model", "vendor", "feature"):
        remove_all(cpu, tag)


def _same_text(given: Element, held: str) -> bool:
    """Whether ``held`` is what libvirt makes of what ``given`` says."""
    machine = given.get("machine")
    return given.tag == "type" and machine is not None and held != machine and is_version_of(held, machine)


def _follow_memory(current: Element, target: Element, wanted: Element) -> None:
    """Without a word on it, the guest has all the memory again when it had all, and never more than there is."""
    if wanted.find("currentMemory") is not None:
        return
    held, most, memory = _MOST.read(current), _MOST.read(target), _CURRENT.read(target)
    if most is None or memory is None or most == held:
        return
    if memory == held or memory > most:
        _CURRENT.write(target, most)


def _agree_on_listening(target: Element, wanted: Element) -> None:
    """libvirt writes a screen's address twice and a chosen port beside ``autoport``; a user writes one of them."""
    for given in wanted.iterfind("devices/graphics"):
        device = target.find(f"devices/graphics[@type='{given.get('type')}']")
        if device is None:
            continue
        attribute, element = given.get("listen"), given.find("listen[@type='address']")
        held = device.find("listen[@type='address']")
        if element is not None and element.get("address"):
            device.set("listen", element.get("address", ""))
        elif attribute is not None and held is not None:
            held.set("address", attribute)
        if given.get("port", "-1") != "-1" and "autoport" not in given.attrib:
            device.set("autoport", "no")


def _agree_on_firmware(current: Element, target: Element, wanted: Element) -> None:
    """Who names another loader file chooses the firmware, so libvirt does not."""
    given = wanted.find("os")
    loader = None if given is None else given.findtext("loader")
    if given is not None and loader and loader != current.findtext("os/loader") and "firmware" not in given.attrib:
        chosen = child(target, "os")
        chosen.attrib.pop("firmware", None)
        remove_all(chosen, "firmware")
