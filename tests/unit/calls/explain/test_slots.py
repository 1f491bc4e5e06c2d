"""Values → numbers: equal ones have one, whatever their `==` and hash do."""

import pytest

from jitinspect.calls.explain import Interner, Node, Static


class Raises:
    def __init__(self, by="=="):
        self.by = by

    def __hash__(self):
        if self.by == "hash":
            raise RuntimeError("no hash")
        return 1

    def __eq__(self, other):
        if self.by == "==":
            raise RuntimeError("no ==")
        return self is other


class Answers:
    """As an array does, whose `==` has no truth value."""

    __hash__ = None

    def __eq__(self, other):
        return self

    def __bool__(self):
        raise ValueError("ambiguous")


@pytest.mark.parametrize("aux", [{"mul": 2}, [1, {2}], (1, [2]), {1, 2}])
def test_equal_values_that_cannot_be_hashed_have_one_number(aux):
    interner = Interner()
    first = interner(Node(list, 1, aux))
    assert interner(Node(list, 1, type(aux)(aux))) == first
    assert interner(Node(list, 2, aux)) != first and interner(Node(dict, 1, aux)) != first
    assert interner(Node(list, 1, "another")) != first
    assert interner.values[first].aux == aux


@pytest.mark.parametrize("odd", [Raises("=="), Raises("hash"), Answers()])
def test_a_value_whose_comparison_fails_is_equal_to_itself_alone(odd):
    interner = Interner()
    first = interner(Static(object, odd))
    other = Answers() if isinstance(odd, Answers) else Raises(odd.by)
    assert interner(Static(object, odd)) == first
    assert interner(Static(object, other)) != first
    assert len(interner.values) == 2


def test_one_is_not_true():
    interner = Interner()
    assert len({interner(Static(type(one), one)) for one in (1, True, 1.0)}) == 3
