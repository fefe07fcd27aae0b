# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our agent changes what only a real guest has: frozen file systems, which are thawed whatever happens, and the clock.

The host's end is written here from agent/PROTOCOL.md alone.
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
import select
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
        """The result of a request, now or earlier."""
        message = self.outcome(identity)
        assert "error" not in message, message
        return message["result"]

    def outcome(self, identity: str) -> dict[str, Any]:
        """The answer to a request, which may be an error."""
        while identity not in self._answers:
            message = self.message()
            if message.get("id"):
                self._answers[message["id"]] = message
        return self._answers.pop(identity)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        return self.answer(self.start(method, **params))

    def run(self, *argv: str) -> str:
        """Run a command that must succeed; what it says."""
        found = self.call("exec_command", argv=list(argv), timeout=60)
        assert found["exit"] == 0, base64.b64decode(found["stderr"])
        return base64.b64decode(found["stdout"]).decode()

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

    def wait_for_another_agent(self) -> None:
        """Wait until the one of this session has ended: the port does not tell, but the next one knows no session."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            self.start("ping")
            # A ping that the old one took gets no answer.
            if select.select([self._socket], [], [], 1)[0] and "error" in self.message():
                return
        raise AssertionError("the agent does not end")

    def close(self) -> None:
        """Leave the port."""
        self._lines.close()
        self._socket.close()

    def _write(self, message: dict[str, Any]) -> None:
        self._send(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def _send(self, data: bytes) -> None:
        self._socket.sendall(data)


@pytest.fixture(name="port", scope="module")
def _port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    """The port of the agent of a guest that has a file system on a disk at /mnt."""
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
        host.close()
        yield port
        domain.destroy()
        connection.close()


@pytest.fixture(name="host")
def _host(port: pathlib.Path) -> Iterator[AgentHost]:
    """A session with that agent."""
    host = AgentHost(port)
    yield host
    host.close()


def start_writer(host: AgentHost) -> str:
    """A command that writes to the disk as soon as it has a line of input."""
    return start_waiting(host, "echo $line > /mnt/file; echo written")


def start_waiting(host: AgentHost, then: str) -> str:
    """A command that does something as soon as it has a line of input."""
    script = "echo waiting; read line; " + then
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


def test_an_agent_that_is_killed_leaves_nothing_frozen(host: AgentHost, port: pathlib.Path) -> None:
    killer = start_waiting(host, "kill -KILL $PPID")
    writer = start_writer(host)
    assert host.call("fs_freeze", thaw_after=600)["mounts"] == ["/mnt"]
    host.feed(writer, b"orphan\n")
    assert "error" in host.outcome(host.start("exec_command", argv=["true"])), "nothing new begins"
    host.feed(killer, b"now\n")
    host.wait_for_another_agent()
    host.close()
    # What waited for the disk goes on, and so does whoever comes now.
    after = AgentHost(port)
    after.run("/bin/busybox", "sh", "-c", "echo new > /mnt/new && sync")
    after.run("/bin/busybox", "sh", "-c", "until grep -q orphan /mnt/file; do sleep 1; done")
    assert after.call("fs_thaw") == {"mounts": [], "held": False}
    processes = after.call("get_processes")["processes"]
    assert not [it for it in processes if it["command"].startswith("/usr/bin/python3 -I -S -c")], "the guard has ended"
    after.close()


def test_the_clock_of_the_system_and_of_the_hardware(host: AgentHost) -> None:
    begun = time.monotonic()
    wanted = 1_900_000_000.25
    found = host.call("set_time", time=wanted)
    told = host.call("get_system_info")["time"]
    by_others = float(host.run("/bin/busybox", "date", "+%s"))
    most = wanted + time.monotonic() - begun + 1
    assert wanted <= found["time"] <= told <= most
    assert int(told) <= by_others <= most
    assert found["hardware"] is True
    # The hardware clock has whole seconds, and the guest's runs slower than this machine's at most.
    assert wanted - 2 <= float(host.run("/bin/busybox", "cat", "/sys/class/rtc/rtc0/since_epoch")) <= most + 1


def test_keys_of_a_user(host: AgentHost) -> None:
    kind = b"ssh-ed25519"
    key = f"ssh-ed25519 {base64.b64encode(len(kind).to_bytes(4, 'big') + kind + bytes(36)).decode()}"
    assert host.call("ssh_keys_list", user="user") == {"keys": []}
    for line, added in ((f"{key} someone", 1), (f"no-pty {key} again", 0)):
        assert host.call("ssh_keys_add", user="user", keys=[line]) == {"added": added}
    facts = [host.call("file_stat", path=f"/tmp/.ssh{name}") for name in ("", "/authorized_keys")]
    assert [(it["mode"], it["uid"], it["gid"]) for it in facts] == [(0o700, 1000, 1000), (0o600, 1000, 1000)]
    assert host.run("/bin/busybox", "cat", "/tmp/.ssh/authorized_keys") == f"{key} someone\n"
    assert host.call("ssh_keys_list", user="user") == {"keys": [f"{key} someone"]}
    assert host.call("ssh_keys_remove", user="user", keys=[key]) == {"removed": 1}
    assert host.call("ssh_keys_list", user="user") == {"keys": []}


def test_a_guest_without_the_program_for_passwords(host: AgentHost) -> None:
    answer = host.outcome(host.start("set_password", user="user", password="word"))
    assert (answer["error"]["code"], answer["error"]["message"]) == (-32014, "the guest has no chpasswd")
