# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of waiting for a guest's report, with a hypervisor that plays a guest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import status, waiting
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

REPORT = f"{status.BEGIN}\nstatus: done\n{status.END}\n".encode()
LIVE = f"<domain id='7'><devices><channel><target name='{status.PORT}'/></channel></devices></domain>"


class Stream:
    """A port on which a guest says these blocks, and then nothing for ever."""

    def __init__(self, blocks: list[bytes]) -> None:
        self.blocks = blocks
        self.aborted = threading.Event()

    def recv(self, _size: int) -> bytes:
        """The next block, as ``virStream.recv``."""
        if not self.blocks:
            self.aborted.wait(10)
            return b""
        return self.blocks.pop(0)

    def abort(self) -> None:
        """As ``virStream.abort``."""
        self.aborted.set()


class Guest:
    """A hypervisor with one running domain, and the domain itself."""

    uri = "test:///default"

    def __init__(self, blocks: list[bytes], busy: int = 0, live: str = LIVE) -> None:
        self.stream = Stream(blocks)
        self.busy = busy
        self.live = live
        self.connection = self
        self.privileged = self

    def call(self, _doing: str, function: Callable[..., Any], *args: Any) -> Any:
        """As `Hypervisor.call`."""
        return function(*args)

    find = call

    def lookupByName(self, _name: str) -> Guest:
        """As ``virConnect.lookupByName``."""
        return self

    def XMLDesc(self, _flags: int) -> str:
        """As ``virDomain.XMLDesc``."""
        return self.live

    def UUIDString(self) -> str:
        """As ``virDomain.UUIDString``."""
        return "6f1c9d2e-5b0a-4b9e-8a51-3d1f0b7c2a10"

    def open_channel(self, _uuid: str, _port: str) -> Stream:
        """As `PrivilegedReads.open_channel`; refused as long as another reader has the port."""
        if self.busy:
            self.busy -= 1
            raise Failure("Cannot open: operation failed: Active channel stream exists for this domain.")
        return self.stream


def wait(guest: Guest, timeout: float = 5) -> dict[str, Any]:
    """What the module would return."""
    return waiting.collect({"name": "web1", "port": status.PORT, "timeout": timeout}, cast(Hypervisor, guest))


def test_report_in_pieces() -> None:
    """A report is put together from however many blocks it comes in, and the port is given back."""
    guest = Guest([REPORT[:10], REPORT[10:30], REPORT[30:]])
    assert wait(guest) == {"name": "web1", "status": "done", "report": "status: done"}
    assert guest.stream.aborted.is_set()


def test_another_reader_is_waited_for() -> None:
    """libvirt lets one reader in at a time; the second gets its turn."""
    assert wait(Guest([REPORT], busy=1))["status"] == "done"


def test_another_reader_for_ever() -> None:
    """At the deadline libvirt's own words are passed on."""
    with pytest.raises(Failure, match="Active channel stream exists"):
        wait(Guest([REPORT], busy=1000), timeout=0.6)


def test_silence() -> None:
    """A guest that says nothing costs its time, and the message says what to look at."""
    guest = Guest([])
    with pytest.raises(Failure, match="did not say within 0.2 seconds .*console"):
        wait(guest, timeout=0.2)
    assert guest.stream.aborted.is_set()


def test_guest_stops() -> None:
    """The end of the stream is the end of the guest."""
    guest = Guest([b"half", b""])
    with pytest.raises(Failure, match="stopped, or closed its port"):
        wait(guest)


def test_flood() -> None:
    """A guest that never ends its report does not fill the memory."""
    guest = Guest([b"x" * 16384] * 100)
    with pytest.raises(Failure, match="something else than expected"):
        wait(guest)
    assert len(guest.stream.blocks) >= 90


@pytest.mark.parametrize(
    ("live", "message"),
    [
        ("<domain><devices/></domain>", "does not run"),
        ("<domain id='1'><devices/></domain>", "has no port org.kvmmanager.cloud_init.0"),
    ],
)
def test_cannot_speak(live: str, message: str) -> None:
    """A domain that does not run, or has no such port, is not waited for."""
    with pytest.raises(Failure, match=message):
        wait(Guest([REPORT], live=live))
