# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of qemu-guest-agent. This machine stands in for the guest: the client's scripts really run."""

from __future__ import annotations

import base64
import contextlib
import functools
import io
import json
import os
import pathlib
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from subprocess import PIPE
from typing import IO, Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import (
    Command,
    GuestError,
    GuestUnreachable,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.qemu import QemuGuest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.qemu_calls import MAX_REQUEST
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

COMMANDS = ("guest-info", "guest-exec", "guest-exec-status", "guest-file-open", "guest-get-users")


class Agent:
    """The commands of qemu-guest-agent that the client needs, done on this machine; also its own hypervisor."""

    def __init__(self) -> None:
        self.privileged = self
        self._programs: dict[int, subprocess.Popen[bytes]] = {}
        self._output: dict[int, tuple[bytes, bytes]] = {}
        self._files: dict[int, IO[Any]] = {}
        self.said: dict[str, Any] = {}  # answers instead of the real ones
        self.longest = 0
        self.opened = contextlib.ExitStack()

    def agent_command(self, _uuid: str, command: str, _seconds: int) -> str:
        self.longest = max(self.longest, len(command))
        asked = json.loads(command)
        name, arguments = asked["execute"], asked.get("arguments", {})
        answer = self.said.get(name)
        if isinstance(answer, Exception):
            raise Failure("It failed.") from answer
        if answer is None:
            answer = getattr(self, name.replace("-", "_"))(
                **{key.replace("-", "_"): arguments[key] for key in arguments}
            )
        return json.dumps({"return": answer})

    def guest_info(self) -> dict[str, Any]:
        return {"version": "7.2", "supported_commands": [{"name": name, "enabled": True} for name in COMMANDS]}

    def guest_exec(
        self,
        path: str,
        arg: list[str],
        env: list[str] | None = None,
        input_data: str = "",
        capture_output: bool = False,
    ) -> dict[str, Any]:
        environment = dict(one.split("=", 1) for one in env) if env is not None else None
        # As the agent does: not the leader of a group.
        program = subprocess.Popen([path, *arg], 0, None, PIPE, PIPE, PIPE, cwd="/", env=environment)
        self._programs[program.pid] = program
        assert program.stdin is not None
        program.stdin.write(base64.b64decode(input_data))
        program.stdin.close()
        program.stdin = None
        return {"pid": program.pid} if capture_output or path else {}

    def guest_exec_status(self, pid: int) -> dict[str, Any]:
        program = self._programs[pid]
        try:
            output, errors = program.communicate(timeout=0.05)
        except subprocess.TimeoutExpired:
            return {"exited": False}
        ended = {"signal": -program.returncode} if program.returncode < 0 else {"exitcode": program.returncode}
        texts = {"out-data": base64.b64encode(output).decode(), "err-data": base64.b64encode(errors).decode()}
        return {"exited": True, **ended, **texts}

    def guest_file_open(self, path: str, mode: str) -> int:
        handle = len(self._files) + 1
        self._files[handle] = self.opened.enter_context(opened(path, mode))
        return handle

    def guest_file_write(self, handle: int, buf_b64: str) -> dict[str, Any]:
        return {"count": self._files[handle].write(base64.b64decode(buf_b64)), "eof": False}

    def guest_file_read(self, handle: int, count: int) -> dict[str, Any]:
        piece = self._files[handle].read(count)
        return {"count": len(piece), "buf-b64": base64.b64encode(piece).decode(), "eof": not piece}

    def guest_file_close(self, handle: int) -> dict[str, Any]:
        self._files[handle].close()
        return {}


class Domain:
    def UUIDString(self) -> str:
        return str(uuid.UUID(int=1))


@pytest.fixture
def agent() -> Iterator[Agent]:
    agent = Agent()
    with agent.opened:
        yield agent


@pytest.fixture
def guest(agent: Agent) -> QemuGuest:
    hypervisor: Any = agent
    return QemuGuest(hypervisor, Domain(), "the guest of 'web1'", Deadline(30))


def sh(script: str) -> Command:
    return Command(["/bin/sh", "-c", script], cwd="/")


def refused(act: Callable[[], Any]) -> GuestError:
    with pytest.raises(GuestError) as raised:
        act()
    return raised.value


def test_commands(guest: QemuGuest, tmp_path: pathlib.Path) -> None:
    ended = guest.run(sh("cat; echo oh >&2; exit 3"), 30, b"input")
    assert (ended.exit, ended.signal, ended.stdout, ended.stderr) == (3, None, b"input", b"oh\n")
    assert (guest.run(sh("kill -TERM $$"), 30).signal, guest.run(sh("kill -TERM $$"), 30).rc) == ("TERM", -15)
    argv = ["/bin/sh", "-c", 'echo "$PWD $HOME $MORE $1"', "sh", "$(id); a b"]
    told = guest.run(Command(argv, cwd=str(tmp_path), env={"MORE": "a  b"}), 30).stdout.decode()
    assert told == f"{tmp_path} {os.path.expanduser('~root')} a  b $(id); a b\n"
    assert guest.run(Command(["pwd"], cwd=str(tmp_path / "none")), 30).exit == 126


def test_output_is_handed_on(guest: QemuGuest) -> None:
    pieces = []
    ended = guest.run(sh("echo out; echo err >&2"), 30, on_output=lambda stream, piece: pieces.append((stream, piece)))
    assert pieces == [("stdout", b"out\n"), ("stderr", b"err\n")]
    assert (ended.exit, ended.stdout, ended.stderr) == (0, b"", b"")


def test_long_input_goes_by_a_file_that_does_not_stay(guest: QemuGuest, agent: Agent) -> None:
    content = os.urandom(300_000)
    ended = guest.run(sh("cat; ls -l /proc/self/fd/0 >&2"), 30, io.BytesIO(content))
    assert ended.stdout == content
    assert b"(deleted)" in ended.stderr
    assert agent.longest < MAX_REQUEST


def test_output_is_cut_before_libvirt_chokes_on_it(guest: QemuGuest) -> None:
    ended = guest.run(sh("head -c 9000000 /dev/zero; head -c 9000000 /dev/zero >&2; exit 3"), 30)
    assert (ended.exit, len(ended.stdout), len(ended.stderr)) == (3, 2_400_000, 500_000)
    assert (ended.stdout_truncated, ended.stderr_truncated) == (True, True)
    whole = guest.run(sh("head -c 2400000 /dev/zero; kill -TERM $$"), 30)
    assert (whole.signal, len(whole.stdout), whole.stdout_truncated) == ("TERM", 2_400_000, False)


@pytest.mark.parametrize("words", ["Unable to encode message payload", "No complete agent response found in 10 bytes"])
def test_an_answer_that_libvirt_cannot_carry_is_a_sentence(guest: QemuGuest, agent: Agent, words: str) -> None:
    agent.said["guest-exec-status"] = libvirt.libvirtError(words)
    error = refused(lambda: guest.run(sh("true"), 30))
    assert error.code == wire.TOO_LARGE
    assert "is larger than libvirt carries" in error.message


def test_command_that_takes_too_long_is_stopped_with_its_children(guest: QemuGuest, tmp_path: pathlib.Path) -> None:
    pids = tmp_path / "pids"
    error = refused(lambda: guest.run(sh(f"sleep 60 & echo $! > {pids}; wait"), 2))
    assert error.code == wire.TIMED_OUT
    deadline = time.monotonic() + 30
    while runs(int(pids.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_too_long_a_request_is_not_sent(guest: QemuGuest) -> None:
    error = refused(lambda: guest.run(Command(["echo", "x" * MAX_REQUEST]), 30))
    assert error.code == wire.TOO_LARGE


def test_files_there_and_back(guest: QemuGuest, agent: Agent, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "a 'name'"
    content = os.urandom(200_000)
    told: list[int] = []
    guest.put(io.BytesIO(content), str(target), timeout=60, progress=told.append)
    assert (target.read_bytes(), target.stat().st_mode & 0o7777, told[-1]) == (content, 0o600, len(content))
    guest.put(io.BytesIO(b"new"), str(target), mode=0o640, timeout=60)
    guest.put(io.BytesIO(b"newer"), str(target), timeout=60)
    assert (target.read_bytes(), target.stat().st_mode & 0o7777) == (b"newer", 0o640)
    target.write_bytes(content)
    sink = io.BytesIO()
    facts = guest.get(str(target), sink, timeout=60)
    assert (sink.getvalue(), facts.size, facts.sha256) == (content, len(content), checksum(content))
    assert [entry.name for entry in tmp_path.iterdir()] == [target.name]
    assert agent.longest < MAX_REQUEST


def test_wrong_content_leaves_the_old_file(guest: QemuGuest, agent: Agent, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    agent.said["guest-file-write"] = {"count": 3, "eof": False}  # and writes nothing
    error = refused(lambda: guest.put(io.BytesIO(b"new"), str(target), timeout=60))
    assert error.code == wire.BAD_CHECKSUM
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("file", b"old")]


def test_full_disk_is_said(guest: QemuGuest, agent: Agent, tmp_path: pathlib.Path) -> None:
    agent.said["guest-file-write"] = {"count": 1, "eof": False}
    assert "full" in str(refused(lambda: guest.put(io.BytesIO(b"new"), str(tmp_path / "file"), timeout=60)))
    assert not list(tmp_path.iterdir())


def test_what_is_no_regular_file(guest: QemuGuest, tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    for name in ("fifo", "link", "."):
        for act in (guest_get, guest_put):
            assert refused(functools.partial(act, guest, f"{tmp_path}/{name}")).code == wire.WRONG_TYPE
    assert refused(lambda: guest.get(f"{tmp_path}/none", io.BytesIO(), timeout=30)).code == wire.NOT_FOUND
    assert refused(lambda: guest.stat("relative")).code == wire.INVALID_PARAMS


def test_facts_and_folders(guest: QemuGuest, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "folder"
    guest.mkdir(str(folder), 0o750)
    assert refused(lambda: guest.mkdir(str(folder))).code == wire.EXISTS
    (folder / "b\nc").write_bytes(b"text")
    (folder / "a").symlink_to("b\nc")
    assert [(name, facts.type, facts.size, facts.target) for name, facts in guest.list(str(folder))] == [
        ("a", "link", 3, "b\nc"),
        ("b\nc", "file", 4, None),
    ]
    found = guest.stat(str(folder))
    assert found is not None
    assert (found.type, found.mode, found.uid) == ("directory", 0o750, os.getuid())
    link, file = guest.stat(f"{folder}/a"), guest.stat(f"{folder}/b\nc", sha256=True)
    assert link is not None
    assert (link.type, link.target) == ("link", "b\nc")
    assert file is not None
    assert (file.size, file.sha256) == (4, checksum(b"text"))
    assert refused(lambda: list(guest.list(f"{folder}/a"))).code == wire.WRONG_TYPE
    guest.remove(f"{folder}/a")
    guest.remove(f"{folder}/b\nc")
    guest.remove(str(folder))
    assert guest.stat(str(folder)) is None
    assert refused(lambda: guest.remove(str(folder))).code == wire.NOT_FOUND


def test_what_it_knows_of_the_guest(guest: QemuGuest, agent: Agent) -> None:
    disabled = libvirt.libvirtError("Command guest-get-vcpus has been disabled")
    for name in ("host-name", "timezone", "time", "vcpus", "osinfo"):
        agent.said[f"guest-get-{name}"] = disabled
    agent.said["guest-get-host-name"] = {"host-name": "web1"}
    system = guest.info("system")
    assert (system["hostname"], system["cpus"], system["os"]) == ("web1", None, None)
    assert system["memory"] == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    agent.said["guest-get-fsinfo"] = [{"mountpoint": "/", "type": "ext4", "total-bytes": 10, "used-bytes": 4}, {}]
    first, second = guest.info("disks")["filesystems"]
    assert (first["size"], first["free"], second["free"]) == (10, 6, None)
    assert guest.info("agent")["methods"] == sorted(COMMANDS)
    assert refused(lambda: guest.info("processes")).code == wire.UNSUPPORTED


@pytest.mark.parametrize("answer", [[], "text", 1, {"pid": True}, {"pid": "1; id"}])
def test_answers_that_make_no_sense(guest: QemuGuest, agent: Agent, answer: Any) -> None:
    agent.said["guest-exec"] = answer
    assert refused(lambda: guest.run(sh("true"), 30)).code == wire.INVALID_REQUEST


@pytest.mark.parametrize(
    "status",
    [{"exitcode": "0"}, {"exitcode": 0, "out-data": "&"}, {"exitcode": 0, "out-data": 7}, {"signal": "9"}],
)
def test_endings_that_make_no_sense(guest: QemuGuest, agent: Agent, status: dict[str, Any]) -> None:
    agent.said["guest-exec-status"] = {"exited": True, **status}
    assert refused(lambda: guest.run(sh("true"), 30)).code == wire.INVALID_REQUEST


def test_refusals_say_what_to_do(guest: QemuGuest, agent: Agent) -> None:
    agent.said["guest-exec"] = libvirt.libvirtError(
        "Command guest-exec has been disabled: \x1b[2J the command is not allowed"
    )
    error = refused(lambda: guest.run(sh("true"), 30))
    assert error.code == wire.DENIED
    assert "/etc/sysconfig/qemu-ga" in str(error)
    assert "\x1b" not in str(error)


def test_hung_agent_is_unreachable(guest: QemuGuest, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    error = libvirt.libvirtError("Guest agent is not responding")
    monkeypatch.setattr(error, "get_error_code", lambda: libvirt.VIR_ERR_AGENT_UNRESPONSIVE)
    agent.said["guest-exec"] = error
    with pytest.raises(GuestUnreachable, match="does not answer"):
        guest.run(sh("true"), 30)


@contextlib.contextmanager
def opened(path: str, mode: str) -> Iterator[IO[Any]]:
    with open(path, "wb" if mode == "w" else "rb") as file:
        yield file


def guest_get(guest: QemuGuest, path: str) -> Any:
    return guest.get(path, io.BytesIO(), timeout=30)


def guest_put(guest: QemuGuest, path: str) -> Any:
    return guest.put(io.BytesIO(), path, timeout=30)


def runs(pid: int) -> bool:
    """Whether a process does anything; one that nobody has waited for does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def checksum(content: bytes) -> str:
    return subprocess.run(["sha256sum"], input=content, stdout=subprocess.PIPE, check=True).stdout[:64].decode()
