"""Calls are compared when their reasons are read, and the reasons are those of the moment of the call."""

import jax
import numpy as np

from jitinspect.calls.comparisons import Comparisons
from jitinspect.calls.signature import SignatureReader
from jitinspect.jaxapi.jits.facts import FunctionNumbers, facts


class Calls:
    """Calls of one jit with an array of some size."""

    def __init__(self):
        self._reader, self._facts = SignatureReader(), facts(jax.jit(lambda x: x), FunctionNumbers())
        self._comparisons = Comparisons(self._reader.interner, plannable=False)

    def compare(self, size, index):
        call_key = self._reader.read(self._facts, (np.zeros(size, np.float32),), {})
        return self._comparisons.compare(self._facts, call_key.signature, index)

    def said(self, compared):
        return compared.nearest, [one.text for one in self._comparisons.reasons(compared, self._facts)]

    def unread(self):
        self._comparisons.unread(self._facts.name, self._facts.lineage, "nothing")


def test_it_does_not_matter_when_they_are_read():
    sizes, at_once, later = [3, 4, 3, 5, 4, 9], Calls(), Calls()
    said = [at_once.said(at_once.compare(size, index)) for index, size in enumerate(sizes)]
    assert [nearest for nearest, _ in said] == [None, 0, 0, 2, 1, 4]
    compared = [later.compare(size, index) for index, size in enumerate(sizes)]
    assert [later.said(one) for one in reversed(compared)] == said[::-1]


def test_a_call_that_cannot_be_read_says_nothing_of_those_before_it():
    calls = Calls()
    first = calls.compare(3, 0)
    calls.unread()
    assert calls.said(first) == (None, ["first call of <lambda>"])
