"""Calls are counted where they are made."""

import jax
import numpy as np

from jitinspect.jaxapi.calls.counting import Counts, counting


def test_calls_from_code_of_equal_text_are_counted_apart():
    counts, x = Counts(), np.ones(3, np.float32)
    with counting(counts):
        f = jax.jit(lambda x: x * 2)
        for number in (1, 4, 4):
            exec(compile("f(x)", f"<cell {number}>", "exec"), {"f": f, "x": x})
    (lines,) = counts.calls(lambda path: path).values()
    assert lines == {"<cell 1>:1": 1, "<cell 4>:1": 2}
