"""The largest size of a dimension with which a program fits, in few compilations.

Memory is about affine in a size, or a parabola where both axes of a matrix have it, so two or three sizes
tell where the limit is reached. Then a size is looked for that fits while the next one does not. Both are
compiled, so the answer holds whatever happens in between, where padding to tiles and rematerialization make
memory grow in steps, or even shrink.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one size: whether it fits, the bytes that it needs, None if they are not known, and the
    bytes that there are.
    """

    fits: bool
    needed: int | None
    limit: int


@dataclass(frozen=True, slots=True)
class Search:
    """`trials` are those made, in order, by size. `largest` fits; None if not even the first size does.
    `refused`, the next size, does not; None if `largest` is the last one.
    """

    trials: dict[int, Trial]
    largest: int | None
    refused: int | None


def largest_fit(sizes: range, measure: Callable[[int], Trial]) -> Search:
    """Search `sizes`, a range that is not empty and rises. `measure` compiles one size; it is called once
    for a size, and at most `most_trials(sizes)` times.

    If some size fits although a smaller one does not, either may end the search.
    """
    if sizes.step > 1:
        found = largest_fit(range(len(sizes)), lambda at: measure(sizes[at]))
        trials = {sizes[at]: trial for at, trial in found.trials.items()}
        return Search(trials, *(None if at is None else sizes[at] for at in (found.largest, found.refused)))
    search = _Bracket(sizes, measure)
    if not search.tries(sizes.start):
        return Search(search.trials, None, sizes.start)
    while search.refused - search.fits > 1:
        search.tries(search.guess())
    return Search(search.trials, search.fits, search.refused if search.refused in sizes else None)


_TILE, _LANES = 8, 128
"""Rows and columns of a tile on a TPU, to which arrays are padded; for small dtypes it has more rows."""
SPARE = 4
"""How many compilations a search may take beyond those of a bisection, for guesses that turn out wrong."""


def most_trials(sizes: range) -> int:
    """The first size, a bisection of the others, and some to spare: 17 for 1..4096."""
    return 1 + math.ceil(math.log2(len(sizes))) + SPARE if len(sizes) > 1 else 1


@dataclass(slots=True)
class _Bracket:
    """`fits` is the largest size known to fit, `refused` the smallest one above it known not to, at first the
    size after the last. `expects_fit` is what the last guess was expected to do, `surprises` how many guesses
    in a row did the opposite, `repeats` how many moved the same end, and `full_tiles` the last guess that was
    made because of that. `degree` is that of the curve that memory is taken to follow.
    """

    sizes: range
    measure: Callable[[int], Trial]
    trials: dict[int, Trial] = field(default_factory=dict)
    fits: int = 0
    refused: int = 0
    expects_fit: bool | None = None
    surprises: int = 0
    repeats: int = 0
    last_fits: bool = True
    full_tiles: int | None = None
    degree: int = 2

    def __post_init__(self) -> None:
        self.refused = self.sizes.stop

    def tries(self, size: int) -> bool:
        """Measure `size`, between both ends, which becomes one of them."""
        trial = self.measure(size)
        self.degree = self._better_degree(size, trial) if self.trials else self.degree
        self.trials[size] = trial
        is_surprise = self.expects_fit is not None and trial.fits is not self.expects_fit
        self.surprises = self.surprises + 1 if is_surprise else 0
        self.repeats = self.repeats + 1 if trial.fits is self.last_fits else 1
        self.last_fits = trial.fits
        if trial.fits:
            self.fits = size
        else:
            self.refused = size
        return trial.fits

    def guess(self) -> int:
        """The size to try next, such that a bisection of either side of it stays within the limit."""
        reach: int = 2 ** (most_trials(self.sizes) - len(self.trials) - 1)
        guess = self._guess()
        if self.fits == self.full_tiles:
            guess = self.fits + 1
        elif self._is_stalled(guess):
            guess = self.full_tiles = self._full_tiles(guess)
        guess = max(guess, self.refused - reach)
        return min(max(guess, self.fits + 1), self.refused - 1, self.fits + reach)

    def _is_stalled(self, guess: int) -> bool:
        """Whether the same end moves over and over, as where memory jumps: at sizes that are full tiles. A
        guess beside an end may be right, once.
        """
        is_between = self.fits + 1 < guess < self.refused - 1
        has_curve = self.expects_fit is not None and self.refused in self.trials
        return has_curve and self.repeats >= 2 and (is_between or self.surprises > 0)

    def _full_tiles(self, guess: int) -> int:
        """The full tiles nearest to `guess`, between both ends. If these fit, one more is tried."""
        for tile in (_LANES, _TILE):
            near = min((guess + tile // 2) // tile * tile, (self.refused - 1) // tile * tile)
            if self.fits < near:
                return near
        return guess

    def _guess(self) -> int:
        """The smallest size that is expected not to fit, or if that is known already, the one before it.
        After a surprise, a size at which padding ends or begins, ever farther away.
        """
        crossing, tile = self._crossing(), _TILE << 2 * max(self.surprises - 1, 0)
        if crossing is None:
            self.expects_fit = None
            return self._without_model()
        self.expects_fit = crossing >= self.refused
        if self.expects_fit:
            last = self.refused - 1
            return last - (last % tile if self.surprises else 0)
        padded = self.fits - self.fits % tile + tile + 1
        return max(crossing, padded) if self.surprises else crossing

    def _without_model(self) -> int:
        """The second of all sizes is far from the first, but not so far that it surely does not fit."""
        if len(self.trials) == 1:
            return math.isqrt(max(self.fits, 1) * (self.refused - 1))
        return (self.fits + self.refused) // 2

    def _crossing(self) -> int | None:
        """The first size above the crossing of the curve with the limit; the size after the last, if there is
        no crossing. None if too little is known for a curve.
        """
        points = self._points(self.degree)
        if len(points) < 2:
            return None
        # what fits although it needs more tells that the limit is not exact
        limit = max(self.trials[self.fits].limit, self.trials[self.fits].needed or 0)
        above = range(self.fits + 1, self.refused)
        return above.start + bisect_right(above, limit, key=lambda size: _through(points, size))

    def _points(self, degree: int) -> list[Point]:
        """What a line (1) or a parabola (2) goes through: both ends, and a smaller size that needs less."""
        known = {size: trial.needed for size, trial in self.trials.items() if trial.needed is not None}
        needed = known.get(self.fits, 0)
        below = [size for size in sorted(known, reverse=True) if size < self.fits and known[size] < needed]
        ends = [size for size in (self.refused, self.fits) if size in known]
        return [(size, known[size]) for size in (*ends, *below[:1])[: degree + 1]]

    def _better_degree(self, size: int, trial: Trial) -> int:
        """Which of the two foretold this trial better: rematerialization makes lines of different slopes."""
        if len(self._points(2)) < 3 or trial.needed is None:
            return 2
        needed = trial.needed
        errors = {degree: abs(_through(self._points(degree), size) - needed) for degree in (2, 1)}
        return min(errors, key=lambda degree: errors[degree])


Point = tuple[int, int]
"""A size, and the bytes that it needs."""


def _through(points: list[Point], size: int) -> int:
    """The value at `size` of the line or parabola through all points, after Lagrange, rounded up."""
    total = Fraction(0)
    for at, value in points:
        term = Fraction(value)
        for other, _ in points:
            if other != at:
                term *= Fraction(size - other, at - other)
        total += term
    return math.ceil(total)
