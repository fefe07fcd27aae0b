# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of a Python that is kept ready: when it begins, what it survives, and what ends it."""

import contextlib
import os
import pathlib
import resource
import signal
import subprocess
import sys
import textwrap
import time
import zipfile

from kvmmanager_agent import pythons, wire
from kvmmanager_agent.linux import warm_python

from .host import FULL, RemoteError
from .test_exec import children
from .warm import WarmCase


class Lives(WarmCase):
    def test_another_program_than_python_runs_as_usual(self) -> None:
        self.assertEqual(self.python("some text\n", argv="/bin/cat"), (0, "some text\n", ""))
        self.assertEqual(self.python("exit 3\n", argv="/bin/sh"), (3, "", ""))

    def test_a_folder_that_is_not_there(self) -> None:
        with self.assertRaises(RemoteError) as raised:
            self.python("print(1)", cwd="/nonexistent")
        self.assertEqual(raised.exception.code, wire.NOT_FOUND)
        self.assertEqual(self.python("print(1)")[:2], (0, "1\n"))

    def test_what_python_is_told_when_it_starts_makes_it_start(self) -> None:
        warm = self.parent()
        self.assertNotEqual(warm, self.process.pid)
        self.assertEqual(self.parent(warm=False), self.process.pid)
        self.assertEqual(self.parent(env={"X": "y"}), self.process.pid)

    def test_an_interpreter_that_is_killed(self) -> None:
        first = self.parent()
        identity = self.begin("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
        pid = int(self.next_piece())
        os.kill(first, signal.SIGKILL)
        self.assertEqual(self.host.answer(identity, {})["signal"], "KILL")
        self.wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists())
        self.assertNotIn(self.parent(), (first, self.process.pid))

    def test_it_is_what_was_called(self) -> None:
        folder = self.environment("os.environ['FIRST'] = 'x'")
        (self.folder / "now").symlink_to(folder)
        program = "import json, os, sys; print(json.dumps([sys.executable, sys.prefix, sys.path, dict(os.environ)]))"
        python = str(self.folder / "now" / "bin" / "python")
        warm, usual = (self.said(program, argv=python, warm=warm) for warm in (True, False))
        self.assertEqual(warm, usual)
        self.assertEqual((warm[0], warm[3]["FIRST"]), (python, "x"))
        self.assertNotEqual(self.parent(argv=python), self.process.pid)

    def test_a_script_may_start_another_one_each_time(self) -> None:
        script = self.folder / "python"
        script.write_text(f'#!/bin/sh\nCHOSEN=$(cat {self.folder}/chosen) exec {sys.executable} "$@"\n')
        script.chmod(0o755)
        for chosen in ("one", "other"):
            (self.folder / "chosen").write_text(chosen)
            program = "import os; print(os.environ['CHOSEN'])"
            self.assertEqual(self.python(program, argv=str(script)), (0, chosen + "\n", ""))

    def test_an_agent_without_descriptors(self) -> None:
        self.parent()
        before = self.descriptors()
        usual = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        for most in range(before, before + 16):
            resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (most, usual[1]))
            with contextlib.suppress(RemoteError):
                self.python("pass")
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, usual)
        self.parent()
        self.assertEqual(self.descriptors(), before)

    def test_another_interpreter_takes_its_place(self) -> None:
        link = self.folder / "python"
        link.symlink_to(sys.executable)
        first = self.parent()
        second = self.parent(argv=str(link))
        self.assertNotIn(second, (first, self.process.pid))
        self.wait_for(lambda: children(self.process.pid) == [second])

    def test_python_that_has_changed(self) -> None:
        folder = self.environment()
        python = str(folder / "bin" / "python")
        first = self.parent(argv=python)
        self.assertEqual(self.parent(argv=python), first)
        (packages,) = folder.glob("lib/*/site-packages")
        (packages / "news.py").write_text("VALUE = 5\n")
        self.assertEqual(self.python("import news; print(news.VALUE)", argv=python)[:2], (0, "5\n"))
        self.assertNotIn(self.parent(argv=python), (first, self.process.pid))

    def test_python_that_has_changed_while_several_begin(self) -> None:
        folder = self.environment()
        python = str(folder / "bin" / "python")
        interpreter = self.parent(argv=python)
        self.begin("import time; time.sleep(60)", argv=python)
        self.wait_for(lambda: children(interpreter))
        (folder / "lib" / "news").mkdir()
        (folder / "lib" / "news").rename(next(folder.glob("lib/*/site-packages")) / "news")
        os.kill(interpreter, signal.SIGSTOP)
        requests = [self.begin("pass", argv=python) for _time in range(4)]
        time.sleep(0.5)  # until all of them have asked it
        begin = time.monotonic()
        os.kill(interpreter, signal.SIGCONT)
        self.assertEqual([self.answer_among(requests, identity) for identity in requests], [0] * 4)
        self.assertLess(time.monotonic() - begin, pythons._PATIENCE, "not even one of them has waited for it in vain")

    def test_an_interpreter_without_descriptors(self) -> None:
        interpreter = self.parent()
        enough = self.folder / "enough"
        waits = f"import os, time\nprint(1, flush=True)\nwhile not os.path.exists({str(enough)!r}): time.sleep(0.01)"
        request = self.begin(waits)
        self.next_piece()
        most = len(os.listdir(f"/proc/{interpreter}/fd"))
        resource.prlimit(interpreter, resource.RLIMIT_NOFILE, (most, most))
        self.assertNotEqual(self.parent(), interpreter)
        enough.touch()
        self.assertEqual(self.answer_among([request], request), 0)

    def test_a_folder_of_modules_that_comes_later(self) -> None:
        folder = self.environment()
        python = str(folder / "bin" / "python")
        (packages,) = folder.glob("lib/*/site-packages")
        packages.rename(self.folder / "later")
        (self.folder / "later" / "news.py").write_text("VALUE = 5\n")
        self.assertNotEqual(self.parent(argv=python), self.process.pid)
        (self.folder / "later").rename(packages)
        self.assertEqual(self.python("import news; print(news.VALUE)", argv=python)[:2], (0, "5\n"))

    def test_a_library_that_has_changed(self) -> None:
        library = self.folder / "library"
        library.write_text("old")
        load = f"import mmap; sys.kept = mmap.mmap(os.open({str(library)!r}, 0), 0, access=mmap.ACCESS_READ)"
        python = str(self.environment(load) / "bin" / "python")
        first = self.parent(argv=python)
        self.assertEqual(self.parent(argv=python), first)
        (self.folder / "new").write_text("new")
        (self.folder / "new").rename(library)
        self.assertNotIn(self.parent(argv=python), (first, self.process.pid))

    def test_an_agent_in_one_file(self) -> None:
        package = pathlib.Path(pythons.__file__).parent
        agent = self.folder / "agent.pyz"
        with zipfile.ZipFile(str(agent), "w") as packed:
            for source in package.rglob("*.py"):
                packed.write(str(source), str(source.relative_to(package.parent)))
        program = """
            import sys
            from kvmmanager_agent.pythons import PYTHONS, Program
            copied = PYTHONS.start(Program(sys.executable, sys.executable, {}), "/", 5)
            copied.stdin.write(b"print(5)")
            copied.stdin.close()
            print(copied.stdout.read())
        """
        command = [sys.executable, "-c", textwrap.dedent(program)]
        found = subprocess.check_output(command, cwd=str(self.folder), env={"PYTHONPATH": str(agent)})
        self.assertEqual(found, b"b'5\\n'\n")

    def test_a_policy_for_ciphers(self) -> None:
        # Tests cannot change it; others show what becomes of what has changed.
        self.assertLessEqual({"/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf"}, set(warm_python._places()))

    def test_it_ends_with_the_agent(self) -> None:
        pid = self.parent()
        self.process.kill()
        self.process.wait(30)
        self.wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists())
        self.start()
        self.host.hello()


class ShortLife(WarmCase):
    config = dict(FULL, limits={"warm_python": 3})

    def test_it_ends_when_it_is_not_used(self) -> None:
        pid = self.parent()
        self.assertNotEqual(pid, self.process.pid)
        self.wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists())
        self.assertNotIn(self.parent(), (pid, self.process.pid))

    def test_the_time_begins_with_the_end_of_a_program(self) -> None:
        pid = self.parent()
        self.python("import time; time.sleep(3.5)")
        self.assertEqual(self.parent(), pid)


class NoLife(WarmCase):
    config = dict(FULL, limits={"warm_python": 0})

    def test_none_is_kept(self) -> None:
        self.assertEqual(self.parent(), self.process.pid)


class Hanging(WarmCase):
    def serve(self, handle: int, config: str) -> int:
        pythons._PATIENCE = 1
        return super().serve(handle, config)

    def setUp(self) -> None:
        super().setUp()
        # It starts slowly when it is to be kept, and at once when it is not.
        folder = self.environment("b'-c' in open('/proc/self/cmdline', 'rb').read().split(b'\\0') and time.sleep(60)")
        self.hanging = str(folder / "bin" / "python")

    def test_an_interpreter_that_hangs_is_done_without(self) -> None:
        self.assertEqual(self.parent(argv=self.hanging), self.process.pid)
        self.wait_for(lambda: not children(self.process.pid))

    def test_another_one_is_let_alone(self) -> None:
        requests = [self.begin("pass", argv=self.hanging)]
        self.wait_for(lambda: children(self.process.pid))
        requests.append(self.begin("import time; time.sleep(2.5)"))
        self.assertEqual([self.answer_among(requests, identity) for identity in requests], [0, 0])
