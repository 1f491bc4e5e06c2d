"""`--watch`: a report, made again whenever a file of the user's is saved."""

from __future__ import annotations

import os
import select
import time

from jitinspect.cli.made_in_forks import LOOK, Made, Maker, Stamps, modules_of
from jitinspect.cli.streams import own_stdout
from jitinspect.cli.watch_output import Shown
from jitinspect.cli.work import Work
from jitinspect.errors import JitinspectError, UnavailableError, UsageError
from jitinspect.files.kinds import parts_of
from jitinspect.process.saved_files import SavedFiles, stamp
from jitinspect.targets.modules import source_file


def watched(work: Work, shown: Shown) -> None:
    """Show report after report. Ends by Ctrl-C, when nobody reads stdout any more, and by an error of the
    first run that no save can mend, which is raised.
    """
    reader, files = _Reader(), SavedFiles()
    own = _own_files(work)
    files.read(own)
    saved: tuple[str, ...] = ()
    with Maker(work) as maker:
        while not reader.is_gone():
            began = time.perf_counter()
            made = maker.make(files)
            if not isinstance(made, Made):
                saved = tuple(dict.fromkeys(saved + made))
                continue
            _watch_what_was_read(made, own, files)
            if made.error and not saved and not _may_be_mended(made.error, files):
                raise made.error
            shown.next(made.report, made.error, saved, time.perf_counter() - began)
            if not files.files:
                raise UsageError("nothing to watch: no file of yours was read", hint="leave --watch out")
            shown.watching(files.files)
            maker.prepare(made)
            saved = _next_saved(files, reader)


def _watch_what_was_read(made: Made, own: Stamps, files: SavedFiles) -> None:
    """After an error, which may have come before all were read, those of earlier runs too."""
    files.read(made.stamps)
    if made.error is None:
        files.keep_only({**own, **made.stamps})


def _own_files(work: Work) -> Stamps:
    """Those that are known before anything is read: the modules of the target, or the file that it is; of a
    folder, all that is in it.
    """
    if work.file is not None:
        path = parts_of(work.file)[0].absolute()
        return {str(one): stamp(str(one)) for one in (path, *(path.iterdir() if path.is_dir() else ()))}
    found = filter(None, map(source_file, modules_of(work)))
    return {str(path): stamp(str(path)) for path in (one.absolute() for one in found)}


def _may_be_mended(error: JitinspectError, files: SavedFiles) -> bool:
    """Not a command line that is wrong, nor something that is missing on this machine."""
    return bool(files.files) and not isinstance(error, UsageError | UnavailableError)


def _next_saved(files: SavedFiles, reader: _Reader) -> tuple[str, ...]:
    """Waits. Empty if the reader is gone."""
    while not (saved := files.saved()) and not reader.is_gone():
        time.sleep(LOOK)
    return saved


class _Reader:
    """Whoever reads our stdout, if that is a pipe."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._poll.register(os.dup(own_stdout().fileno()), 0)

    def is_gone(self) -> bool:
        return any(event & select.POLLERR for _, event in self._poll.poll(0))
