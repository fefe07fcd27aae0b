# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: libvirt
short_description: Lists the virtual machines of libvirt hypervisors
version_added: 0.1.0
author:
  - kvmmanager contributors (@kvmmanager)
description:
  - Lists the virtual machines (domains) of one or many hypervisors as hosts, with their addresses.
  - The hypervisors are read at the same time, each within O(timeout). One that does not answer is warned about,
    and the domains of the others are listed; see O(strict).
  - The name of the file must end in C(libvirt.yml), C(libvirt.yaml), C(kvm.yml) or C(kvm.yaml).
  - What a hypervisor or a guest says is bounded in size and is never used as a template.
requirements:
  - libvirt-python (the Debian and Fedora package is C(python3-libvirt))
  - jmespath, for a query in O(include) or O(exclude)
  - netaddr, for a CIDR in O(address_networks)
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Says that the file is for this plugin.
    type: str
    required: true
    choices: [kvmmanager.libvirt.libvirt]
  connections:
    description:
      - The hypervisors to ask.
      - Text in here may be a template, for example one with P(ansible.builtin.env#lookup).
    type: list
    elements: dict
    default:
      - uri: qemu:///system
    suboptions:
      uri:
        description: The libvirt daemon to talk to, as a L(libvirt URI,https://libvirt.org/uri.html).
        type: str
        required: true
      alias:
        description: What to call this hypervisor in names, groups and variables. By default its own host name.
        type: str
      username:
        description: The user to log in as, where the daemon asks for a login (SASL).
        type: str
      password:
        description: The password for O(connections[].username). Keep it in Ansible Vault or look it up.
        type: str
      tls_pki_path:
        description: A folder with C(cacert.pem), C(clientcert.pem) and C(clientkey.pem), for a V(qemu+tls://) URI.
        type: path
      tls_verify:
        description: Whether to check the server's certificate of a V(qemu+tls://) URI.
        type: bool
        default: true
      ssh_key_file:
        description: The private key for a V(qemu+ssh://) URI. By default what the user's SSH configuration says.
        type: path
      ssh_known_hosts:
        description: The file of known host keys, for a V(qemu+libssh://) URI.
        type: path
  timeout:
    description: How many seconds each hypervisor has for everything, from opening the connection on.
    type: float
    default: 30
  strict:
    description:
      - Whether to fail when a hypervisor cannot be read, or not completely. Otherwise it is only warned about.
      - Also whether to fail when a query of O(include) or O(exclude) cannot be used on a domain.
      - Also whether to fail when an expression of O(compose), O(groups) or O(keyed_groups) is invalid for a host.
    type: bool
    default: false
  states:
    description: Only list domains in these states. By default those in any state.
    type: list
    elements: str
    choices: [running, paused, stopped, crashed, suspended]
    default: []
  include:
    description:
      - Only list domains that match one of these rules. By default all domains.
      - A domain matches a rule when it matches everything that the rule names.
    type: list
    elements: dict
    default: []
    suboptions: &rule
      name:
        description:
          - A shell pattern for the name of the domain, for example V(web*).
          - After a V(~), a regular expression that must match at the start of the name, for example V(~web[0-9]+$).
        type: str
      labels:
        description: Labels that the domain must have, and shell patterns for their values; V(*) is any value.
        type: dict
      query:
        description:
          - A L(JMESPath,https://jmespath.org/) expression over what is known of the domain, by the names of
            O(variables).
          - It matches when what it gives is neither false nor empty.
          - A domain that has not what a function in it needs, such as C(starts_with(labels.env, 'prod')) without
            that label, does not match; with O(strict) this is an error.
        type: str
  exclude:
    description: Do not list domains that match one of these rules.
    type: list
    elements: dict
    default: []
    suboptions: *rule
  hostnames:
    description:
      - What to call a domain in the inventory. The first that the domain has, and has alone, is used.
      - V(alias_name) is the hypervisor, an underscore and the name of the domain.
      - Where several domains share a name, none of them gets it. Whatever is named here, V(alias_name) and then
        V(uuid) are tried in the end. So a name never depends on the order of the hypervisors. It can change when
        a second domain of that name appears, or while the hypervisor with the second one does not answer.
        V(alias_name) alone does not change.
      - What is no letter, digit, dot, hyphen or underscore becomes an underscore, and so does a dot or hyphen at the
        start. A name that means something else to Ansible, such as V(localhost), V(all) or that of another group,
        also one that O(groups) or O(keyed_groups) make, is not used.
      - Two files for this plugin do not know of each other. Where both list a domain under one name, it is one host
        to Ansible, with the variables of the file that is read last, which is warned about when O(variables) has
        V(uuid). V(alias_name) keeps them apart.
    type: list
    elements: str
    choices: [name, uuid, title, alias_name]
    default: [name]
  address_sources:
    description:
      - Where addresses are looked for. The next one is asked only for running domains without a suitable address yet.
      - V(lease) is the DHCP server of libvirt's networks, at one call a network.
      - V(agent) is the guest agent of domains where one is connected, at two calls such a domain and over a second
        connection that is not read-only, as libvirt demands. Our agent is asked where QEMU's is not there. It serves
        one program at a time, so while a playbook works in the guest it does not tell an address.
      - V(arp) is the ARP table of the hypervisor, at one call a domain.
    type: list
    elements: str
    choices: [lease, agent, arp]
    default: [lease, agent]
  agent_timeout:
    description: How many seconds the guest agents of a hypervisor have to answer. They are asked at the same time.
    type: float
    default: 3
  address_families:
    description:
      - Which addresses are suitable, the preferred ones first.
      - The domain's own interfaces come before others that its guest has, whatever is preferred here.
    type: list
    elements: str
    choices: [ipv4, ipv6]
    default: [ipv4, ipv6]
  address_networks:
    description:
      - Networks that a suitable address is in, the preferred one first. By default any.
      - Either a CIDR, for example V(192.0.2.0/24), or the name of a libvirt network.
    type: list
    elements: str
    default: []
  ansible_connection:
    description:
      - What to set C(ansible_connection) to for hosts that have an address; with V(kvmmanager.libvirt.guest), which
        needs none, for all hosts.
      - By default it is not set, so that Ansible's default (SSH), or what a group says, is used.
    type: str
  variables:
    description:
      - Which of the things that are known of a domain become variables of its host, each with C(libvirt_) before
        its name. What a domain does not have (no title, no labels, no addresses) is no variable.
      - The expressions of O(compose), O(groups) and O(keyed_groups), and queries, can use them all, also what is empty.
      - Each variable costs Ansible time for each host, at every start.
      - V(uri) and V(hypervisor) are the connection that the domain was found on, and its alias. With V(uri) come the
        variables with which the connection plugin P(kvmmanager.libvirt.guest#connection) and the guest modules open
        that connection as it was opened here, C(ansible_libvirt_tls_pki_path) for example; never the password.
      - V(state) is one of O(states); V(state_reason) says why, for example V(booted) or V(crashed).
      - V(labels) is a dict of texts.
      - V(memory) and V(max_memory) are in bytes.
      - V(type) is V(kvm) or V(qemu).
      - V(interfaces) is a list of dicts with C(mac), C(type), C(source) (the network or bridge) and C(target).
      - V(addresses) is a list of dicts with C(address), C(prefix), C(family), C(mac), C(source) (see
        O(address_sources)) and, where known, C(network), C(interface) and C(hostname).
      - V(agent) is the guest agent that has opened its port. V(kvmmanager) is the one of this collection, which comes
        first when both have, V(qemu) that of QEMU, V(none) neither. V(agent_connected) says whether there is one.
    type: list
    elements: str
    choices:
      - name
      - uuid
      - title
      - description
      - labels
      - hypervisor
      - uri
      - state
      - state_reason
      - memory
      - max_memory
      - vcpus
      - max_vcpus
      - type
      - arch
      - machine
      - interfaces
      - addresses
      - agent
      - agent_connected
    default: [name, uuid, title, description, labels, hypervisor, uri, state, addresses]
  group_by:
    description:
      - Which groups to make.
      - V(hypervisor) makes C(hypervisor_<alias>), V(state) makes C(state_<state>), and V(label) makes
        C(label_<name>_<value>) of each label.
      - O(keyed_groups) can make any other.
    type: list
    elements: str
    choices: [hypervisor, state, label]
    default: [hypervisor, state, label]
notes:
  - C(ansible_host) is the best suitable address. A domain without one has no C(ansible_host).
  - A lease counts for an interface only when it is of the network that the interface is on.
  - An address on an interface that only the guest has (another MAC address than those of the domain), such as a
    bridge of containers, is used only where there is no other.
  - A domain that several hypervisors have under one UUID was migrated. It is listed once, where it runs.
  - The cache is not written when a hypervisor could not be read completely.
seealso:
  - module: kvmmanager.libvirt.domain_info
  - module: kvmmanager.libvirt.domain
"""

EXAMPLES = r"""
# The smallest libvirt.yml: all domains of this machine.
plugin: kvmmanager.libvirt.libvirt

---
# Two hypervisors, only what runs. List it with: ansible-inventory -i libvirt.yml --graph
plugin: kvmmanager.libvirt.libvirt
connections:
  - uri: qemu+ssh://root@hv1.example.com/system
    alias: hv1
  - uri: qemu+tls://hv2.example.com/system
    alias: hv2
    username: inventory
    password: "{{ lookup('ansible.builtin.env', 'HV2_PASSWORD') }}"
states: [running]
timeout: 10

---
# Only the production web servers, reached over the management network.
plugin: kvmmanager.libvirt.libvirt
include:
  - name: web*
    labels:
      env: production
exclude:
  - query: contains(title, 'template')
address_networks: [192.0.2.0/24]
hostnames: [alias_name]

---
# Guests that need no network: playbooks reach them through their agent, and through SSH where there is none.
plugin: kvmmanager.libvirt.libvirt
states: [running]
compose:
  ansible_connection: "'ssh' if libvirt_agent == 'none' else 'kvmmanager.libvirt.guest'"

---
# Groups and variables of one's own, and a cache of five minutes.
plugin: kvmmanager.libvirt.libvirt
keyed_groups:
  - key: libvirt_machine
    prefix: machine
variables: [name, hypervisor, uri, interfaces, addresses]
groups:
  big: libvirt_memory > 16 * 1024 ** 3
compose:
  ansible_user: libvirt_labels.login | default('debian')
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/ansible-libvirt
cache_timeout: 300
"""

from collections.abc import Iterable
from typing import Any, Optional

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.vars import combine_vars

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.reading import Request
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._addresses import AddressPolicy
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._filters import Filters
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._fleet import (
    Member,
    fingerprint,
    listed_once,
    member,
    read_fleet,
)
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._hostnames import choose_hostnames
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._hosts_first import HostsFirst
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._options import templated
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._untrusted import trusted, untrusted

_FILE_NAMES = ("libvirt.yml", "libvirt.yaml", "kvm.yml", "kvm.yaml")
# What is read, and therefore what a cache holds, depends on these.
_OPTIONS_OF_READING = (
    "states",
    "address_sources",
    "address_families",
    "address_networks",
)
_GUEST = "kvmmanager.libvirt.guest"
_NOTHING: tuple[Any, ...] = ("", [], {})
# Words of this collection, and the sixteen bytes of a UUID as libvirt's client writes them: no text of anyone else.
_OWN_WORDS = frozenset({"uuid", "state", "state_reason", "agent"})

# A domain, its address and its groups.
_Entry = tuple[dict[str, Any], Optional[str], list[str]]


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Hosts from the domains of many hypervisors: read (or cached), filtered, named, then handed to Ansible."""

    NAME = "kvmmanager.libvirt.libvirt"
    inventory: Any

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[str] = []
        self._group_by: list[str] = []
        self._connection: str | None = None
        self._access: dict[str, dict[str, Any]] = {}
        self._constructs = False
        self._made_groups: dict[str, str] = {}
        self._others: frozenset[str] = frozenset()
        self._merged: set[str] = set()

    def verify_file(self, path: str) -> bool:
        """Whether the name of the file says that it is for this plugin."""
        return bool(super().verify_file(path)) and path.endswith(_FILE_NAMES)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory from the file."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            self._fill(path, cache)
        except Failure as failure:
            raise AnsibleParserError(failure.message) from None

    def _fill(self, path: str, cache: bool) -> None:
        policy = AddressPolicy(self.get_option("address_families"), self.get_option("address_networks"))
        filters = Filters(self.get_option("include"), self.get_option("exclude"), self.get_option("strict"))
        members = self._members()
        known = listed_once(self._domains(members, path, cache, policy))
        domains = [domain for domain in known if filters.accept(domain)]
        self._group_by = self.get_option("group_by")
        # Asked for once, not once a host.
        self._shown = self.get_option("variables")
        self._connection = self.get_option("ansible_connection")
        self._access = {item.options.uri: item.access for item in members} if "uri" in self._shown else {}
        self._constructs = any(self.get_option(option) for option in ("compose", "groups", "keyed_groups"))
        self._others = frozenset(self.inventory.hosts)
        self._list([(domain, policy.choose(domain), self._groups_of(domain)) for domain in domains])

    def _list(self, entries: list[_Entry]) -> None:
        """Name the domains, and add them."""
        domains = [domain for domain, _address, _groups in entries]
        preferences = self.get_option("hostnames")
        composed = [self._sanitize_group_name(group) for group in self.get_option("groups") or ()]
        names, clashes = choose_hostnames(domains, preferences, {*self.inventory.groups, *composed})
        if refused := self._add_all(names, entries):
            # Which groups keyed_groups makes is known only now.
            former = names
            names, clashes = choose_hostnames(domains, preferences, {*self.inventory.groups, *composed, *refused})
            for name in {*former} - {*names} - self._others:
                self.inventory.remove_host(self.inventory.get_host(name))
            refused = self._add_all(names, entries)
        self._warn_of_names(clashes, refused)

    def _warn_of_names(self, clashes: list[str], refused: set[str]) -> None:
        see = "(see the option hostnames)"
        if clashes:
            self.display.warning(
                f"More than one domain, or a group, would be called {_listed(clashes)}: the domains were given other "
                f"names {see}."
            )
        if refused:
            self.display.warning(
                f"Groups that would be called as hosts are, {_listed(sorted(refused))}, were not made {see}."
            )
        if self._merged:
            self.display.warning(
                f"Another domain of the same name is already listed by another inventory source: "
                f"{_listed(sorted(self._merged))}. To Ansible it is one host {see}."
            )

    def _add_all(self, names: list[str], entries: list[_Entry]) -> set[str]:
        """Add all hosts; the names of groups that were not made because a host has the name."""
        added = [
            (untrusted(name), domain, self._add(untrusted(name), domain, address, groups))
            for name, (domain, address, groups) in zip(names, entries)
        ]
        if not self._constructs:
            return set()
        inventory, guarded = self.inventory, HostsFirst(self.inventory, frozenset(names))
        self.inventory = guarded
        try:
            for name, domain, variables in added:
                self._construct(name, domain, variables)
        finally:
            self.inventory = inventory
        return guarded.refused

    def _domains(self, members: list[Member], path: str, cache: bool, policy: AddressPolicy) -> list[dict[str, Any]]:
        """All domains, from the cache where it may be used and has them."""
        if not self.get_option("cache"):
            return self._read(members, policy)[0]
        options = [self.get_option(name) for name in _OPTIONS_OF_READING]
        key = f"{self.get_cache_key(path)}_{fingerprint(members, options)}"
        if cache and (cached := self._cache.get(key)) is not None:
            return list(cached["domains"])
        domains, complete = self._read(members, policy)
        if complete:
            self._cache[key] = {"domains": domains}
        return domains

    def _read(self, members: list[Member], policy: AddressPolicy) -> tuple[list[dict[str, Any]], bool]:
        """The domains that the hypervisors told, and whether that is all of them."""
        states = self.get_option("states")
        request = Request(
            wanted=lambda found: not states or found.state in states,
            sources=tuple(self.get_option("address_sources")),
            enough=lambda facts: policy.choose(facts) is not None,
            agent_timeout=self.get_option("agent_timeout"),
        )
        answers = read_fleet(members, request, self.get_option("timeout"))
        problems = [problem for answer in answers for problem in answer.problems]
        if problems and self.get_option("strict"):
            raise Failure(" ".join(problems))
        if problems and self.get_option("hostnames")[:1] not in (["alias_name"], ["uuid"]):
            problems[-1] += " Meanwhile, domains whose name is also that of one not listed may have other host names."
        for problem in problems:
            self.display.warning(problem)
        for note in (note for answer in answers for note in answer.notes):
            self.display.vv(note)
        return [domain for answer in answers for domain in answer.domains], not problems

    def _members(self) -> list[Member]:
        connections = self.get_option("connections")
        # Their templates come from the file, which the user wrote.
        filled = [templated(given, self.templar.template) for given in connections]
        return [member(given, f"connections[{position}]") for position, given in enumerate(filled)]

    def _add(self, name: str, domain: dict[str, Any], address: str | None, groups: list[str]) -> dict[str, Any]:
        """One host with its variables, which are returned, and groups."""
        shown = [fact for fact in self._shown if domain[fact] not in _NOTHING]
        variables = {
            f"libvirt_{fact}": trusted(domain[fact]) if fact in _OWN_WORDS else untrusted(domain[fact])
            for fact in shown
        }
        if address is not None:
            variables["ansible_host"] = untrusted(address)
        if self._connection and (address is not None or self._connection == _GUEST):
            variables["ansible_connection"] = self._connection
        variables.update(self._access.get(domain["uri"], {}))
        # The inventory's methods would look the host up again for each of thousands of groups and values. What they do
        # is done here once a host.
        self.inventory.add_host(name, *groups[:1])
        host = self.inventory.get_host(name)
        for group in groups[1:]:
            self.inventory.groups[group].add_host(host)
        if name in self._others and host.vars.get("libvirt_uuid", domain["uuid"]) != domain["uuid"]:
            self._merged.add(name)
        host.vars = combine_vars(host.vars, variables)
        return variables

    def _groups_of(self, domain: dict[str, Any]) -> list[str]:
        """The groups that group_by asks for, made where they are not there yet."""
        groups = [f"{kind}_{domain[kind]}" for kind in ("hypervisor", "state") if kind in self._group_by]
        if "label" in self._group_by:
            labels = domain["labels"].items()
            groups += [f"label_{name}_{value}" if value else f"label_{name}" for name, value in labels]
        for group in groups:
            if group not in self._made_groups:
                self._made_groups[group] = self.inventory.add_group(self._sanitize_group_name(group))
        return [self._made_groups[group] for group in groups]

    def _construct(self, name: str, domain: dict[str, Any], own: dict[str, Any]) -> None:
        """What the options compose, groups and keyed_groups say of a host with these variables of its own."""
        facts = untrusted(domain)
        variables = {**{f"libvirt_{fact}": value for fact, value in facts.items()}, **own}
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
