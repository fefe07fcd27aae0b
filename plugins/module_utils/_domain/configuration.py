# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what libvirt holds of a domain and what the user wants to the domain's target XML. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.images import image_formats
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.platform import complete
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.raw_xml import lay_over
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.rest import rest_changes
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections import DEVICE_SECTIONS, SECTIONS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections.firmware import keep_variables
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, differences
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    child,
    clone,
    parse,
    text_at,
)

_XML_OPTION = "The option xml"


def target_configuration(current: Element | None, desired: dict[str, Any], facts: Facts) -> Element:
    """The ``<domain>`` that libvirt is to store; equal to ``current`` where nothing is to be changed.

    :param current: the stored configuration, or None for a new domain.
    :param desired: the options that the user named, without those that are None.
    :param facts: from `read_facts`, for the same ``current`` and ``desired``.
    :raises Failure: for options that contradict each other or the domain.
    """
    given = parse(desired["xml"], _XML_OPTION) if "xml" in desired else None
    if current is None:
        target, options = _new_domain(given, desired, facts)
    else:
        target, options = clone(current), desired
        if given is not None:
            target = lay_over(target, given, lambda device: _is_purged(device, desired))
        if "name" in desired:
            child(target, "name").text = desired["name"]
    facts = replace(facts, formats=image_formats(target))  # before images change places
    for section in SECTIONS:
        section.patch(target, options, facts)
    if current is None and given is None:
        complete(target)
    elif current is not None and text_at(target, "name") != text_at(current, "name"):
        keep_variables(target, current, facts.variables)
    return target


def configuration_changes(before: Element | None, after: Element) -> list[Change]:
    """What differs between two configurations, by the options' names; what has no option comes under ``xml.``.

    Passwords are not shown.

    :param before: None for a new domain.
    """
    if before is None:
        return differences({}, _options_view(after))
    return differences(_options_view(before), _options_view(after)) + rest_changes(before, after)


def _new_domain(given: Element | None, desired: dict[str, Any], facts: Facts) -> tuple[Element, dict[str, Any]]:
    """What sections patch to make a new domain, and the options with the defaults that a new domain gets.

    Who writes the XML decides on everything in it, so it gets no defaults.
    """
    domain = Element("domain") if given is None else clone(given)
    for option in ("name", "uuid"):
        if option in desired:
            child(domain, option).text = desired[option]
    if domain.find("uuid") is None and facts.uuid is not None:
        child(domain, "uuid").text = facts.uuid
    if given is not None:
        return domain, desired
    options = dict(desired)
    for section in SECTIONS:
        options = _completed(options, section.defaults(facts, options))
    return domain, options


def _completed(options: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The options and, where they say nothing, the defaults; so also within an option that is a dict itself."""
    whole = {**defaults, **options}
    for option, default in defaults.items():
        if isinstance(default, dict):
            whole[option] = {**default, **whole[option]}
    return whole


def _is_purged(device: Element, desired: dict[str, Any]) -> bool:
    """Whether a device that the user's XML does not list is to go."""
    purged = set(desired.get("purge", ())) - set(desired)  # what the options list is up to them
    return any(section.option in purged and section.owns(device) for section in DEVICE_SECTIONS)


def _options_view(domain: Element) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for section in SECTIONS:
        whole.update(section.read(domain))
    return whole
