# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions that do not wait as long as those of real guests."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import session


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"_GRACE": 0.05, "_FIRST_HELLO": 0.03, "_QUIET": 5.0, "_DEAD": 5.0}.items():
        monkeypatch.setattr(session, name, seconds)


@pytest.fixture
def _mortal(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that says nothing any more is given up soon."""
    monkeypatch.setattr(session, "_QUIET", 0.05)
    monkeypatch.setattr(session, "_DEAD", 0.1)
