"""The paths that JAX writes, turned into the trees of which they are."""

import jax
import pytest

from jitinspect.jaxapi.modules.trees import Held, arguments


def paths(function, *args):
    return jax.jit(function).trace(*args).jaxpr.jaxpr.debug_info.arg_names


def leaf():
    return jax.ShapeDtypeStruct((2,), "float32")


@pytest.mark.parametrize(
    "tree",
    [
        leaf(),
        {"w": leaf(), "b": (leaf(), leaf())},
        {"layers": ({"k": leaf()}, {"k": leaf()}), "it's": leaf()},
        (leaf(), None, leaf()),
        {3: leaf(), 1: leaf()},
    ],
)
def test_trees_of_dicts_and_tuples_come_back(tree):
    names = paths(lambda params, x: x, tree, leaf())
    leaves = [*jax.tree.leaves(tree), leaf()]
    made = arguments(names, leaves)
    assert list(made) == ["params", "x"]
    again = paths(lambda params, x: x, made["params"], made["x"])
    assert again == names
    if 3 not in getattr(tree, "keys", list)():
        assert jax.tree.structure(made["params"]) == jax.tree.structure(tree)


def test_attributes_keep_their_paths():
    names = ["model.linear.weight", "model.linear.bias", "model.rest[0]", "x"]
    made = arguments(names, [leaf() for _ in names])
    assert isinstance(made["model"], Held)
    assert paths(lambda model, x: x, made["model"], made["x"]) == tuple(names)


def test_what_has_no_name_is_called_as_in_mlir():
    assert list(arguments([None, "x", None], [leaf(), leaf(), leaf()])) == ["arg0", "x", "arg2"]


@pytest.mark.parametrize("names", [["x[1]", "x[0]"], ["x['b']", "x['a']"], ["x", "x[0]"], ["x<odd>", "x"]])
def test_what_would_be_in_another_order_keeps_its_order(names):
    leaves = [leaf(), leaf()]
    made = arguments(names, leaves)
    assert [id(one) for tree in made.values() for one in jax.tree.leaves(tree)] == [id(one) for one in leaves]
