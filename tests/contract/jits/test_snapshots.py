"""What `jits.snapshots` sees of values, and that it leaves them as they were."""

import collections
import dataclasses
import enum
import functools
import itertools
import random
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from jitinspect.jaxapi.jits import bound_values
from jitinspect.jaxapi.jits.identities import MOST_BYTES
from jitinspect.jaxapi.jits.snapshots import MOST_PARTS, snapshot, snapshot_of_function


@dataclasses.dataclass
class Config:
    gain: float
    more: object = None
    note: str = dataclasses.field(default="", compare=False)


class Slotted:
    __slots__ = ("gain",)

    def __init__(self, gain):
        self.gain = gain


class Colour(enum.Enum):
    RED, BLUE = 1, 2


Pair = collections.namedtuple("Pair", "first second")


def scaler(by):
    return lambda x: x * by


def method(by):
    return types.MethodType(lambda self, x: x * self.gain, Config(by))


PAIRS = {
    "numbers": (lambda v: v, ""),
    "dict": (lambda v: {"lr": v, "on": None}, "['lr']"),
    "nested": (lambda v: [(Pair(0, {"a": v}),)], "[0][0].second['a']"),
    "set": (lambda v: {v, "same"}, "[1]"),
    "dataclass": (lambda v: Config(v), ".gain"),
    "slots": (lambda v: Slotted(v), ".gain"),
    "namespace": (lambda v: types.SimpleNamespace(lr=v), ".lr"),
    "lambda": (scaler, ".by"),
    "partial": (lambda v: functools.partial(max, v), ".args[0]"),
    "method": (method, ".self.gain"),
    "jit": (lambda v: jax.jit(scaler(v)), ".__wrapped__.by"),
    "custom_jvp": (lambda v: jax.custom_jvp(scaler(v)), ".__wrapped__.by"),
    "tree Partial": (lambda v: jax.tree_util.Partial(scaler(v)), ".func.by"),
    "array": (lambda v: [np.full(3, v)], "[0]"),
    "array of JAX": (lambda v: [jnp.full(3, v)], "[0]"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_equal_values_made_twice_are_alike_and_others_differ_where_they_differ(name):
    make, path = PAIRS[name]
    first, same, other = (snapshot(make(value)) for value in (0.5, 0.5, 0.25))
    assert first.parts == same.parts and not first.left_out
    assert path in first.parts
    assert [at for at in first.parts if first.parts[at] != other.parts.get(at)] == [path]
    assert first.text and first.text == same.text


@pytest.mark.parametrize(
    ("first", "second"),
    [(1, True), (1, 1.0), (0.0, -0.0), ((1,), [1]), (Colour.RED, Colour.BLUE), (Config(1), Slotted(1)),
     (jnp.float32(1), np.float32(1)), (np.zeros(1), np.zeros(1, np.float32)), (lambda: 1, lambda: 2),
     (PartitionSpec("a"), PartitionSpec("b")), (jnp.sin, jnp.cos), (np.add, np.subtract)],
)  # fmt: skip
def test_values_that_are_not_the_same_differ(first, second):
    parts = [snapshot([one]).parts for one in (first, second)]
    if isinstance(first, jax.Array):  # the same number to a trace
        assert parts[0] == parts[1]
    else:
        assert parts[0] != parts[1]


def test_nan_is_like_nan():
    assert snapshot([float("nan")]).parts == snapshot([float("nan")]).parts


@pytest.mark.parametrize(
    "value",
    [itertools.count(), iter([]), random.Random(0), np.random.default_rng(0), (x for x in ()),
     np.zeros(MOST_BYTES), {object(): 1}, list(range(MOST_PARTS + 1))],
)  # fmt: skip
def test_what_cannot_be_seen_is_left_out_and_the_rest_is_not(value):
    seen = snapshot({"odd": value, "lr": 0.1})
    assert seen.left_out == ("['odd']",)
    assert "['lr']" in seen.parts


def test_a_built_in_method_is_as_its_object_is():
    assert snapshot(random.Random(0).random).left_out == (".self",)
    assert snapshot([1].count).parts == snapshot([1].count).parts != snapshot([2].count).parts
    assert not snapshot([len, np.add, "".join]).left_out


def test_a_large_array_is_compared_by_which_it_is():
    large = jnp.zeros(MOST_BYTES)
    assert snapshot(large).parts == snapshot(large).parts
    assert snapshot(large).parts != snapshot(jnp.zeros(MOST_BYTES)).parts


def test_an_array_is_neither_kept_nor_does_it_keep_a_copy():
    array = jnp.arange(3.0)
    snapshot([array])
    assert array._npy_value is None
    jax.jit(lambda x: x + 1, donate_argnums=0)(array)
    assert array.is_deleted() and snapshot([array]).parts


def test_a_circle_ends():
    circle = {"a": []}
    circle["a"].append(circle)
    assert snapshot(circle).parts == snapshot(circle).parts


def test_with_equality_only_what_a_dataclass_compares_counts_and_the_rest_is_left_out():
    first, second = Config(1.0, note="a"), Config(1.0, note="b")
    assert snapshot(first).parts != snapshot(second).parts
    assert snapshot(first, by_equality=True).parts == snapshot(second, by_equality=True).parts
    assert snapshot(first, by_equality=True).left_out == ("",)


class Hostile:
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __repr__(self):
        raise RuntimeError("repr")

    def __eq__(self, other):
        raise RuntimeError("==")

    def __hash__(self):
        raise RuntimeError("hash")


def test_what_raises_does_no_harm():
    assert "['lr']" in snapshot({"odd": Hostile(), "lr": 0.1}).parts


RATE, COUNT, LOG = 0.1, 0, []


def reads():
    global COUNT
    COUNT += 1
    LOG.append(RATE * len(jax.devices()))


def test_the_global_names_that_a_program_reads(monkeypatch):
    monkeypatch.setattr(bound_values, "is_program", lambda code: code.co_filename == __file__)
    assert {*snapshot_of_function([reads]).parts} == {"LOG", "RATE"}
    assert {*snapshot_of_function([lambda: reads()]).parts} == {"reads", "reads.LOG", "reads.RATE"}
