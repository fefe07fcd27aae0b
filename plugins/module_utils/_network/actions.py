# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The libvirt calls that change a network."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.live import Update
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, dump


class NetworkHandle:
    """The network that a task is about; its actions share it.

    :ivar name: its name.
    :ivar network: the ``libvirt.virNetwork``; None until the network is defined.
    """

    def __init__(self, name: str, network: Any = None) -> None:
        self.name = name
        self.network = network

    def define(self, hypervisor: Hypervisor, target: Element, validate: bool) -> None:
        """Store a configuration. An active network goes on as it is.

        :param validate: whether libvirt shall refuse what its schema does not have, instead of dropping it.
        """
        flags = libvirt.VIR_NETWORK_DEFINE_VALIDATE if validate else 0
        doing = f"store the configuration of the network '{self.name}'"
        self.network = hypervisor.call(doing, hypervisor.connection.networkDefineXMLFlags, dump(target), flags)

    def start(self, hypervisor: Hypervisor) -> None:
        """Start the network."""
        try:
            hypervisor.call(f"start the network '{self.name}'", self.network.create)
        except Failure as failure:
            # libvirt's words for an address that the host has elsewhere already, or a route to it.
            if "already in use by interface" not in failure.message:
                raise
            advice = "Choose addresses in ips that this host does not use on another interface."
            raise Failure(f"{failure.message} {advice}", **failure.result) from failure

    def stop(self, hypervisor: Hypervisor) -> None:
        """Stop the network; guests on it lose their connection."""
        hypervisor.call(f"stop the network '{self.name}'", self.network.destroy)

    def undefine(self, hypervisor: Hypervisor) -> None:
        """Make libvirt forget the network."""
        hypervisor.call(f"remove the network '{self.name}'", self.network.undefine)

    def set_autostart(self, hypervisor: Hypervisor, wanted: bool) -> None:
        """Let the network start together with the daemon, or not."""
        doing = f"switch autostart of the network '{self.name}'"
        hypervisor.call(doing, self.network.setAutostart, int(wanted))

    def update(self, hypervisor: Hypervisor, update: Update) -> None:
        """Change the active network only."""
        hypervisor.call(
            f"{update.summary} '{self.name}'",
            self.network.update,
            getattr(libvirt, f"VIR_NETWORK_UPDATE_COMMAND_{update.command}"),
            getattr(libvirt, f"VIR_NETWORK_SECTION_{update.section.name}"),
            update.index,
            dump(update.entry),
            libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE,
        )
