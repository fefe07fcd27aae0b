# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels of a domain: names and values of the user's own, kept in the domain's metadata. Pure.

libvirt stores one element a namespace there and never looks into it
(https://libvirt.org/formatdomain.html#general-metadata).
"""

from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, child, is_empty

NAMESPACE = "urn:kvmmanager:libvirt:domain:1"
_ROOT = f"{{{NAMESPACE}}}domain"
_LABEL = f"{{{NAMESPACE}}}label"

ElementTree.register_namespace("kvmmanager", NAMESPACE)


def read_labels(domain: Element) -> dict[str, str]:
    """The labels in a ``<domain>`` element; empty where there are none."""
    found = domain.findall(f"metadata/{_ROOT}/{_LABEL}")
    return {label.get("name", ""): label.get("value", "") for label in found}


def write_labels(domain: Element, labels: dict[str, str]) -> None:
    """Make these the labels of a ``<domain>`` element, in place; an empty dict removes them."""
    metadata = child(domain, "metadata")
    for old in metadata.findall(_ROOT):
        metadata.remove(old)
    if is_empty(metadata) and not labels:
        domain.remove(metadata)
    if not labels:
        return
    root = ElementTree.SubElement(metadata, _ROOT)
    for name, value in sorted(labels.items()):
        ElementTree.SubElement(root, _LABEL, {"name": name, "value": value})
