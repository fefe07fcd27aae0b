# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our agent freezes a real file system of a real guest, and it is thawed whatever happens.

The host's end is written here from agent/PROTOCOL.md alone.
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import libvirt
import pytest

from tests.lab import Host, Lab, images
from tests.lab.run import run

_PATIENCE = 240  # seconds, for an emulated guest on a busy machine
_DOMAIN = """<domain type='qemu'>
  <name>frozen</name>
  <memory unit='MiB'>256</memory>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>{kernel}</kernel><initrd>{initrd}</initrd><cmdline>{cmdline}</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <disk type='file'>
      <driver name='qemu' type='raw'/><source file='{disk}'/><target dev='vda' bus='virtio'/>
    </disk>
    <channel type='unix'>
      <source mode='bind' path='{socket}'/><target type='virtio' name='org.kvmmanager.agent.0'/>
    </channel>
    <console type='pty'/>
  </devices>
</domain>"""


class AgentHost:
    """The host's end of the agent's port."""

    def __init__(self, path: pathlib.Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_PATIENCE)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("rb")
        self._number = 0
        self._answers: dict[str, dict[str, Any]] = {}  # they come in any order
        self._send(b"\xff" * 65537 + b"\n")
        self._write({"id": "freeze-test-nonce-1", "method": "hello", "params": {"versions": [1]}})
        found = self.answer("freeze-test-nonce-1")
        self._session = found["session"]
        self._ahead = found["clock"] - time.monotonic()

    def start(self, method: str, **params: Any) -> str:
        """Send a request; its id."""
        self._number += 1
        identity = f"{self._session}/{self._number}"
        expires = time.monotonic() + self._ahead + _PATIENCE
        self._write({"id": identity, "method": method, "params": {"expires": expires, **params}})
        return identity

    def answer(self, identity: str) -> dict[str, Any]:
        """The answer to a request, now or earlier."""
        while identity not in self._answers:
            message = self.message()
            if message.get("id"):
                self._answers[message["id"]] = message
        message = self._answers.pop(identity)
        assert "error" not in message, message
        return message["result"]

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        return self.answer(self.start(method, **params))

    def run(self, *argv: str) -> None:
        """Run a command that must succeed."""
        found = self.call("exec_command", argv=list(argv))
        assert found["exit"] == 0, base64.b64decode(found["stderr"])

    def feed(self, identity: str, text: bytes) -> None:
        """Give a command all its input."""
        data = base64.b64encode(text).decode()
        params = {"of": identity, "stream": "stdin", "offset": 0, "data": data, "eof": True}
        self._write({"method": "data", "params": params})

    def message(self) -> dict[str, Any]:
        """The next message, without whatever stood there before the session."""
        while True:
            line = self._lines.readline()
            assert line, "the port was closed"
            text = line.rpartition(b"\xff")[2].strip()
            if text:
                return json.loads(text)

    def close(self) -> None:
        """Leave the port."""
        self._lines.close()
        self._socket.close()

    def _write(self, message: dict[str, Any]) -> None:
        self._send(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def _send(self, data: bytes) -> None:
        self._socket.sendall(data)


@pytest.fixture(name="host", scope="module")
def _host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentHost]:
    """The agent of a guest that has a file system on a disk at /mnt."""
    scratch = tmp_path_factory.mktemp("freeze")
    tiny = images.tiny_with_agent(scratch)
    disk = scratch / "disk.raw"
    disk.write_bytes(bytes(16 * 1024 * 1024))
    run(["mke2fs", "-q", "-F", "-t", "ext4", disk])
    with Lab(name=f"freeze-{os.getpid()}", hosts=[Host("h1", "bookworm")]) as lab:
        port = lab.shared / "agent.sock"
        description = _DOMAIN.format(
            kernel=lab.share(tiny.kernel),
            initrd=lab.share(tiny.initrd),
            cmdline=tiny.cmdline,
            disk=lab.share(disk),
            socket=port,
        )
        connection = libvirt.open(lab["h1"].uri)
        domain = connection.createXML(description)
        host = AgentHost(port)
        for command in ("mkdir /mnt", "mount -t ext4 /dev/vda /mnt"):
            host.run("/bin/busybox", *command.split())
        yield host
        host.close()
        domain.destroy()
        connection.close()


def start_writer(host: AgentHost) -> str:
    """A command that writes to the disk as soon as it has a line of input."""
    script = "echo waiting; read line; echo $line > /mnt/file; echo written"
    identity = host.start("exec", argv=["/bin/busybox", "sh", "-c", script], stdin=True)
    while host.message().get("method") != "data":
        pass
    return identity


def test_writers_wait_until_the_time_is_over(host: AgentHost) -> None:
    writer = start_writer(host)
    frozen = host.call("fs_freeze", mounts=["/mnt"], thaw_after=3)
    assert frozen["mounts"] == ["/mnt"]
    host.feed(writer, b"late\n")
    assert host.answer(writer)["exit"] == 0
    assert host.call("ping")["clock"] >= frozen["thaw_at"] - 0.1
    assert host.call("fs_thaw")["held"] is False


def test_writers_wait_until_it_is_thawed(host: AgentHost) -> None:
    writer = start_writer(host)
    assert host.call("fs_freeze", thaw_after=60)["mounts"] == ["/mnt"], "the only file system on a disk"
    host.feed(writer, b"asked\n")
    assert host.call("fs_thaw") == {"mounts": ["/mnt"], "held": True}
    assert host.answer(writer)["exit"] == 0
    host.run("/bin/busybox", "grep", "asked", "/mnt/file")
