# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of what the demo decides and shows, without a hypervisor."""

from __future__ import annotations

import pathlib

import pytest

from scripts.demo_steps import __main__ as command_line
from scripts.demo_steps import ansible, common, daemon, image, table

INVENTORY = {
    "_meta": {
        "hostvars": {
            "web": {
                "ansible_host": "192.168.177.20",
                "libvirt_hypervisor": "demo",
                "libvirt_state": "running",
                "libvirt_addresses": [{"address": "192.168.177.20", "source": "lease"}],
            },
            "db": {"libvirt_hypervisor": "demo", "libvirt_state": "stopped"},
        }
    }
}


@pytest.fixture(autouse=True)
def _own_memory(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what a real demo remembers."""
    monkeypatch.setattr(common, "FOLDER", tmp_path / "demo")
    monkeypatch.setattr(common, "_MEMORY", tmp_path / "demo" / "memory.json")
    monkeypatch.delenv("KVMMANAGER_DEMO_URI", raising=False)


def test_table() -> None:
    """Columns are aligned, VMs sorted, and a VM without an address says why."""
    assert table.address_table(INVENTORY).splitlines() == [
        "VM   HYPERVISOR  STATE    ADDRESS               SOURCE",
        "db   demo        stopped  user-mode networking  -",
        "web  demo        running  192.168.177.20        lease",
    ]


def test_memory_survives_damage() -> None:
    """What cannot be read counts as nothing remembered, and can be written again."""
    common.remember("type", "kvm")
    common._MEMORY.write_text("{", encoding="utf-8")
    assert common.remembered("type") is None
    common.remember("type", "qemu")
    assert common.remembered("type") == "qemu"


def test_session_daemon_for_who_may_not_use_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user outside the group libvirt gets a daemon of their own, and the next run knows."""
    monkeypatch.setattr(daemon, "_open_error", lambda uri: "denied" if uri == daemon.SYSTEM else None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert daemon.choose() == daemon.SESSION
    assert daemon.used() == [daemon.SESSION]


def test_every_daemon_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who gets the right to use the system's daemon still has VMs on their own."""
    monkeypatch.setattr(daemon, "_open_error", lambda _uri: None)
    monkeypatch.setenv("KVMMANAGER_DEMO_URI", daemon.SESSION)
    daemon.choose()
    monkeypatch.delenv("KVMMANAGER_DEMO_URI")
    assert daemon.choose() == daemon.choose() == daemon.SYSTEM
    assert daemon.used() == [daemon.SESSION, daemon.SYSTEM]
    daemon.forget(daemon.SESSION)
    assert daemon.used() == [daemon.SYSTEM]


def test_no_daemon_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which daemon and what it said."""
    monkeypatch.setattr(daemon, "_open_error", lambda _uri: "no such socket")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(common.DemoError, match="qemu:///session does not answer: no such socket"):
        daemon.choose()


def test_clean_goes_on_where_one_daemon_is_gone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can be removed is, and the folder stays for the rest."""
    cleaned: list[str] = []
    monkeypatch.setattr(command_line, "FOLDER", common.FOLDER)
    monkeypatch.setattr(command_line, "variables", lambda uri: {"demo_uri": uri})
    monkeypatch.setattr(command_line, "init_plugin_loader", lambda _paths: None)
    monkeypatch.setattr(ansible, "prepare", lambda _uri: None)
    monkeypatch.setattr(ansible, "run_playbook", lambda wanted: cleaned.append(wanted["demo_uri"]))
    monkeypatch.setattr(daemon, "_open_error", lambda uri: "refused" if "far" in uri else None)
    common.remember("uris", ["qemu+tcp://far/system", daemon.SYSTEM])
    assert command_line.main(["--clean"]) == 1
    assert cleaned == [daemon.SYSTEM]
    assert daemon.used() == ["qemu+tcp://far/system"]
    assert "qemu+tcp://far/system, on which the demo made VMs, does not answer: refused" in capsys.readouterr().err


def test_type_is_remembered_until_it_is_found_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A VM that was made with a type keeps it in the next run."""
    monkeypatch.delenv("KVMMANAGER_DEMO_TYPE", raising=False)
    assert command_line.chosen_type() is None
    monkeypatch.setenv("KVMMANAGER_DEMO_TYPE", "qemu")
    assert command_line.chosen_type() == "qemu"
    monkeypatch.delenv("KVMMANAGER_DEMO_TYPE")
    assert command_line.chosen_type() == "qemu"
    monkeypatch.setenv("KVMMANAGER_DEMO_TYPE", "auto")
    assert command_line.chosen_type() is None


def test_login_is_offered_only_where_there_is_an_address() -> None:
    """User-mode networking lets nobody in, whatever the daemon is."""
    assert "ssh -i" in command_line.what_next(daemon.SYSTEM, has_address=table.has_address(INVENTORY))
    assert "ssh -i" not in command_line.what_next(daemon.SYSTEM, has_address=table.has_address({}))
    addresses = [{"address": "10.0.2.15", "source": "agent"}]
    assert not table.has_address({"_meta": {"hostvars": {"web": {"libvirt_addresses": addresses}}}})


def test_who_is_not_root_is_told_how_to_get_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence: why, and what to do."""
    monkeypatch.setattr(image, "_reason_not_to_download", lambda _arch: "no route")
    monkeypatch.setattr(image, "_is_built", lambda: False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(common.DemoError, match=r"\(no route\), and only root can build one .*: run `sudo .*` once"):
        image.choose()


def test_image_is_built_where_none_can_be_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """The choice is kept for the next run, until the file is gone."""
    built = tmp_path / "image.qcow2"
    built.touch()
    monkeypatch.setattr(image, "_reason_not_to_download", lambda _arch: "no route")
    monkeypatch.setattr(image, "_build", lambda _reason: str(built))
    assert image.choose() == str(built)
    monkeypatch.setattr(image, "_reason_not_to_download", lambda _arch: None)
    assert image.choose() == str(built)
    built.unlink()
    assert image.choose() == image.NAME
