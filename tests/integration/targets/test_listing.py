"""What `ls` shows of a module's callables."""

import pytest

from jitinspect.errors import LoadError
from jitinspect.model import ListedCallable
from jitinspect.targets.listing import ls

SOURCE = """\
from __future__ import annotations
import functools
from collections.abc import Callable
from math import sqrt

import jax
import equinox as eqx
from flax import nnx
from jax.nn import silu

Params = dict[str, "jax.Array"]
Maybe = int | None

def layer(x: jax.Array, w: jax.Array = None) -> jax.Array:
    return x

@functools.partial(jax.jit, static_argnames="training", donate_argnames="x")
def predict(x, training=False):
    return x

relu = jax.jit(jax.nn.relu)
filtered = eqx.filter_jit(layer)
flaxed = nnx.jit(layer, static_argnames="w")
pmapped = jax.pmap(layer)
stepper = functools.partial(predict, training=True)
from_partial = functools.partial(layer, w=2)

def _private(): ...

class Model:
    size = 3
    def __init__(self): ...
    @functools.partial(jax.jit, static_argnums=0)
    def step(self, x):
        return x
    @classmethod
    def make(cls, n: int): ...
    @staticmethod
    @jax.jit
    def free(x): ...
    @property
    def width(self): ...
    def __call__(self, x): ...

model = Model()
if True:
    conditional = sqrt
"""


@pytest.fixture
def rows(write):
    write("listed.py", SOURCE)
    return {row.name: row for row in ls("listed", imported=True).callables}


def test_own_callables_then_methods_then_imported(rows):
    assert list(rows) == [
        "layer", "predict", "relu", "filtered", "flaxed", "pmapped", "stepper", "from_partial", "_private",
        "model", "conditional", "Model.step", "Model.make", "Model.free", "Model.__call__", "sqrt", "silu",
    ]  # fmt: skip
    assert [name for name, row in rows.items() if not row.own] == ["sqrt", "silu"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("layer", "function"),
        ("predict", "jax.jit"),
        ("relu", "jax.jit"),
        ("filtered", "equinox.filter_jit"),
        ("flaxed", "flax.nnx.jit"),
        ("pmapped", "jax.pmap"),
        ("stepper", "jax.jit"),
        ("from_partial", "callable"),
        ("model", "callable"),
        ("Model.step", "jax.jit"),
        ("Model.make", "method"),
        ("Model.free", "jax.jit"),
        ("Model.__call__", "method"),
        ("sqrt", "function"),
        ("silu", "jax.jit"),
    ],
)
def test_kinds(rows, name, kind):
    assert rows[name].kind == kind


def test_a_row(rows, tmp_path):
    assert rows["predict"] == ListedCallable(
        name="predict",
        kind="jax.jit",
        signature="(x, training=False)",
        static=("training",),
        donated=("x",),
        file=str(tmp_path / "listed.py"),
        line=SOURCE.splitlines().index(
            '@functools.partial(jax.jit, static_argnames="training", donate_argnames="x")'
        )
        + 1,
        own=True,
    )
    assert (rows["flaxed"].static, rows["flaxed"].donated) == (("w",), ())
    assert (rows["sqrt"].file, rows["sqrt"].line) == (None, None)


def test_signatures_are_as_written(rows):
    assert rows["layer"].signature == "(x: jax.Array, w: jax.Array = None) -> jax.Array"
    assert rows["Model.step"].signature == "(self, x)"
    assert rows["Model.make"].signature == "(n: int)"
    assert rows["model"].signature == "(x)"


def test_a_file_can_be_listed(tmp_path, rows):
    assert [row.name for row in ls("listed.py", imported=True).callables] == list(rows)


def test_a_missing_module(rows):
    with pytest.raises(LoadError) as caught:
        ls("lsited")
    assert "did you mean listed?" in caught.value.hint


def test_a_library_can_be_listed():
    names = {row.name: row for row in ls("jax.nn", imported=True).callables}
    assert names["relu"].file.endswith("functions.py")
