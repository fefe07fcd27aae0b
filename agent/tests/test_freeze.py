# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frozen file systems are thawed again, whatever happens. The system calls are those of `serve_frozen`."""

import os
import signal
from typing import List

from kvmmanager_agent import wire

from . import serve_frozen
from .host import PATIENCE, AgentCase
from .test_exec import children


class Frozen(AgentCase):
    def serve(self, handle: int, config: str) -> int:
        return serve_frozen.run(handle, config)

    def setUp(self) -> None:
        super().setUp()
        self.host.hello()

    def ioctls(self) -> List[str]:
        path = self.folder / "ioctls"
        return path.read_text(encoding="ascii").split("\n")[:-1] if path.exists() else []

    def freeze(self, seconds: float = 60) -> float:
        before = self.host.call("ping")["clock"]
        found = self.host.call("fs_freeze", thaw_after=seconds)
        self.assertEqual(found["mounts"], [str(self.folder / "second")], "both folders are one file system")
        # Rounded readings of the agent's clock.
        self.assertGreaterEqual(found["thaw_at"], before + seconds - 0.001)
        self.assertLessEqual(found["thaw_at"], self.host.call("ping")["clock"] + seconds + 0.001)
        return float(found["thaw_at"])

    def test_until_it_is_asked_to_thaw(self) -> None:
        for _time in range(3):
            self.freeze()
            self.assertEqual(self.ioctls(), ["freeze second"])
            self.assertEqual(self.host.call("fs_thaw"), {"mounts": [str(self.folder / "second")], "held": True})
            self.assertEqual(self.ioctls(), ["freeze second", "thaw second"])
            (self.folder / "ioctls").unlink()
        self.assertEqual(children(self.process.pid), [])
        self.assertEqual(self.host.call("fs_thaw"), {"mounts": [], "held": False})

    def test_until_its_time_is_over(self) -> None:
        (self.folder / "slow").touch()
        before = self.host.call("ping")["clock"]
        thaw_at = self.freeze(0.3)
        # The time begins when the guard has started, which takes half a second here.
        self.assertGreaterEqual(thaw_at, before + 0.5 + 0.3 - 0.001)
        self.wait_for(lambda: "their time was over" in self.log())
        self.assertEqual(self.ioctls(), ["freeze second", "thaw second"])
        # Not before it was said, and only as much later as this machine is busy.
        thawed = float((self.folder / "thawed").read_text(encoding="ascii"))
        self.assertGreaterEqual(thawed, thaw_at - 0.001)
        self.assertLess(thawed, thaw_at + PATIENCE)
        self.assertEqual(self.host.call("fs_thaw")["held"], False)
        self.freeze()

    def test_one_mount_alone(self) -> None:
        point = str(self.folder / "first")
        self.assertEqual(self.host.call("fs_freeze", mounts=[point])["mounts"], [point])
        self.host.call("fs_thaw")
        self.assertEqual(self.ioctls(), ["freeze first", "thaw first"])
        self.refused(wire.NOT_FOUND, "fs_freeze", mounts=[point, "/no/such/mount"])

    def test_nothing_that_could_write_begins(self) -> None:
        self.freeze()
        target = str(self.folder / "file")
        self.refused(wire.BUSY, "fs_freeze")
        self.refused(wire.BUSY, "exec_command", argv=["true"])
        self.refused(wire.BUSY, "file_write", path=target, data="QUJD", create=True)
        self.assertIn("boot_id", self.host.call("get_system_info"))
        self.assertNotIn("fs_freeze", self.log(), "the log may be on a frozen disk")
        self.host.call("fs_thaw")
        self.host.call("file_write", path=target, data="QUJD", create=True)
        for line in ("fs_freeze: ok", "file systems are thawed", "exec_command: error"):
            self.assertIn(line, self.log())

    def test_another_host_thaws(self) -> None:
        self.freeze()
        self.host.vanish()
        self.host.hello()
        self.assertEqual(self.host.call("fs_thaw")["held"], True)

    def test_file_system_that_cannot_be_frozen_now(self) -> None:
        (self.folder / "fail").touch()
        self.refused(wire.SYSTEM_ERROR, "fs_freeze")
        (self.folder / "fail").unlink()
        self.freeze()

    def test_agent_that_is_killed(self) -> None:
        self.freeze()
        self.process.kill()
        self.process.wait(PATIENCE)
        self.wait_for(lambda: self.ioctls() == ["freeze second", "thaw second"])

    def end(self) -> None:
        if self.process.poll() != -signal.SIGKILL:
            super().end()

    def test_agent_that_is_stopped(self) -> None:
        self.freeze()
        self.process.terminate()
        self.assertEqual(self.process.wait(PATIENCE), 0)
        self.assertEqual(self.ioctls(), ["freeze second", "thaw second"])

    def test_guard_that_is_killed(self) -> None:
        self.freeze()
        (guard,) = children(self.process.pid)
        os.kill(guard, signal.SIGKILL)
        self.wait_for(lambda: self.ioctls() == ["freeze second", "agent"])
        self.wait_for(lambda: "thawed" in self.log())
        self.assertEqual(self.host.call("fs_thaw")["held"], False)

    def test_wrong_times(self) -> None:
        for seconds in (0, -1, 601, "1", True):
            self.refused(wire.INVALID_PARAMS, "fs_freeze", thaw_after=seconds)
        self.assertEqual(self.ioctls(), [])
