"""Tests of measured seconds: others use the machine too, and some of them are longer for it."""

import functools
import re
import time
from collections.abc import Iterator
from pathlib import Path

DISTURBED = 0.1
"""A measurement does not count if for this part of its time, or more, something waited for a processor."""
UPDATED = 2.1
"""Seconds after which the kernel has surely added up how long there was waiting."""
_PRESSURE = Path("/proc/pressure/cpu")


def one_of_three_runs(test):
    """The test has to pass in one of three runs, besides those during which the machine was busy; what makes
    its measurements has to be a part of it.

    What was not measured at all, since another program had the processor, is missing from what was
    measured, and what took longer may be too much of it: to look it up, or to unpack the one that there
    should be, fails as an assertion does.
    """

    @functools.wraps(test)
    def tried(*args, **kwargs):
        failure = None
        for _ in tries(3):
            try:
                return test(*args, **kwargs)
            except (AssertionError, LookupError, StopIteration, ValueError) as wrong:
                failure = wrong
                print(f"measured again, since {wrong!r}")
        raise failure

    return tried


def tries(count: int) -> Iterator[None]:
    """So many, and up to three more for each while the machine is busy; whoever has a good one ends them."""
    counted = 0
    for _ in range(4 * count):
        began, waited = time.monotonic(), seconds_of_waiting()
        yield
        time.sleep(UPDATED)
        was_busy = seconds_of_waiting() - waited > DISTURBED * (time.monotonic() - began)
        counted += not was_busy
        if counted == count:
            return


def seconds_of_waiting() -> float:
    """For which, since it started, something on this machine could have run, but had no processor; 0 where
    the kernel does not tell.
    """
    told = _PRESSURE.read_text() if _PRESSURE.exists() else ""
    return sum(int(number) for number in re.findall(r"^some .*total=(\d+)", told)) / 1e6
