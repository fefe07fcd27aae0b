# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs in copies of a Python that has started already: they must not notice, nor each other."""

import os
import pathlib
import subprocess
import sys
import time
import zipfile
from typing import Dict, List

from kvmmanager_agent import wire

from .host import PATIENCE, RemoteError
from .test_exec import children
from .warm import WHERE, WarmCase


class Programs(WarmCase):
    def test_copies_of_one_interpreter(self) -> None:
        first, second = (self.python(WHERE)[1].split() for _time in range(2))
        self.assertNotEqual(first[0], second[0])
        self.assertEqual(first[1], second[1])
        self.assertIn(int(first[1]), children(self.process.pid))

    def test_it_is_as_a_python_of_its_own(self) -> None:
        program = """
            import json, os, random, signal, sys
            print(json.dumps({
                "name": __name__, "main": sys.modules["__main__"].__dict__ is globals(), "argv": sys.argv,
                "called": getattr(sys, "orig_argv", []),
                "path": sys.path, "environment": dict(os.environ), "folder": os.getcwd(), "stdin": sys.stdin.read(),
                "encodings": [sys.stdout.encoding, sys.getfilesystemencoding()], "flags": list(sys.flags),
                "descriptors": [fd for fd in range(3, 64) if os.path.exists("/proc/self/fd/%d" % fd)
                                and os.get_inheritable(fd)],
                "seekable": [stream.seekable() for stream in (sys.stdin, sys.stdout, sys.stderr)],
                "globals": repr([__builtins__, __loader__, __spec__]),
                "leads": os.getsid(0) == os.getpgid(0) == os.getpid(), "file": "__file__" in globals(),
                "signals": [repr(signal.getsignal(number)) for number in range(1, 32)], "names": sorted(globals()),
            }))
        """
        warm, usual = (self.said(program, warm=warm, cwd="/usr") for warm in (True, False))
        self.assertEqual(warm, usual)

    def test_ends(self) -> None:
        ends = {
            "pass": (0, ""),
            "import sys; sys.exit()": (0, ""),
            "import sys; sys.exit(3)": (3, ""),
            "import sys; sys.exit(-1)": (255, ""),
            "import sys; sys.exit('sorry')": (1, "sorry\n"),
            "raise SystemExit": (0, ""),
            "import os; os._exit(7)": (7, ""),
            "import os; os.kill(os.getpid(), 9)": ("KILL", ""),
            "import os; os.close(1); print('lost')": (120, None),
        }
        for program, (status, stderr) in ends.items():
            for warm in (True, False):
                found = self.python(program, warm=warm)
                self.assertEqual(found[0], status, program)
                if stderr is not None:
                    self.assertEqual(found[1:], ("", stderr), program)

    def test_uncommon_ends(self) -> None:
        programs = [
            "raise KeyboardInterrupt",
            "import os; os.kill(os.getpid(), 2)",
            "import atexit; atexit.register(exit, 5); print('printed')",
            "import sys; sys.excepthook = lambda *error: sys.exit(5); print('printed'); 1 / 0",
            "import sys; sys.excepthook = None; print('printed'); 1 / 0",
            "import sys; sys.stderr = None; sys.exit('sorry')",
            "import sys; print('printed'); sys.stdout.close()",
            "import io, sys; print('printed'); sys.stdout = io.StringIO(); print('kept')",
            "import ctypes; ctypes.CDLL(None).printf(b'printed')",
        ]
        for program in programs:
            warm, usual = (self.python(program, warm=warm)[:2] for warm in (True, False))
            self.assertEqual(warm, usual, program)

    def test_what_was_left_open_is_closed_in_the_end(self) -> None:
        written = self.folder / "written"
        program = f"""
            import tempfile

            class Cleaning:
                def __del__(self):
                    print("cleaned")

            left = open({str(written)!r}, "w")
            left.write("all of it")
            scratch = tempfile.NamedTemporaryFile(dir={str(self.folder)!r}, prefix="scratch")
            first, second = Cleaning(), Cleaning()
            first.other, second.other = second, first
        """
        self.assertEqual(self.python(program), (0, "cleaned\n" * 2, ""))
        self.assertEqual(written.read_text(), "all of it")
        self.assertEqual(list(self.folder.glob("scratch*")), [])

    def test_errors_are_shown_as_python_shows_them(self) -> None:
        for program in ("def f():\n    1 / 0\nf()\n", "if\n", "import sys\nsys.excepthook = print\nundefined\n"):
            warm, usual = (self.python(program, warm=warm) for warm in (True, False))
            self.assertEqual(warm[0], usual[0])
            # Of a program from its stdin Python has the lines since 3.13.
            self.assertEqual(_without_source(warm[2]), _without_source(usual[2]))

    def test_what_was_left_for_the_end_is_done(self) -> None:
        program = """
            import atexit, concurrent.futures, sys, threading, time
            atexit.register(print, "registered")
            threading.Thread(target=lambda: time.sleep(0.2) or print("thread")).start()
            concurrent.futures.ThreadPoolExecutor().submit(print, "pool")
            sys.stdout.write("no end of line ")
            sys.exit(4)
        """
        status, stdout, stderr = self.python(program)
        self.assertEqual((status, stderr), (4, ""))
        self.assertEqual(sorted(stdout.split()), sorted(["no", "end", "of", "line", "thread", "pool", "registered"]))

    def test_a_time_zone_that_has_changed(self) -> None:
        # What a new /etc/localtime is to it takes more to try.
        change = "import os, time; from kvmmanager_agent.linux import warm_program; os.environ['TZ'] = 'XYZ-5'"
        program = "import time; print(time.tzname[0], time.localtime().tm_gmtoff)"
        command = [sys.executable, "-c", f"{change}; os._exit(warm_program.run(b{program!r}))"]
        env = dict(os.environ, TZ="UTC", PYTHONPATH=os.pathsep.join(sys.path))
        self.assertEqual(subprocess.check_output(command, env=env), b"XYZ 18000\n")

    def test_nothing_of_one_is_seen_by_the_next(self) -> None:
        program = """
            import builtins, json, os, random, sys
            print(json.dumps([hasattr(builtins, "left"), "LEFT" in os.environ, "left" in sys.modules, random.random()]))
            builtins.left = os.environ["LEFT"] = sys.modules["left"] = "x"
            os.chdir("/proc")
        """
        first, second = (self.said(program) for _time in range(2))
        self.assertEqual((first[:3], second[:3]), ([False] * 3, [False] * 3))
        self.assertNotEqual(first[3], second[3])

    def test_much_output_and_a_slow_end(self) -> None:
        streams: Dict[str, bytes] = {}
        identity = self.begin("import sys, time; sys.stdout.write('x' * 3000000); sys.stdout.flush(); time.sleep(0.3)")
        found = self.host.answer(identity, streams)
        self.assertEqual((len(streams["stdout"]), found["stdout_bytes"], found["exit"]), (3000000, 3000000, 0))

    def test_several_at_a_time(self) -> None:
        requests = [self.begin(f"import time; time.sleep(0.3); print({number})") for number in range(4)]
        for identity in reversed(requests):
            self.assertEqual(self.answer_among(requests, identity), 0)

    def test_time_and_signals_end_them(self) -> None:
        self.parent()
        with self.assertRaises(RemoteError) as raised:
            self.python("import time; time.sleep(60)", timeout=0.3)
        self.assertEqual(raised.exception.code, wire.TIMED_OUT)
        identity = self.begin("import time; print(1, flush=True); time.sleep(60)")
        self.next_piece()
        self.host.call("exec_signal", of=identity, signal="TERM")
        self.assertEqual(self.host.answer(identity, {})["signal"], "TERM")

    def test_nothing_is_left_of_many(self) -> None:
        self.parent()
        before = self.descriptors()
        for _time in range(40):
            self.python("pass")
        interpreter = self.parent()
        self.assertEqual(self.descriptors(), before)
        self.wait_for(lambda: not children(interpreter))

    def test_it_may_close_all_descriptors(self) -> None:
        interpreter = self.parent()
        for program in ("os.closerange(3, 64); time.sleep(1)", "os.execv('/bin/sleep', ['sleep', '1'])"):
            before = seconds_of(interpreter)
            self.assertEqual(self.python("import os, time; " + program)[0], 0)
            self.assertLess(seconds_of(interpreter) - before, 0.3, "it waits for the end without a pause")

    def test_of_a_host_that_vanishes(self) -> None:
        pid = int(self.python(WHERE)[1].split()[1])
        self.begin("import time; time.sleep(60)")
        self.wait_for(lambda: children(pid))
        self.host.vanish()
        self.wait_for(lambda: not children(pid))


class Codes(WarmCase):
    def test_what_a_program_brings_is_compiled_once(self) -> None:
        program = """
            import io, json, os, sys, tempfile, zipfile
            folder = tempfile.mkdtemp()
            place = os.path.join(folder, "brought.zip")
            with zipfile.ZipFile(place, "w") as brought:
                brought.writestr("package/__init__.py", "")
                brought.writestr("package/module.py", "def f():\\n return lambda: 1 / 0\\n")
                brought.writestr("alone.py", "VALUE = %r\\n")
                brought.writestr("old.py", b"# -*- coding: latin-1 -*-\\nVALUE = '\\xfc'\\n")
            sys.path.insert(0, place)
            import alone, old
            from package import module
            os.unlink(place)
            os.rmdir(folder)
            names = {module.__file__, module.f.__code__.co_filename, module.f().__code__.co_filename}
            missed = sys.modules["kvmmanager_agent.linux.warm_modules"].CODES.missed
            print(json.dumps([alone.VALUE, old.VALUE, names == {place + "/package/module.py"}, module.__package__,
                              [name for name, _source in missed]]))
        """
        self.assertEqual(self.said(program % "one")[:4], ["one", "\xfc", True, "package"])
        # It is compiled when there is nothing else to do. Older Pythons cannot be told what is known.
        known = sys.version_info >= (3, 10)
        end = time.monotonic() + PATIENCE
        while known and self.said(program % "one")[4] and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.said(program % "one"), ["one", "\xfc", True, "package", []])
        # The name alone does not make it the same.
        self.assertEqual(self.said(program % "two"), ["two", "\xfc", True, "package", ["alone.py"] if known else []])

    def test_what_it_has_to_compile_is_told_nobody_else(self) -> None:
        place, file = self.folder / "brought.zip", self.folder / "file"
        with zipfile.ZipFile(str(place), "w") as brought:
            brought.writestr("alone.py", "")
        program = f"""
            import os, sys
            sys.path.insert(0, {str(place)!r})
            import alone
            os.closerange(3, 64)
            files = [os.open({str(file)!r}, os.O_WRONLY | os.O_CREAT) for _number in range(32)]
        """
        self.assertEqual(self.python(program), (0, "", ""))
        self.assertEqual(file.read_text(), "")


def _without_source(shown: str) -> List[str]:
    return [line for line in shown.splitlines() if not line.startswith("    ")]


def seconds_of(pid: int) -> float:
    """How long a process has worked."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
