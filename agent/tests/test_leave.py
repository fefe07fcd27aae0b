# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGUSR1: an agent that was upgraded makes room for the new one, but not under the host that upgrades it."""

import signal
import time

from kvmmanager_agent import agent

from .host import PATIENCE, AgentCase, decoded

QUIET = 3  # seconds, instead of the five of which the manual tells


class Leave(AgentCase):
    def serve(self, handle: int, config: str) -> int:
        agent._QUIET = QUIET
        return super().serve(handle, config)

    def test_nobody_is_there(self) -> None:
        self.assertEqual(agent._QUIET, 5)
        self.host.hello()
        self.host.vanish()
        self.wait_for(lambda: "closed the port" in self.log())
        self.process.send_signal(signal.SIGUSR1)
        self.assertEqual(self.process.wait(PATIENCE), 0)

    def test_a_command_that_asks_for_it_is_answered(self) -> None:
        self.host.hello()
        script = f'kill -s USR1 "$PPID"; sleep {QUIET + 0.3}; echo done'
        ended = self.host.call("exec_command", argv=["sh", "-c", script])
        self.assertEqual((ended["exit"], decoded(ended["stdout"])), (0, b"done\n"))
        # More requests of the same session are served: a task of Ansible is several.
        self.assertIn("clock", self.host.call("ping"))
        self.assertIsNone(self.process.poll())
        self.host.vanish()
        self.assertEqual(self.process.wait(PATIENCE), 0)

    def test_a_host_that_stays_and_wants_nothing_is_left(self) -> None:
        self.host.hello()
        begin = time.monotonic()
        self.process.send_signal(signal.SIGUSR1)
        self.assertEqual(self.process.wait(PATIENCE), 0)
        self.assertGreater(time.monotonic() - begin, QUIET * 0.9)
        self.assertIn("the agent stops", self.log())
