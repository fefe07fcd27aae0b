# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tiny guest on a real host: an address, an agent, and the power button."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import libvirt
import pytest

from tests.lab import Host, Lab, images

_PATIENCE = 240  # seconds, for an emulated guest on a busy machine
_DOMAIN = """<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>256</memory>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>{kernel}</kernel><initrd>{initrd}</initrd><cmdline>{cmdline}</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <interface type='network'><source network='default'/><model type='virtio'/></interface>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <serial type='file'><source path='{console}'/></serial>
  </devices>
</domain>"""
_Value = TypeVar("_Value")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    with Lab(name=f"guest-{os.getpid()}", hosts=[Host("h1", "bookworm"), Host("h2", "trixie")]) as running:
        yield running


def start_tiny(lab: Lab, host: str, arguments: str = "") -> libvirt.virDomain:
    tiny = images.tiny()
    connection = libvirt.open(lab[host].uri)
    description = _DOMAIN.format(
        name="tiny",
        kernel=lab.share(tiny.kernel),
        initrd=lab.share(tiny.initrd),
        cmdline=f"{tiny.cmdline} {arguments}".strip(),
        console=console_of(lab),
    )
    return connection.createXML(description)


def console_of(lab: Lab) -> Path:
    """Where the guest's console is written to."""
    return lab.shared / "console"


def feels_the_power_button(lab: Lab, domain: libvirt.virDomain) -> bool:
    domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
    return "power button" in console_of(lab).read_text(errors="replace")


def wait_for(question: Callable[[], _Value]) -> _Value:
    """Return the first answer that is not empty; errors count as none."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            if answer := question():
                return answer
        except libvirt.libvirtError:
            pass
        time.sleep(0.1)
    raise AssertionError("the guest did not get there")


def addresses(domain: libvirt.virDomain, source: int) -> set[str]:
    found = domain.interfaceAddresses(source)
    return {address["addr"] for device in found.values() for address in device["addrs"] or []}


def is_off(domain: libvirt.virDomain) -> bool:
    try:
        return not domain.isActive()
    except libvirt.libvirtError as error:
        return error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN


@pytest.mark.parametrize("host", ["h1", "h2"])
def test_tiny_guest(lab: Lab, host: str) -> None:
    domain = start_tiny(lab, host, "tiny.hostname=smallest")
    lease = wait_for(lambda: addresses(domain, libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE))
    wait_for(lambda: lease <= addresses(domain, libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT))
    assert domain.hostname(libvirt.VIR_DOMAIN_GET_HOSTNAME_AGENT) == "smallest"
    domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
    assert wait_for(lambda: is_off(domain))


def test_tiny_guest_that_ignores_the_power_button(lab: Lab) -> None:
    domain = start_tiny(lab, "h1", "tiny.ignore_power")
    wait_for(lambda: domain.hostname(libvirt.VIR_DOMAIN_GET_HOSTNAME_AGENT))
    assert wait_for(lambda: feels_the_power_button(lab, domain))
    time.sleep(3)
    assert domain.isActive()
    domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)
    assert wait_for(lambda: is_off(domain))
