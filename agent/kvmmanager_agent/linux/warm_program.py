# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program in a copy of an interpreter that has started already: it runs and ends as if Python ran nothing else."""

import atexit
import builtins
import contextlib
import gc
import importlib
import importlib.machinery
import os
import random
import signal
import sys
import threading
import time
import types
from typing import Any, Set

from .warm_modules import CODES, Importer


def run(text: bytes) -> int:
    """Run a program as ``python3`` does that reads it from its stdin; its exit status, or less than 0 for a signal."""
    time.tzset()  # it may be another one than when this Python began
    random.seed()  # before Python 3.7 all copies would go on alike
    importlib.invalidate_caches()
    sys.path_hooks.insert(0, Importer)
    sys.argv = [""]
    if hasattr(sys, "orig_argv"):
        del sys.orig_argv[1:]  # what starts an interpreter that is kept
    CODES.missed.clear()
    loaded = set(sys.modules) - {"__main__"}
    status = 0
    try:
        _execute(text)
    except BaseException as error:
        status = _ended_by(error)
    lost = _finish(loaded)
    return 120 if lost and status >= 0 else status


def _execute(text: bytes) -> None:
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__dict__.update(__file__="<stdin>", __cached__=None, __annotations__={})
    main.__dict__.update(__builtins__=builtins, __loader__=importlib.machinery.BuiltinImporter)
    exec(compile(text, "<stdin>", "exec", dont_inherit=True), main.__dict__)


def _ended_by(error: BaseException) -> int:
    """Show what ended a program; its exit status."""
    if isinstance(error, SystemExit):
        return _status_of(error.code)
    # From the program's own line on, as Python shows it: after those of `run` and `_execute`.
    trace = error.__traceback__ and error.__traceback__.tb_next
    trace = trace and trace.tb_next
    error = error.with_traceback(trace)
    try:
        sys.excepthook(type(error), error, trace)
    except SystemExit as end:
        return _status_of(end.code)
    except BaseException:
        sys.__excepthook__(type(error), error, trace)
    interrupted = isinstance(error, KeyboardInterrupt) and sys.version_info >= (3, 8)
    return -signal.SIGINT if interrupted else 1


def _status_of(code: Any) -> int:
    """What Python makes of the argument of ``sys.exit``."""
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    _say(code)
    return 1


def _say(what: Any) -> None:
    with contextlib.suppress(Exception):
        print(what, file=sys.stderr or sys.__stderr__)


def _finish(loaded: Set[str]) -> bool:
    """Do what a Python that ends does, but for taking apart what was loaded before; whether output was lost.

    What is called first is what `multiprocessing` calls in its copies.
    """
    for end in (threading._shutdown, atexit._run_exitfuncs):  # type: ignore[attr-defined]
        with contextlib.suppress(BaseException):  # which has been shown
            end()
    lost = _flush()
    # What the program has left open is written and closed only now, and its temporary files go. The first collection
    # puts what contains before what is contained: else a file would be closed before the text that waits for it.
    gc.collect(0)
    for name in set(sys.modules) - loaded:
        sys.modules.pop(name, None)
    gc.collect()
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    return _flush() or lost


def _flush() -> bool:
    """Write what was printed; whether it was lost."""
    lost = False
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not getattr(stream, "closed", False):
                stream.flush()
        except Exception:
            lost = True
    return lost


def leave(status: int) -> None:
    """End as C programs do: what libraries have printed by themselves is written, too."""
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.PyDLL(None).exit(status)
    os._exit(status)
