# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether KVM is believed."""

from __future__ import annotations

import errno
import fcntl
import os
import pathlib
from types import SimpleNamespace

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.kvm import why_kvm_is_unusable


@pytest.fixture
def device(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A device that this user may open, and with which the kernel makes virtual machines."""
    file = tmp_path / "kvm"
    file.touch(mode=0o600)
    monkeypatch.setattr(fcntl, "ioctl", lambda *_args: os.open(os.devnull, os.O_RDONLY))
    return file


def test_a_remote_host_is_believed(tmp_path: pathlib.Path) -> None:
    assert why_kvm_is_unusable("qemu+tcp://kvm1/system", str(tmp_path / "kvm")) == ""


def test_kvm_needs_a_device(device: pathlib.Path) -> None:
    assert why_kvm_is_unusable("qemu:///session", str(device)) == ""
    device.unlink()
    assert why_kvm_is_unusable("qemu:///session", str(device)) == f"there is no {device}"


def test_the_device_must_make_a_machine(device: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> int:
        raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    reason = why_kvm_is_unusable("qemu:///session", str(device))
    assert reason == f"the kernel makes no virtual machine with {device}: Inappropriate ioctl for device"


def test_a_device_without_its_driver_cannot_be_opened(device: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> int:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(os, "open", refuse)
    assert why_kvm_is_unusable("qemu:///session", str(device)) == f"{device} cannot be opened: No such device"


def test_what_this_user_may_not_open_is_not_tried(device: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pwd.getpwnam", lambda _name: SimpleNamespace(pw_name="qemu", pw_uid=os.getuid(), pw_gid=1))
    monkeypatch.setattr(os, "open", refuse)
    assert why_kvm_is_unusable("qemu:///system", str(device)) == ""


def test_the_system_daemon_runs_qemu_as_another_user(device: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = SimpleNamespace(pw_name="qemu", pw_uid=os.getuid() + 1, pw_gid=os.getgid() + 1)
    monkeypatch.setattr("pwd.getpwnam", lambda _name: user)
    monkeypatch.setattr("os.getgrouplist", lambda _name, gid: [gid])
    assert "may not open" in why_kvm_is_unusable("qemu:///system", str(device))
    device.chmod(0o666)
    assert why_kvm_is_unusable("qemu:///system", str(device)) == ""
