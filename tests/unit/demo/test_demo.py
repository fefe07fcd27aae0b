# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of what the demo decides and shows, without a hypervisor."""

from __future__ import annotations

import pathlib

import pytest

from scripts.demo_steps import common, daemon, image, table

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
    common.remember("uri", "qemu:///system")
    common._MEMORY.write_text("{", encoding="utf-8")
    assert common.remembered("uri") is None
    common.remember("uri", "qemu:///session")
    assert common.remembered("uri") == "qemu:///session"


def test_session_daemon_for_who_may_not_use_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user outside the group libvirt gets a daemon of their own, and the next run knows."""
    monkeypatch.setattr(daemon, "_open_error", lambda uri: "denied" if uri == daemon.SYSTEM else None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert daemon.choose() == daemon.SESSION
    assert common.remembered("uri") == daemon.SESSION


def test_no_daemon_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which daemon and what it said."""
    monkeypatch.setattr(daemon, "_open_error", lambda _uri: "no such socket")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(common.DemoError, match="qemu:///session does not answer: no such socket"):
        daemon.choose()


def test_only_its_own_daemons_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has the number of one that the demo started, but began at another time, is left alone."""
    ended: list[int] = []
    monkeypatch.setattr("os.kill", lambda pid, _signal: ended.append(pid))
    monkeypatch.setattr(daemon, "_start_time", {10: "100", 11: "999"}.get)
    common.remember(
        "daemons",
        [
            {"name": "virtlogd", "pid": 10, "start_time": "100"},
            {"name": "libvirtd", "pid": 11, "start_time": "101"},
            {"name": "gone", "pid": 12, "start_time": "102"},
        ],
    )
    daemon.stop_started()
    assert ended == [10]
    assert common.remembered("daemons") == []


def test_image_is_built_where_none_can_be_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """The choice is kept for the next run, until the file is gone."""
    built = tmp_path / "image.qcow2"
    built.touch()
    monkeypatch.setattr(image, "_reason_not_to_download", lambda _arch: "no route")
    monkeypatch.setattr(image, "_build", lambda: str(built))
    assert image.choose() == str(built)
    monkeypatch.setattr(image, "_reason_not_to_download", lambda _arch: None)
    assert image.choose() == str(built)
    built.unlink()
    assert image.choose() == image.NAME
