"""The search for the largest size: right whatever memory does, and few compilations where it is affine."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.readings.largest_fit import Trial, largest_fit, most_trials

GIB = 2**30
LIMIT = 16 * GIB
SIZES = range(1, 4097)


class Memory:
    """Stands for the compiler: counts what it compiles, and never compiles anything twice."""

    def __init__(self, needed, limit=LIMIT):
        self.needed, self.limit, self.sizes = needed, limit, []

    def fits(self, size):
        return self.needed(size) <= self.limit

    def __call__(self, size):
        assert size not in self.sizes
        self.sizes.append(size)
        return Trial(self.fits(size), self.needed(size), self.limit)


def searched(needed, sizes=SIZES, limit=LIMIT):
    """The result, after a check that its two ends were really compiled."""
    memory = Memory(needed, limit)
    found = largest_fit(sizes, memory)
    assert list(found.trials) == memory.sizes and len(memory.sizes) <= most_trials(sizes)
    assert all(size in sizes for size in memory.sizes)
    if found.largest is None:
        assert found.refused == sizes[0] and not memory.fits(sizes[0])
        return found
    assert found.trials[found.largest].fits
    if found.refused is None:
        assert found.largest == sizes[-1]
    else:
        assert found.refused == found.largest + sizes.step and not found.trials[found.refused].fits
    return found


affine = st.tuples(st.integers(0, LIMIT), st.integers(1, LIMIT // 16))


@given(affine)
def test_an_affine_function_takes_few_compilations(drawn):
    constant, slope = drawn
    found = searched(lambda size: constant + slope * size)
    best = min((LIMIT - constant) // slope, 4096)
    assert found.largest == (best if best >= 1 else None)
    assert len(found.trials) <= 9


@given(affine, st.sampled_from([8, 16, 128]))
def test_padding_to_tiles(drawn, tile):
    """Memory grows in steps: the last size of a step fits, the first of the next one does not."""
    constant, slope = drawn
    found = searched(lambda size: constant + slope * math.ceil(size / tile) * tile)
    assert found.largest is None or found.largest == 4096 or found.largest % tile == 0


@given(affine, st.floats(0.3, 0.95))
def test_rematerialization_lets_more_fit(drawn, saved):
    """What would not fit is made smaller, to just below the limit while that is possible."""
    constant, slope = drawn

    def needed(size):
        plain, least = constant + slope * size, constant + int(saved * slope * size)
        return plain if plain <= LIMIT else max(LIMIT - size, least)

    searched(needed)


@given(st.integers(0, LIMIT // 2), st.integers(1, 2000))
def test_attention_grows_by_the_square(constant, slope):
    found = searched(lambda size: constant + slope * 1024 * size**2)
    best = math.isqrt((LIMIT - constant) // (slope * 1024))
    assert found.largest == (min(best, 4096) or None)
    assert len(found.trials) <= 9


def test_what_was_measured_of_a_stack_of_layers():
    """With libtpu 0.0.50.1: up to 107,000 rows plainly, then rematerialized, at first not evenly."""

    def needed(rows):
        if rows <= 107_000:
            return 1_075_000_000 + rows * 147_460
        return 15_154_900_000 if rows < 110_000 else 14_492_300_000 + (rows - 136_504) * 98_310

    found = searched(needed, range(1, 1_000_001), limit=16_907_239_424)
    assert found.largest == 161_068 and len(found.trials) <= 9


def test_what_was_measured_where_memory_jumps():
    """With libtpu 0.0.50.1: wider layers, whose temporaries fit side by side up to 2048, in MiB."""

    def needed(size):
        if size <= 2048:
            return 8197 + (size - 1) * 4 if size <= 1400 else 14195 + (size - 2001) * 3
        return 16388 + (size - 2049) * 4

    found = searched(needed, limit=16124)
    assert found.largest == 2048 and len(found.trials) <= 10


def test_what_was_measured_of_attention():
    """With libtpu 0.0.50.1: the square of a length, at the end rematerialized; after 128 * 43 a copy more."""

    def needed(length):
        square = 0.094 + length * 0.0002 + 9.95 * (length / 4618) ** 2
        if length <= 5504:
            return int(GIB * min(square, max(14.9, 14.9 + (length - 5399) * 0.0012)))
        return int(GIB * (22.811 + (length - 5505) * (0.0065 if length < 5718 else 0.0099)))

    found = searched(needed, range(1, 16_385), limit=16_907_239_424)
    assert found.largest == 5504 and len(found.trials) <= 12


def test_what_fits_may_need_more_than_the_limit_that_is_known():
    """Such as a limit that is known to a few MB only."""
    found = largest_fit(SIZES, lambda size: Trial(size <= 1003, size, 1000))
    assert (found.largest, found.refused) == (1003, 1004) and len(found.trials) <= 9


@given(st.lists(st.integers(0, 200), min_size=1, max_size=300), st.integers(0, 1000))
def test_any_function_at_all(values, first):
    """Not monotone: the answer fits, and the next size does not."""
    sizes = range(first, first + len(values))
    searched(lambda size: values[size - first], sizes, limit=100)


@given(st.integers(0, 4096))
def test_a_function_that_tells_nothing_is_bisected(last):
    found = searched(lambda size: LIMIT if size <= last else LIMIT + 1)
    assert found.largest == (last or None)


@pytest.mark.parametrize(
    ("sizes", "largest", "trials"),
    [(range(5, 6), 5, 1), (range(0, 3), 2, 3), (range(200, 300), None, 1), (range(90, 400), 100, 4)],
)
def test_ends_of_the_range(sizes, largest, trials):
    found = searched(lambda size: size, sizes, limit=100)
    assert found.largest == largest and len(found.trials) == trials


def test_multiples_only():
    """For an axis that a mesh divides."""
    found = searched(lambda size: size, range(8, 4097, 8), limit=1003)
    assert (found.largest, found.refused) == (1000, 1008) and len(found.trials) <= 9


def test_without_figures_it_is_a_bisection():
    found = largest_fit(SIZES, lambda size: Trial(size <= 1003, None, 1000))
    assert found.largest == 1003 and len(found.trials) <= 14


def test_the_worst_case_is_that_of_a_bisection_and_some():
    assert most_trials(SIZES) == 17 and most_trials(range(7, 8)) == 1
