"""`profile`: where the time of what runs inside a `with` goes."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from jitinspect.model.program_profiles import ProgramProfile
from jitinspect.model.runs import RunReport
from jitinspect.programs.watch import Watch
from jitinspect.readings.profiling.whole_program import ProgramRecorder
from jitinspect.render.json import to_json
from jitinspect.render.text import Painter


class Profiling:
    """What `with jitinspect.profile() as p:` gives: once the `with` has ended, where the time in it went.

    Prints as `jitinspect run --profile` tells it, and shows itself in a notebook.
    """

    def __init__(self) -> None:
        self._recorder = ProgramRecorder()
        self._watch = Watch()

    def __enter__(self) -> Profiling:
        self._watch.__enter__()
        try:
            self._recorder.start()
        except BaseException:
            self._watch.__exit__()
            raise
        return self

    def __exit__(self, *exception: Any) -> None:
        self._recorder.stop()
        self._watch.__exit__(*exception)

    @cached_property
    def report(self) -> RunReport:
        """What was compiled, and as its `profile` what ran. Raises RuntimeError inside the `with`."""
        if not self._recorder.has_ended:
            raise RuntimeError("the time is told once the with block has ended")
        if self._recorder.failure is not None:
            raise RuntimeError("nothing more was recorded") from self._recorder.failure
        report = replace(self._watch.report(""), command="watch")
        return self._recorder.added_to(report)

    @property
    def profile(self) -> ProgramProfile:
        """The seconds by function, line, loop and operation."""
        assert self.report.profile is not None
        return self.report.profile

    def to_json(self) -> str:
        """The document that `jitinspect run --profile --json` prints."""
        return to_json(self.report)

    def __repr__(self) -> str:
        from jitinspect.render import program_profile

        if not self._recorder.has_ended:
            return "<a profile that has not ended>"
        return "".join(program_profile.render(self.profile, Painter(False), width=120)).rstrip("\n")

    def _repr_html_(self) -> str:
        from jitinspect.render import fragments

        return fragments.of_run(self.report)


def profile() -> Profiling:
    """A context manager: measures what jitted functions run inside, by function and by Python line.

    Wait for results inside, with `jax.block_until_ready`: what still runs at its end is not measured. A
    profile that is made inside with `jax.profiler` is as it would be alone, and not measured. Raises
    `jitinspect.errors.UnavailableError` where another profile is under way.

    >>> with jitinspect.profile() as p:  # doctest: +SKIP
    ...     jax.block_until_ready(train())
    >>> print(p)  # doctest: +SKIP
    >>> p.profile.by_line[0]  # doctest: +SKIP
    """
    return Profiling()
