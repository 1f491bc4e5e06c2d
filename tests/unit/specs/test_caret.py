"""The errors of texts that do not parse."""

import pickle

import pytest

from jitinspect.specs.caret import Problem, UnknownName


@pytest.mark.parametrize("kind", [Problem, UnknownName])
def test_a_worker_can_hand_it_over(kind):
    error = kind("f32[8", 5, "the bracket is not closed", "f32[8]", "a.calls:3")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and again.as_dict() == error.as_dict() and again.column == 5
