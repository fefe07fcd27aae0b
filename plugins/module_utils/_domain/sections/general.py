# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Title, description and labels: what a domain tells people about itself."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.labels import (
    NAMESPACE,
    read_labels,
    write_labels,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import (
    FieldSection,
    LivePlan,
    Running,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Action
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import Field
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, clone, dump

# The option → its virDomainMetadataType.
_METADATA = {
    "title": "VIR_DOMAIN_METADATA_TITLE",
    "description": "VIR_DOMAIN_METADATA_DESCRIPTION",
    "labels": "VIR_DOMAIN_METADATA_ELEMENT",
}
_PREFIX = "kvmmanager"


class General(FieldSection):
    """Title, description, labels. A running domain takes all of them on."""

    arguments = {"title": {"type": "str"}, "description": {"type": "str"}, "labels": {"type": "dict"}}
    fields = (Field("title", "title"), Field("description", "description"))

    def read(self, domain: Element) -> dict[str, Any]:
        """See `Section.read`."""
        labels = read_labels(domain)
        return {**super().read(domain), **({"labels": labels} if labels else {})}

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`."""
        super().patch(domain, options, facts)
        if "labels" in options:
            labels = {str(name): str(value) for name, value in options["labels"].items()}
            if labels != read_labels(domain):
                write_labels(domain, labels)

    def erase(self, domain: Element) -> None:
        """See `Section.erase`."""
        super().erase(domain)
        if read_labels(domain):
            write_labels(domain, {})

    def plan_live(self, running: Running) -> LivePlan:
        """See `Section.plan_live`."""
        plan = LivePlan(self.live_differences(running))
        for option in dict.fromkeys(change.path.partition(".")[0] for change in plan.changes):
            plan.actions.append(_set_metadata(running, option))
        return plan


def _set_metadata(running: Running, option: str) -> Action:
    handle, text = running.handle, _metadata_text(running.target, option)
    labels = option == "labels"

    def run(hypervisor: Hypervisor) -> None:
        hypervisor.call(
            f"set the {option} of the running domain '{handle.name}'",
            handle.domain.setMetadata,
            getattr(libvirt, _METADATA[option]),
            text,
            _PREFIX if labels else None,
            NAMESPACE if labels else None,
            libvirt.VIR_DOMAIN_AFFECT_LIVE,
        )

    return Action(f"set the {option} of the running domain", run)


def _metadata_text(target: Element, option: str) -> str | None:
    """What libvirt is given; None removes what is there."""
    if option != "labels":
        return target.findtext(option)
    found = target.find(f"metadata/{{{NAMESPACE}}}domain")
    if found is None:
        return None
    bare = clone(found)  # libvirt puts the namespace in itself, and refuses one that is there already
    for element in bare.iter():
        element.tag = element.tag.partition("}")[2]
    return dump(bare)


SECTION = General()
