# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UEFI, Secure Boot, and the variables that go with them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.configuration import (
    configuration_changes,
    target_configuration,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import (
    Handle,
    find_domain,
    read_domain,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.removal import require_own_variables
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import Running
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections.firmware import (
    SECTION,
    keep_variables,
    variables_of,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse, same
from tests.unit.plugins.module_utils._domain.examples import define

UUID = "6f1c9d2e-5b0a-4b9e-8a51-3d1f0b7c2a10"
SYSTEM = "/var/lib/libvirt/qemu/nvram"
BIOS = "<os><type>hvm</type></os>"
# As libvirt 9.0 stores a domain, and as it shows it while it runs.
UNTOLD = "<os firmware='efi'><type>hvm</type></os>"
CHOSEN = "<os><type>hvm</type><loader type='pflash' secure='yes'>/c.ms.fd</loader><nvram>/v/web1_VARS.fd</nvram></os>"
# As libvirt 11.3 does both.
TOLD = (
    "<os firmware='efi'><type>hvm</type>"
    "<firmware><feature enabled='no' name='enrolled-keys'/><feature enabled='no' name='secure-boot'/></firmware>"
    "<loader readonly='yes' type='pflash'>/c.fd</loader><nvram template='/t.fd'>/v/web1_VARS.fd</nvram></os>"
)
# As `nvram` names a file since libvirt 8.5.
WITH_SOURCE = "<os firmware='efi'><nvram type='file'><source file='/v/web1_VARS.fd'/></nvram></os>"


def domain(firmware: str, name: str = "web1") -> Element:
    return parse(
        f"<domain type='kvm'><name>{name}</name><uuid>{UUID}</uuid><memory unit='MiB'>64</memory>{firmware}</domain>"
    )


def patched(held: str, **options: Any) -> Element:
    return target_configuration(domain(held), options, Facts())


def changed(held: str, **options: Any) -> dict[str, Any]:
    changes = configuration_changes(domain(held), patched(held, **options))
    return {change.path: change.after for change in changes}


@pytest.mark.parametrize("firmware", [TOLD, WITH_SOURCE])
def test_secure_boot_has_its_own_variables_beside_those_without_its_keys(firmware: str) -> None:
    """libvirt fills a file that does not exist only, and the keys are in the file."""
    target = patched(firmware, secure_boot=True)
    assert target.findtext("os/nvram") == f"/v/{UUID}_SECURE_BOOT_VARS.fd"
    again = target_configuration(target, {"secure_boot": True}, Facts())
    assert same(target, again)


def test_without_secure_boot_the_variables_have_no_keys() -> None:
    target = target_configuration(patched(TOLD, secure_boot=True), {"secure_boot": False}, Facts())
    assert target.findtext("os/nvram") == f"/v/{UUID}_VARS.fd"


def test_where_libvirt_has_not_told_the_folder_it_is_that_of_the_system() -> None:
    assert patched(UNTOLD, secure_boot=True).findtext("os/nvram") == f"{SYSTEM}/{UUID}_SECURE_BOOT_VARS.fd"


@pytest.mark.parametrize("options", [{"secure_boot": True}, {"name": "web2"}])
def test_the_folder_of_a_user_is_left_to_libvirt(options: dict[str, Any]) -> None:
    target = target_configuration(domain(UNTOLD), options, Facts(variables=""))
    assert target.find("os/nvram") is None


def test_saying_what_is_so_anyway_costs_no_variables() -> None:
    assert patched(UNTOLD, secure_boot=False).find("os/nvram") is None


@pytest.mark.parametrize("options", [{"secure_boot": True, "firmware": "uefi"}, {"firmware": "uefi"}])
def test_libvirt_chooses_the_first_variables_of_a_domain(options: dict[str, Any]) -> None:
    new = target_configuration(None, {"name": "web1", **options}, Facts(uuid=UUID))
    assert new.find("os/nvram") is None
    assert patched(BIOS, **options).find("os/nvram") is None


def test_what_keeps_secure_boot_as_it_is_keeps_its_variables() -> None:
    assert same(patched(TOLD, secure_boot=False, firmware="uefi"), domain(TOLD))


@pytest.mark.parametrize(("named", "secure"), [({}, False), ({"secure_boot": True}, True)])
def test_who_leaves_bios_has_secure_boot_only_by_asking_for_it(named: dict[str, Any], secure: bool) -> None:
    changes = changed(BIOS, firmware="uefi", **named)
    assert changes["firmware"] == "uefi"
    assert changes["secure_boot"] is secure


def pending(stored: str, live: str, **options: Any) -> dict[str, Any]:
    target = patched(stored, **options)
    running = Running(Handle("web1"), domain(live), domain(stored), target, options, Deadline(0))
    return {change.path: change.after for change in SECTION.plan_live(running).changes}


def test_a_choice_that_libvirt_makes_at_each_start_needs_no_restart() -> None:
    assert pending(UNTOLD, CHOSEN, firmware="uefi") == {}
    assert pending(UNTOLD, CHOSEN, xml="<domain/>") == {}


def test_what_the_target_says_does() -> None:
    assert pending(UNTOLD, CHOSEN, secure_boot=False) == {"secure_boot": False}
    assert pending(TOLD, CHOSEN, firmware="bios") == {"firmware": "bios", "secure_boot": None}


@pytest.mark.parametrize(
    ("firmware", "variables"),
    [
        (BIOS, None),
        (UNTOLD, f"{SYSTEM}/web1_VARS.fd"),
        ("<os firmware='efi'><loader stateless='yes'/></os>", None),
        ("<os firmware='efi'><nvram type='block'><source dev='/dev/v'/></nvram></os>", None),
        (CHOSEN, "/v/web1_VARS.fd"),
        (TOLD, "/v/web1_VARS.fd"),
        (WITH_SOURCE, "/v/web1_VARS.fd"),
    ],
)
def test_the_file_with_the_variables(firmware: str, variables: str | None) -> None:
    assert variables_of(domain(firmware), SYSTEM) == variables


@pytest.mark.parametrize("firmware", [BIOS, UNTOLD, TOLD, WITH_SOURCE])
def test_another_name_leaves_the_variables_where_they_are(firmware: str) -> None:
    target = domain(firmware, "web2")
    keep_variables(target, domain(firmware), SYSTEM)
    assert variables_of(target, SYSTEM) == variables_of(domain(firmware), SYSTEM)


def test_a_task_that_renames_and_changes_firmware_does_not_bring_the_variables_back() -> None:
    target = domain(BIOS, "web2")
    keep_variables(target, domain(UNTOLD), SYSTEM)
    assert same(target, domain(BIOS, "web2"))


def test_a_rename_keeps_the_variables() -> None:
    renamed = target_configuration(domain(UNTOLD), {"name": "web2"}, Facts())
    assert renamed.findtext("os/nvram") == f"{SYSTEM}/web1_VARS.fd"
    assert target_configuration(domain(UNTOLD), {"name": "web1"}, Facts()).find("os/nvram") is None


def with_variables(hypervisor: Hypervisor, name: str, variables: str) -> Any:
    return hypervisor.connection.defineXML(
        f"<domain type='test'><name>{name}</name><memory>8192</memory><os><type>hvm</type>"
        f"<loader readonly='yes' type='pflash'>/c.fd</loader><nvram>{variables}</nvram></os></domain>"
    )


def test_variables_of_another_domain_are_not_deleted(hypervisor: Hypervisor) -> None:
    with_variables(hypervisor, "web1", "/v/web1_VARS.fd")
    with_variables(hypervisor, "db1", "/v/db1_VARS.fd")
    current = read_domain(hypervisor, find_domain(hypervisor, "web1", None))
    require_own_variables(hypervisor, current)
    renamed = with_variables(hypervisor, "web2", "/v/web1_VARS.fd")
    with pytest.raises(Failure, match="/v/web1_VARS.fd is not deleted, because it also holds .* of the domain 'web2'"):
        require_own_variables(hypervisor, current)
    renamed.create()
    with_uuid = renamed.XMLDesc(2).replace("/v/web1_VARS.fd", "/v/web2_VARS.fd")
    hypervisor.connection.defineXML(with_uuid)
    with pytest.raises(Failure, match="of the domain 'web2'"):  # it runs with them
        require_own_variables(hypervisor, current)


def test_a_domain_without_variables_shares_none(hypervisor: Hypervisor) -> None:
    define(hypervisor, "web1")
    define(hypervisor, "web2")
    require_own_variables(hypervisor, read_domain(hypervisor, find_domain(hypervisor, "web1", None)))
