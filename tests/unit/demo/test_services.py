# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of which daemons the demo starts, and of what it ends again, without any."""

from __future__ import annotations

import pathlib
import subprocess
from typing import Any

import pytest

from scripts.demo_steps import common, services


class Network:
    """A network that is up."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.destroyed = False

    def name(self) -> str:
        return self._name

    def destroy(self) -> None:
        self.destroyed = True


@pytest.fixture
def ended(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that the demo ends. It has a memory of its own, and no VM runs."""
    gone: list[int] = []
    monkeypatch.setattr(common, "FOLDER", tmp_path / "demo")
    monkeypatch.setattr(common, "_MEMORY", tmp_path / "demo" / "memory.json")
    monkeypatch.setattr(services, "_end", gone.append)
    monkeypatch.setattr(services, "_running_vms", list)
    monkeypatch.setattr(services, "_networks", list)
    monkeypatch.setattr(services, "_boot", lambda: "this boot")
    monkeypatch.setattr(services, "_start_time", {10: "100", 11: "999", 13: "103"}.get)
    common.remember("boot", "this boot")
    common.remember(
        "daemons",
        [
            {"name": "virtlogd", "pid": 10, "start_time": "100"},
            {"name": "libvirtd", "pid": 11, "start_time": "101"},
            {"name": "gone", "pid": 12, "start_time": "102"},
            {"name": "virtqemud", "pid": 13, "start_time": "103"},
        ],
    )
    return gone


def test_only_its_own_daemons_end(ended: list[int]) -> None:
    """A process that has the number of one that the demo started, but began at another time, is left alone."""
    services.stop()
    assert ended == [13, 10]


def test_only_its_own_networks_go(ended: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that came up with the daemon."""
    networks = [Network("default"), Network("theirs")]
    monkeypatch.setattr(services, "_networks", lambda: networks)
    common.remember("networks", ["default"])
    services.stop()
    assert [network.destroyed for network in networks] == [True, False]
    assert ended == [13, 10]


def test_daemons_that_others_need_stay(ended: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A person may have begun to use the daemon that the demo started."""
    monkeypatch.setattr(services, "_running_vms", lambda: ["mine"])
    services.stop()
    assert ended == []


def test_another_boot_has_ended_them(ended: list[int]) -> None:
    """Numbers and times begin anew with each boot."""
    common.remember("boot", "an earlier one")
    services.stop()
    assert ended == []


@pytest.mark.parametrize(
    ("there", "enabled", "started"),
    [
        (["libvirtd.service"], ["libvirtd.service"], ["libvirtd.service"]),
        (
            ["libvirtd.service", "virtlogd.socket", "virtqemud.socket"],
            ["virtqemud.socket"],
            ["virtlogd.socket", "virtqemud.socket"],
        ),
        (["virtlogd.socket", "virtqemud.socket"], [], ["virtlogd.socket", "virtqemud.socket"]),
        (["libvirtd.service"], [], ["libvirtd.service"]),
    ],
    ids=["Debian", "Fedora", "Fedora, nothing enabled", "Debian, nothing enabled"],
)
def test_units(monkeypatch: pytest.MonkeyPatch, there: list[str], enabled: list[str], started: list[str]) -> None:
    """What the distribution means to run: one daemon, or one for each kind of resource."""
    known = {"cat": there, "is-enabled": enabled}

    def systemctl(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, int(words[1] not in known[words[0]]), "", "")

    monkeypatch.setattr(services, "_systemctl", systemctl)
    assert services._installed_units() == tuple(started)


@pytest.mark.usefixtures("ended")
def test_units_that_came_with_it_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that systemd has started for the sake of the one that the demo asked for."""
    commands: list[Any] = []
    common.remember("units_before", ["virtlogd.socket"])
    monkeypatch.setattr(services, "_active_units", lambda: ["virtlogd.socket", "libvirtd.socket", "libvirtd.service"])
    monkeypatch.setattr(subprocess, "run", lambda command, **_options: commands.append(command))
    services.stop()
    assert commands == [["systemctl", "stop", "libvirtd.service", "libvirtd.socket"]]


@pytest.mark.parametrize(
    ("there", "started"),
    [
        (("virtlogd", "libvirtd"), ["virtlogd", "libvirtd"]),
        (services._MODULAR, list(services._MODULAR)),
    ],
    ids=["Debian", "Fedora"],
)
@pytest.mark.usefixtures("ended")
def test_daemons_by_hand(monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], started: list[str]) -> None:
    """Where there is no libvirtd, one daemon for each kind of resource."""
    commands: list[str] = []

    def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        commands.append(command[0])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(services.shutil, "which", lambda name, path: name if name in there else None)
    monkeypatch.setattr(services, "_runs", lambda _name: False)
    monkeypatch.setattr(services, "_useless_kvm", lambda: "")
    monkeypatch.setattr(services, "_note", lambda _name: None)
    monkeypatch.setattr(subprocess, "run", run)
    services._start_processes()
    assert commands == started
