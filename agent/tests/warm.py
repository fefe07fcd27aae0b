# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs for the Python that is kept ready."""

import json
import os
import pathlib
import sys
import textwrap
from typing import Any, List, Tuple

from kvmmanager_agent import execution

from .host import AgentCase

WHERE = "import os; print(os.getpid(), os.getppid())\n"


class WarmCase(AgentCase):
    def serve(self, handle: int, config: str) -> int:
        execution._GRACE = 0.3
        return super().serve(handle, config)

    def setUp(self) -> None:
        super().setUp()
        self.host.hello()

    def begin(self, program: str, argv: str = sys.executable, warm: bool = True, **params: Any) -> str:
        """Start a program; its request."""
        identity = self.host.start("exec", argv=[argv], stdin=True, warm=warm, **params)
        self.host.feed(identity, "stdin", textwrap.dedent(program).encode("utf-8"))
        return identity

    def python(self, program: str, **options: Any) -> Tuple[Any, str, str]:
        """Run a program; its status, and what it wrote."""
        streams = {"stdout": b"", "stderr": b""}
        found = self.host.answer(self.begin(program, **options), streams)
        return found.get("exit", found.get("signal")), streams["stdout"].decode(), streams["stderr"].decode()

    def said(self, program: str, **options: Any) -> Any:
        """The JSON that a program prints."""
        status, stdout, stderr = self.python(program, **options)
        self.assertEqual((status, stderr), (0, ""))
        return json.loads(stdout)

    def next_piece(self) -> bytes:
        """What comes next of a program's output."""
        while True:
            incoming = self.host.next()
            if incoming.message.get("method") == "data" and incoming.payload:
                return bytes(incoming.payload)

    def parent(self, **options: Any) -> int:
        """What a program of ours is the child of: the interpreter that was copied, or the agent."""
        return int(self.python(WHERE, **options)[1].split()[1])

    def answer_among(self, requests: List[str], identity: str) -> Any:
        """The status of one of several; the answers of the others are kept for later."""
        self.kept = getattr(self, "kept", {})
        while identity not in self.kept:
            message = self.host.next().message
            if message.get("id") in requests:
                found = message.get("result", {})
                self.kept[message["id"]] = found.get("exit", found.get("signal"))
        return self.kept[identity]

    def environment(self, first: str = "") -> pathlib.Path:
        """A virtual environment whose Python does ``first``, one line, when it starts."""
        folder = self.folder / "environment"
        packages = folder / "lib" / "python{}.{}".format(*sys.version_info) / "site-packages"
        packages.mkdir(parents=True)
        (packages / "first.pth").write_text(f"import os, sys, time; {first}\n")
        program = os.path.realpath(sys.executable)
        (folder / "pyvenv.cfg").write_text(f"home = {os.path.dirname(program)}\n")
        (folder / "bin").mkdir()
        (folder / "bin" / "python").symlink_to(program)
        return folder
