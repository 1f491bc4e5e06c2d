"""Tests of measured seconds: others use the machine too, and some of them are longer for it."""

import functools


def one_of_three_runs(test):
    """The test has to pass in one of three runs; what makes its measurements has to be a part of it."""

    @functools.wraps(test)
    def tried(*args, **kwargs):
        for _ in range(2):
            try:
                return test(*args, **kwargs)
            except AssertionError as wrong:
                print(f"measured again, since {wrong}")
        return test(*args, **kwargs)

    return tried
