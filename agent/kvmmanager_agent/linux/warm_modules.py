# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules that programs bring along as source in a zip file, as those of Ansible do: their code is kept."""

import _imp
import contextlib
import os
import types
import zipimport
from typing import Any, Dict, List, Optional, Tuple

_MOST_SOURCE = 4 * 1024 * 1024  # bytes of source whose code is kept, which takes about five times as much


class Codes:
    """The code of modules.

    It is kept beside the source that it was compiled from, and compiled here, not by the programs: so none of them can
    change what another one runs.
    """

    def __init__(self) -> None:
        self.missed: List[Tuple[str, bytes]] = []
        self._known: Dict[Tuple[str, bytes], types.CodeType] = {}
        self._size = 0

    def find(self, name: str, source: bytes) -> Optional[types.CodeType]:
        """The code of a module; one that is not known is noted."""
        found = self._known.get((name, source))
        if found is None:
            self.missed.append((name, source))
        return found

    def learn(self) -> None:
        """Compile one of the modules that were missed."""
        name, source = self.missed.pop()
        if (name, source) in self._known:
            return
        if self._size + len(source) > _MOST_SOURCE:
            self._known.clear()
            self._size = 0
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            self._known[name, source] = compile(source, name, "exec", dont_inherit=True)
            self._size += len(source)


CODES = Codes()


class Importer(zipimport.zipimporter):
    """Imports from a zip file, without compiling what is known already.

    Before Python 3.10 nothing here is called by an import, and it is no more than its base class.
    """

    def get_filename(self, fullname: str) -> str:
        """The path of a module. The base class compiles the module for it."""
        path = self._path(fullname)
        return str(super().get_filename(fullname)) if self._source(path) is None else path

    def get_code(self, fullname: str) -> Any:
        """The code of a module."""
        path = self._path(fullname)
        source = self._source(path)
        known = None if source is None else CODES.find(path[len(self.archive) + 1 :], source)
        if known is None:
            return super().get_code(fullname)
        # It was compiled without the archive, which is another one each time. Ansible looks at these names.
        _imp._fix_co_filename(known, path)  # type: ignore[attr-defined]
        return known

    def _path(self, fullname: str) -> str:
        """What would be the path of a module's source."""
        end = "/__init__.py" if self.is_package(fullname) else ".py"
        return os.path.join(self.archive, self.prefix + fullname.rpartition(".")[2] + end)

    def _source(self, path: str) -> Optional[bytes]:
        with contextlib.suppress(OSError):
            return self.get_data(path)
        return None
