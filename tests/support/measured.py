"""Tests of measured seconds: others use the machine too, and some of them are longer for it."""

import functools


def one_of_three_runs(test):
    """The test has to pass in one of three runs; what makes its measurements has to be a part of it.

    What was not measured at all, since another program had the processor, is missing from what was
    measured: looking it up fails as an assertion does.
    """

    @functools.wraps(test)
    def tried(*args, **kwargs):
        for _ in range(2):
            try:
                return test(*args, **kwargs)
            except (AssertionError, LookupError, StopIteration) as wrong:
                print(f"measured again, since {wrong!r}")
        return test(*args, **kwargs)

    return tried
