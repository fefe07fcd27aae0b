# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin, on libvirt's test driver: one XML file is one hypervisor."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from ansible.template import Templar

NAME = "kvmmanager.libvirt.libvirt"
EVIL = "{{ 7 * 7 }}"
DOMAIN = """<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
  <name>{name}</name><uuid>{uuid}</uuid><title>{title}</title>
  <metadata><k:domain xmlns:k='urn:kvmmanager:libvirt:domain:1'>{labels}</k:domain></metadata>
  <memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os><test:runstate>{state}</test:runstate>
</domain>"""

Inventory = Callable[..., InventoryManager]


def domain(name: str, number: int, title: str = "", state: int = 1, **labels: str) -> str:
    marks = "".join(f"<k:label name='{key}' value='{value}'/>" for key, value in labels.items())
    uuid = f"00000000-0000-0000-0000-{number:012d}"
    return DOMAIN.format(name=name, uuid=uuid, title=title, state=state, labels=marks)


@pytest.fixture
def hosts(tmp_path: pathlib.Path) -> list[dict[str, str]]:
    """Two hypervisors, h1 and h2, as the option connections names them."""
    content = {
        "h1": domain("web", 1, EVIL, env="prod") + domain("db", 2, state=5, env=EVIL),
        "h2": domain("mail", 3, "Mail", state=3),
    }
    for alias, domains in content.items():
        (tmp_path / f"{alias}.xml").write_text(f"<node>{domains}</node>", encoding="utf-8")
    return [{"uri": f"test://{tmp_path}/{alias}.xml", "alias": alias} for alias in content]


@pytest.fixture
def inventory(tmp_path: pathlib.Path, hosts: list[dict[str, str]]) -> Inventory:
    """Call with options to have the inventory that a file with these options gives."""

    def build(**options: Any) -> InventoryManager:
        path = tmp_path / "fleet.libvirt.yml"
        path.write_text(yaml.safe_dump({"plugin": NAME, "connections": hosts, **options}), encoding="utf-8")
        manager = InventoryManager(DataLoader(), sources=None)
        manager._sources = [str(path)]
        plugin = inventory_loader.get(NAME)
        plugin.parse(manager._inventory, manager._loader, str(path), cache=True)
        if options.get("cache"):
            plugin.update_cache_if_changed()
        return manager

    return build


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Ansible warned of."""
    said: list[str] = []
    monkeypatch.setattr("ansible.utils.display.Display.warning", lambda _self, text, **_more: said.append(text))
    return said


def groups(manager: InventoryManager) -> dict[str, list[str]]:
    return {name: hosts for name, hosts in manager.get_groups_dict().items() if hosts and name != "all"}


def variables(manager: InventoryManager, host: str) -> dict[str, Any]:
    return dict(manager.get_host(host).vars)


def test_hosts_are_grouped_by_hypervisor_state_and_label(inventory: Inventory) -> None:
    assert groups(inventory()) == {
        "hypervisor_h1": ["db", "web"],
        "hypervisor_h2": ["mail"],
        "state_running": ["web"],
        "state_stopped": ["db"],
        "state_paused": ["mail"],
        "label_env_prod": ["web"],
        "label_env____7___7___": ["db"],
    }
    assert set(groups(inventory(group_by=["state"]))) == {"state_running", "state_stopped", "state_paused"}


def test_a_host_has_the_facts_that_its_domain_has(inventory: Inventory, hosts: list[dict[str, str]]) -> None:
    found = variables(inventory(), "mail")
    assert {name: value for name, value in found.items() if name.startswith("libvirt_")} == {
        "libvirt_name": "mail",
        "libvirt_uuid": "00000000-0000-0000-0000-000000000003",
        "libvirt_title": "Mail",
        "libvirt_hypervisor": "h2",
        "libvirt_uri": hosts[1]["uri"],
        "libvirt_state": "paused",
    }
    assert "ansible_host" not in found


@pytest.mark.parametrize(
    ("behaviour", "labels"), [("replace", {"env": "prod"}), ("merge", {"env": "prod", "own": "1"})]
)
def test_what_another_source_says_of_a_host_stays(
    inventory: Inventory, monkeypatch: pytest.MonkeyPatch, behaviour: str, labels: dict[str, str]
) -> None:
    monkeypatch.setattr("ansible.constants.DEFAULT_HASH_BEHAVIOUR", behaviour)
    manager = inventory()
    before = groups(manager)
    host = manager.get_host("web")
    host.vars.update(ansible_user="me", libvirt_state="unheard of", libvirt_labels={"own": "1"})
    inventory_loader.get(NAME).parse(manager._inventory, manager._loader, manager._sources[0])
    found = variables(manager, "web")
    assert (found["ansible_user"], found["libvirt_state"], found["libvirt_labels"]) == ("me", "running", labels)
    assert groups(manager) == before


def test_the_user_chooses_the_variables(inventory: Inventory) -> None:
    found = variables(inventory(variables=["uuid", "state_reason"]), "mail")
    assert {name for name in found if name.startswith("libvirt_")} == {"libvirt_uuid", "libvirt_state_reason"}


def test_a_host_has_what_opens_its_hypervisor_but_no_password(
    inventory: Inventory, hosts: list[dict[str, str]]
) -> None:
    manager = inventory(connections=[{**hosts[0], "username": "operator", "password": "secret"}, hosts[1]])
    found = variables(manager, "web")
    assert found["ansible_libvirt_username"] == "operator"
    assert "secret" not in str(found)
    assert not any(name.startswith("ansible_libvirt_") for name in variables(manager, "mail"))


def test_the_connection_through_the_agent_is_for_hosts_without_address_too(inventory: Inventory) -> None:
    through = "kvmmanager.libvirt.guest"
    assert variables(inventory(ansible_connection=through), "mail")["ansible_connection"] == through
    assert "ansible_connection" not in variables(inventory(ansible_connection="ssh"), "mail")


def test_nothing_that_a_domain_says_is_a_template(inventory: Inventory) -> None:
    manager = inventory(compose={"composed": "libvirt_title", "labelled": "libvirt_labels.env"})
    found = {**variables(manager, "web"), "other": variables(manager, "db")}
    templar = Templar(DataLoader(), variables=found)
    for expression in ("libvirt_title", "composed"):
        assert templar.template(templar_text(expression)) == EVIL
    assert templar.template(templar_text("other.libvirt_labels.env")) == EVIL
    assert templar.template(templar_text("other.labelled")) == EVIL


def test_only_what_this_collection_wrote_itself_is_trusted(inventory: Inventory) -> None:
    shown = ["name", "title", "uuid", "state", "state_reason", "agent", "type", "labels"]
    found = variables(inventory(variables=shown), "web")
    found["libvirt_labels"] = found["libvirt_labels"]["env"]
    trusted = {name for name in found if name.startswith("libvirt_") and is_trusted(found[name])}
    assert trusted == {"libvirt_uuid", "libvirt_state", "libvirt_state_reason", "libvirt_agent"}


def is_trusted(text: str) -> bool:
    """Whether Ansible would use a text as a template."""
    try:
        from ansible.template import is_trusted_as_template
    except ImportError:
        return not hasattr(text, "__UNSAFE__")
    return is_trusted_as_template(text)


def templar_text(expression: str) -> str:
    """A template that is trusted as the text of a playbook is."""
    text = "{{ " + expression + " }}"
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return text
    return trust_as_template(text)


def test_filters_see_all_facts_by_their_own_names(inventory: Inventory) -> None:
    found = inventory(include=[{"labels": {"env": "*"}}], exclude=[{"query": "state_reason && state == 'stopped'"}])
    assert list(found.hosts) == ["web"]
    assert list(inventory(states=["paused"]).hosts) == ["mail"]


def test_expressions_see_all_facts_also_those_that_are_no_variables(inventory: Inventory) -> None:
    found = inventory(
        variables=[],
        strict=True,
        compose={"big": "libvirt_max_memory // 1024"},
        groups={"mailers": "libvirt_title == 'Mail'"},
        keyed_groups=[{"key": "libvirt_type", "prefix": "type"}],
    )
    assert int(variables(found, "web")["big"]) == 64 * 1024  # a text until ansible-core 2.19
    assert groups(found)["mailers"] == ["mail"]
    assert sorted(groups(found)["type_test"]) == ["db", "mail", "web"]


def test_hosts_may_be_called_by_their_hypervisor(inventory: Inventory) -> None:
    assert list(inventory(hostnames=["alias_name"]).hosts) == ["h1_db", "h1_web", "h2_mail"]


@pytest.mark.parametrize("name", ["all", "ungrouped", "localhost", "state_running", "hypervisor_h3"])
def test_a_domain_cannot_pose_as_a_group_or_the_controller(
    inventory: Inventory, hosts: list[dict[str, str]], tmp_path: pathlib.Path, name: str
) -> None:
    (tmp_path / "h3.xml").write_text(f"<node>{domain(name, 9)}</node>", encoding="utf-8")
    hosts.append({"uri": f"test://{tmp_path}/h3.xml", "alias": "h3"})
    found = inventory(compose={"composed": "libvirt_name"})
    assert name not in found.hosts
    assert variables(found, f"h3_{name}")["composed"] == name
    assert [group.name for group in found.groups.values() if group.vars] == []


@pytest.mark.parametrize(
    "options",
    [
        {"groups": {"prod": "libvirt_name == 'prod'"}},
        {"groups": {"prod": "true"}},
        {"keyed_groups": [{"key": "libvirt_labels.env", "prefix": "", "separator": ""}]},
        {"keyed_groups": [{"key": "libvirt_labels.env", "parent_group": "prod"}]},
        {"keyed_groups": [{"key": "libvirt_name", "prefix": "", "separator": ""}], "compose": {"x": "libvirt_name"}},
    ],
)
def test_no_host_is_called_like_a_group_that_is_composed(
    inventory: Inventory, hosts: list[dict[str, str]], tmp_path: pathlib.Path, options: dict[str, Any]
) -> None:
    content = domain("prod", 8, env="prod") + domain("other", 9, env="dev")
    (tmp_path / "h3.xml").write_text(f"<node>{content}</node>", encoding="utf-8")
    hosts.append({"uri": f"test://{tmp_path}/h3.xml", "alias": "h3"})
    options["compose"] = {"composed": "libvirt_name"}
    found = inventory(strict=False, **options)
    assert not set(found.hosts) & set(found.groups)
    assert "h3_prod" in groups(found)["prod"]
    assert variables(found, "h3_prod")["composed"] == "prod"
    assert all(host.vars["libvirt_uuid"] for host in found.hosts.values())
    assert len(found.hosts) == 5
    assert [group.name for group in found.groups.values() if group.vars] == []


def test_a_group_that_follows_the_host_names_is_not_made(inventory: Inventory, warnings: list[str]) -> None:
    by_name = [{"key": "inventory_hostname", "prefix": "", "separator": ""}]
    found = inventory(keyed_groups=by_name, compose={"composed": "libvirt_name"})
    assert not set(found.hosts) & set(found.groups)
    assert any("Groups that would be called as hosts are" in text for text in warnings)
    assert all(host.vars["composed"] for host in found.hosts.values())


def test_that_a_missing_hypervisor_can_change_names_is_said(
    inventory: Inventory, hosts: list[dict[str, str]], warnings: list[str]
) -> None:
    hosts.append({"uri": "qemu+tcp://127.0.0.1:1/system", "alias": "dead"})
    inventory(timeout=5)
    assert "Meanwhile, domains whose name is also that of one not listed" in warnings[-1]
    inventory(timeout=5, hostnames=["alias_name"])
    assert "Meanwhile" not in warnings[-1]


def test_two_domains_that_two_files_merge_into_one_host_are_warned_about(
    inventory: Inventory, warnings: list[str], tmp_path: pathlib.Path
) -> None:
    manager = inventory(keyed_groups=[{"key": "libvirt_labels.env", "prefix": "", "separator": ""}])
    inventory_loader.get(NAME).parse(manager._inventory, manager._loader, manager._sources[0])
    assert not [text for text in warnings if "another inventory source" in text]
    twice = domain("new", 10, env="new")  # a host until there is the group: names are given twice
    (tmp_path / "h1.xml").write_text(f"<node>{domain('web', 9)}{twice}</node>", encoding="utf-8")
    inventory_loader.get(NAME).parse(manager._inventory, manager._loader, manager._sources[0])
    assert [text for text in warnings if "another inventory source: 'web'. To Ansible it is one host" in text]


def test_a_query_that_does_not_fit_one_domain_does_not_cost_the_others(inventory: Inventory) -> None:
    rules = [{"query": "starts_with(labels.env, 'prod')"}]
    assert sorted(inventory(exclude=rules).hosts) == ["db", "mail"]
    with pytest.raises(Exception, match=r"The domain 'mail' of h2: exclude\[0\]\.query"):
        inventory(exclude=rules, strict=True)


def test_an_invalid_expression_fails_when_strict(inventory: Inventory) -> None:
    inventory(compose={"x": "no.such.thing"})
    with pytest.raises(Exception, match="Could not set x for host"):
        inventory(strict=True, compose={"x": "no.such.thing"})


def test_a_hypervisor_that_is_down_is_warned_about_or_fails(
    inventory: Inventory, hosts: list[dict[str, str]], warnings: list[str]
) -> None:
    hosts.append({"uri": "qemu+tcp://127.0.0.1:1/system", "alias": "dead"})
    assert sorted(inventory(timeout=5).hosts) == ["db", "mail", "web"]
    assert [text for text in warnings if text.startswith("Cannot connect to qemu+tcp://127.0.0.1:1/system")]
    with pytest.raises(Exception, match=r"Cannot connect to qemu\+tcp://127.0.0.1:1/system"):
        inventory(timeout=5, strict=True)


def test_text_of_a_connection_may_be_a_template(
    inventory: Inventory, hosts: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_ALIAS", "fleet")
    hosts[0]["alias"] = "{{ lookup('ansible.builtin.env', 'THE_ALIAS') }}"
    assert "hypervisor_fleet" in groups(inventory())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"connections": [{"alias": "x"}]}, r"connections\[0\]: missing required arguments: uri"),
        ({"include": [{"nam": "x"}]}, r"include\[0\]: "),
        ({"address_networks": ["10.0.0.0/x"]}, "address_networks: '10.0.0.0/x' is not a network"),
        ({"states": ["off"]}, "states"),
    ],
)
def test_bad_options_are_said_in_a_sentence(inventory: Inventory, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Exception, match=sentence):
        inventory(**options)


def cached(tmp_path: pathlib.Path) -> dict[str, Any]:
    return {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}


def test_the_second_time_the_cache_answers(
    inventory: Inventory, hosts: list[dict[str, str]], tmp_path: pathlib.Path
) -> None:
    first = inventory(**cached(tmp_path))
    for file in tmp_path.glob("*.xml"):
        file.unlink()
    second = inventory(**cached(tmp_path))
    assert sorted(second.hosts) == sorted(first.hosts) == ["db", "mail", "web"]
    templar = Templar(DataLoader(), variables=variables(second, "web"))
    assert templar.template(templar_text("libvirt_title")) == EVIL
    assert list(inventory(include=[{"name": "web"}], **cached(tmp_path)).hosts) == ["web"]


def test_text_that_others_wrote_into_the_cache_is_no_template(inventory: Inventory, tmp_path: pathlib.Path) -> None:
    inventory(**cached(tmp_path))
    (kept,) = (tmp_path / "cache").iterdir()
    text = kept.read_text(encoding="utf-8").replace("running", EVIL)
    kept.write_text(text, encoding="utf-8")
    templar = Templar(DataLoader(), variables=variables(inventory(**cached(tmp_path)), "web"))
    assert templar.template(templar_text("libvirt_state")) == EVIL


def test_a_cache_of_other_hypervisors_is_not_used(
    inventory: Inventory, hosts: list[dict[str, str]], tmp_path: pathlib.Path
) -> None:
    inventory(**cached(tmp_path))
    hosts.pop()
    assert sorted(inventory(**cached(tmp_path)).hosts) == ["db", "web"]


def test_what_is_not_complete_is_not_cached_and_no_secret_is(
    inventory: Inventory, hosts: list[dict[str, str]], tmp_path: pathlib.Path
) -> None:
    hosts[0].update(username="me", password="hunter2")
    inventory(**cached(tmp_path))
    kept = [file.read_text(encoding="utf-8") for file in (tmp_path / "cache").iterdir()]
    assert len(kept) == 1
    assert "hunter2" not in kept[0]
    assert json.loads(kept[0])
    hosts.append({"uri": "qemu+tcp://127.0.0.1:1/system"})
    inventory(**cached(tmp_path))
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize("name", ["libvirt.yml", "fleet.libvirt.yaml", "kvm.yml", "my.kvm.yaml"])
def test_files_for_this_plugin(tmp_path: pathlib.Path, name: str) -> None:
    (tmp_path / name).touch()
    assert inventory_loader.get(NAME).verify_file(str(tmp_path / name))


@pytest.mark.parametrize("name", ["hosts.yml", "libvirt.ini", "missing/libvirt.yml"])
def test_files_that_are_not(tmp_path: pathlib.Path, name: str) -> None:
    if "/" not in name:
        (tmp_path / name).touch()
    assert not inventory_loader.get(NAME).verify_file(str(tmp_path / name))
