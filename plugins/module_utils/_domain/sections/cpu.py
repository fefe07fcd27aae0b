# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CPU that the guest sees."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import Running, Section
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import Field
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, child, remove, remove_all

_MODE = Field("mode", "cpu@mode")
_MODEL = Field("model", "cpu/model")
_POLICIES = ["require", "disable", "force", "optional", "forbid"]


class Cpu(Section):
    """CPU mode, model and features."""

    arguments = {
        "cpu": {
            "type": "dict",
            "options": {
                "mode": {"type": "str", "choices": ["host-passthrough", "host-model", "maximum", "custom"]},
                "model": {"type": "str"},
                "features": {"type": "dict"},
            },
        },
    }

    def defaults(self, facts: Facts, options: dict[str, Any]) -> dict[str, Any]:
        """host-model lets a domain migrate; emulation has no host CPU to take after, ARM no model of it."""
        if {"mode", "model"} & set(options.get("cpu", {})):
            return {}
        if options.get("type", "auto") in ("auto", facts.host.virtualization):
            emulated = facts.host.virtualization == "qemu"
        else:
            emulated = options["type"] == "qemu"
        if emulated:
            return {"cpu": {"mode": "maximum"}}
        return {"cpu": {"mode": "host-model" if facts.host.arch == "x86_64" else "host-passthrough"}}

    def read(self, domain: Element) -> dict[str, Any]:
        """See `Section.read`."""
        view = {field.option: field.read(domain) for field in (_MODE, _MODEL) if field.read(domain) is not None}
        features = {item.get("name", ""): item.get("policy", "") for item in domain.iterfind("cpu/feature")}
        if features:
            view["features"] = features
        return {"cpu": view} if view else {}

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`. Features that are not named stay."""
        wanted = options.get("cpu")
        if not wanted:
            return
        mode = wanted.get("mode", "custom" if "model" in wanted else None)
        if mode is not None and mode != "custom" and "model" in wanted:
            raise Failure(f"cpu: a model is chosen with mode custom only, not with {mode}.")
        if mode == "custom" and "model" not in wanted and _MODE.read(domain) != "custom":
            raise Failure("cpu: mode custom needs a model.")
        if mode is not None and (mode != _MODE.read(domain) or wanted.get("model") not in (None, _MODEL.read(domain))):
            _patch_mode(domain, mode, wanted.get("model"))
        for name, policy in wanted.get("features", {}).items():
            _patch_feature(domain, str(name), _policy(policy))

    def erase(self, domain: Element) -> None:
        """See `Section.erase`."""
        element = domain.find("cpu")
        if element is not None:
            _forget_model(element)
            remove_all(element, "feature")
            _MODE.erase(domain)

    def live_differences(self, running: Running) -> list[Change]:
        """See `Section.live_differences`. libvirt writes what it made of mode and model into the running XML."""
        stored, target = self.read(running.stored), self.read(running.target)
        modes = [view.get("cpu", {}).get("mode") for view in (target, self.read(running.live))]
        if stored == target and modes == ["host-model", "custom"]:
            return []
        known = {f"cpu.features.{name}" for name in stored.get("cpu", {}).get("features", {})}
        return [
            change
            for change in super().live_differences(running)
            if change.after is not None or not change.path.startswith("cpu.features.") or change.path in known
        ]


def _patch_mode(domain: Element, mode: str, model: str | None) -> None:
    element = child(domain, "cpu")
    _forget_model(element)
    if mode != _MODE.read(domain):  # they were about another CPU
        remove_all(element, "feature")
    element.set("mode", mode)
    if model is not None:
        child(element, "model").text = model
        child(element, "model").set("fallback", "forbid")


def _forget_model(element: Element) -> None:
    for attribute in ("match", "check", "migratable"):
        element.attrib.pop(attribute, None)
    for tag in ("model", "vendor"):
        remove(element, tag)


def _policy(policy: Any) -> str:
    """YAML users write booleans too."""
    if isinstance(policy, bool):
        return "require" if policy else "disable"
    if policy not in _POLICIES:
        raise Failure(f"cpu.features: '{policy}' is no policy; choose from {', '.join(_POLICIES)}.")
    return str(policy)


def _patch_feature(domain: Element, name: str, policy: str) -> None:
    element = child(domain, "cpu")
    for feature in element.findall("feature"):
        if feature.get("name") == name:
            feature.set("policy", policy)
            return
    ElementTree.SubElement(element, "feature", {"policy": policy, "name": name})


SECTION = Cpu()
