# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab says when the machine lacks something."""

from __future__ import annotations

import os

import pytest

from tests.lab import Host, LabError, requirements


@pytest.fixture
def _root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements.shutil, "which", lambda _program, path: None)


@pytest.mark.usefixtures("_root", "_bare")
def test_missing_packages_are_named() -> None:
    with pytest.raises(LabError, match="apt install .*iproute2 .*mmdebstrap"):
        requirements.check_for_hosts([Host("h1")])


@pytest.mark.usefixtures("_root", "_bare")
@pytest.mark.parametrize(
    ("host", "package"), [(Host("h1", auth="sasl"), "sasl2-bin"), (Host("h1", ssh=True), "openssh-server")]
)
def test_only_what_is_asked_for_is_needed(host: Host, package: str) -> None:
    with pytest.raises(LabError, match=package):
        requirements.check_for_hosts([host])
    with pytest.raises(LabError) as caught:
        requirements.check_for_hosts([Host("h1")])
    assert package not in str(caught.value)


@pytest.mark.usefixtures("_root", "_bare")
def test_images_need_other_tools() -> None:
    with pytest.raises(LabError, match="mtools"):
        requirements.check_for_images()


def test_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root"):
        requirements.check_for_images()


def test_packages_are_sorted_and_once() -> None:
    names = requirements.packages()
    assert names == sorted(set(names))
    assert "sasl2-bin" in names
