"""A program that is watched as a whole, and told of in parts, such as the cells of a notebook."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from jitinspect.jaxapi.calls.counting import Counts, counting_named
from jitinspect.model.runs import RunReport
from jitinspect.programs.slow_calls import SlowCallRecorder
from jitinspect.programs.summary import Summary
from jitinspect.programs.watch import Watch


class WatchedParts(Watch):
    """`with watch:` around all of it. What is compiled in a part is compared with all that came before, in
    whatever part. Only within a part are calls counted, so that calls elsewhere cost nothing.
    """

    def __init__(self, since: str = "") -> None:
        super().__init__(since=since)
        self._part = ExitStack()
        self._began = 0.0

    def __exit__(self, *exception: Any) -> None:
        self._part.close()
        super().__exit__(*exception)

    def begin(self, namespaces: Sequence[MutableMapping[str, Any]]) -> None:
        """A part begins. In it are counted the calls of jits that are made in it, or have a name in one of
        the namespaces.
        """
        self.summary, self._hits = Summary(), True
        self._counts, self._slow, self._part = Counts(), SlowCallRecorder(), ExitStack()
        self._part.enter_context(self._slow)
        self._part.enter_context(counting_named(namespaces, self._counts, self._slow))
        self._began = self.watcher.now

    def end(self, name: str) -> RunReport:
        """It has ended, perhaps by an exception: what JAX did in it."""
        self._wall = self.watcher.now - self._began
        self._part.close()
        self.watcher.finish()
        self.watcher.fault = self.watcher.fault or self._slow.fault
        return replace(self.report(name), command="compiles")
