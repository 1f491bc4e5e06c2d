"""The user's files that a process imports, as they are on the disk at that moment."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from types import CodeType

from jitinspect.process.paths import is_installed
from jitinspect.process.saved_files import Stamp, stamp

OnRead = Callable[[str, "Stamp | None"], None]


def read_from_source(is_users: Callable[[str, str], bool], on_read: OnRead) -> None:
    """From now on, have this process compile the user's modules, known by their name and file, from their
    source, and call `on_read` with each file and its stamp before it is read. To be called once, in a process
    for one piece of work.

    Python takes compiled code for that of a source of the same size and second, and there may be two saves in
    a second. None is written either, which would be wrong then for the user's own programs.
    """
    is_users(__name__, __file__)  # once before, for it imports what it needs to tell
    sys.dont_write_bytecode = True
    cached = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
        file = loader.get_filename(fullname)
        if not is_users(fullname, file):
            return cached(loader, fullname)
        on_read(os.path.abspath(file), stamp(file))
        code: CodeType = loader.source_to_code(loader.get_data(file), file)
        return code

    SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]


def could_be(module: str) -> Iterator[str]:
    """The files in the user's folders by which a module that was not found could come to be."""
    for folder in sys.path:
        if not is_installed(os.path.join(os.path.abspath(folder), "")):
            path = os.path.join(os.path.abspath(folder), *module.split("."))
            yield f"{path}.py"
            yield os.path.join(path, "__init__.py")
