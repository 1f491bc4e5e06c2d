"""What a hint promises holds: a program that follows it compiles once less, and where the compilation was
called avoidable, gets the same results.
"""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import jax
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent.parent
HEAD = """
import dataclasses
import jax
import jax.numpy as jnp
import numpy as np
from functools import partial
x, y, out = np.arange(3, dtype=np.float32), np.arange(4, dtype=np.float32), []
"""


class Advice(NamedTuple):
    """A program, whether its last compilation is avoidable, what its hint says, and the program that follows
    the hint; None where there is nothing to follow.
    """

    program: str
    avoidable: bool
    hint: str
    advised: str | None = None


OBJECTIVE = """
class Objective:
    def __init__(self, target):
        self.target = jnp.full(3, target)
        self.compute = jax.jit(self._compute)
    def _compute(self, x):
        return jnp.sum((x - self.target) ** 2)
"""
OPTIONS = """
class Options:
    def __init__(self, by):
        self.by = by
@partial(jax.jit, static_argnames="how")
def apply(x, how):
    return jnp.sum(x * how.by)
"""
STATIC = """
@partial(jax.jit, static_argnames="how")
def apply(x, how):
    return jnp.sum(how(x))
"""
BOX = """
class Box:
    def __init__(self, x, meta):
        self.x, self.meta = x, meta
jax.tree_util.register_pytree_node(Box, lambda b: ((b.x,), b.meta), lambda meta, xs: Box(*xs, meta))
@jax.jit
def total(box):
    return jnp.sum(box.x)
"""
MEAN = "mean = jax.jit(lambda v: v.sum() / v.size)\n"

ADVICE = {
    "a function made again": Advice(
        "for _ in range(2): out.append(jax.jit(lambda v: v.sum())(x))",
        True,
        "define and jit it once",
        "f = jax.jit(lambda v: v.sum())\nfor _ in range(2): out.append(f(x))",
    ),
    "a function made again with another global value": Advice(
        "for by in (1, 2): out.append(jax.jit(lambda v: v.sum() * by)(x))",
        False,
        "pass by as an argument",
        "f = jax.jit(lambda v, by: v.sum() * by)\nfor by in (1, 2): out.append(f(x, by))",
    ),
    "a captured number": Advice(
        "def make(d): return jax.jit(lambda v: v.sum() * d['lr'])\n"
        "for lr in (1.0, 2.0): out.append(make({'lr': lr})(x))",
        False,
        "pass d['lr'] as an argument",
        "f = jax.jit(lambda v, lr: v.sum() * lr)\nfor lr in (1.0, 2.0): out.append(f(x, lr))",
    ),
    "a captured text": Advice(
        "def make(how): return jax.jit(lambda v: getattr(jnp, how)(v))\n"
        "for how in ('sum', 'max'): out.append(make(how)(x))",
        False,
        "each value of how compiles once",
    ),
    "a captured function made again": Advice(
        "def make(g): return jax.jit(lambda v: g(v).sum())\n"
        "for _ in range(2): out.append(make(lambda v: v * 2)(x))",
        True,
        "define and jit it once",
        "f = jax.jit(lambda v: (v * 2).sum())\nfor _ in range(2): out.append(f(x))",
    ),
    "an attribute of a class": Advice(
        "class Config: by = 1\n"
        "for Config.by in (1, 2): out.append(jax.jit(lambda v: v.sum() * Config.by)(x))",
        False,
        "pass Config.by as an argument",
        "f = jax.jit(lambda v, by: v.sum() * by)\nfor by in (1, 2): out.append(f(x, by))",
    ),
    "a generator of random numbers": Advice(
        "import random\nrandoms = random.Random(0)\n"
        "for _ in range(2): out.append(jax.jit(lambda v: v.sum() * randoms.random())(x))",
        False,
        "if what it captures is the same each time",
    ),
    "an object that jits its method, with another array": Advice(
        OBJECTIVE + "for t in (1.0, 2.0): out.append(Objective(t).compute(x))",
        False,
        "pass self.target as an argument",
        OBJECTIVE.replace("        self.compute = jax.jit(self._compute)\n", "")
        .replace("    def _compute(self, x):", "    @staticmethod\n    @jax.jit\n    def compute(x, target):")
        .replace("x - self.target", "x - target")
        + "for t in (1.0, 2.0): o = Objective(t); out.append(o.compute(x, o.target))",
    ),
    "an object that jits its method, made again": Advice(
        OBJECTIVE + "for _ in range(2): out.append(Objective(1.0).compute(x))",
        True,
        "make its object once",
        OBJECTIVE + "o = Objective(1.0)\nfor _ in range(2): out.append(o.compute(x))",
    ),
    "a method jitted again": Advice(
        OBJECTIVE + "o = Objective(1.0)\nfor _ in range(2): out.append(jax.jit(o._compute)(x))",
        True,
        "jit the method once",
        OBJECTIVE + "o = Objective(1.0)\nfor _ in range(2): out.append(o.compute(x))",
    ),
    "a static object without __eq__": Advice(
        OPTIONS + "for _ in range(2): out.append(apply(x, Options(2)))",
        True,
        "give it __eq__ and __hash__ by its fields (by), as @dataclass(frozen=True) does",
        OPTIONS.replace("class", "@dataclasses.dataclass(frozen=True)\nclass").replace(
            "    def __init__(self, by):\n        self.by = by\n", "    by: int\n"
        )
        + "for _ in range(2): out.append(apply(x, Options(2)))",
    ),
    "a static object without __eq__ that holds an array": Advice(
        OPTIONS + "for _ in range(2): out.append(apply(x, Options(jnp.ones(3))))",
        True,
        "make one Options, and use that in every call",
        OPTIONS + "o = Options(jnp.ones(3))\nfor _ in range(2): out.append(apply(x, o))",
    ),
    "a static object with another array": Advice(
        OPTIONS + "for by in (1, 2): out.append(apply(x, Options(jnp.full(3, by))))",
        False,
        "pass it as an argument of its own",
        "f = jax.jit(lambda v, by: jnp.sum(v * by))\n"
        "for by in (1, 2): out.append(f(x, jnp.full(3, by)))",
    ),
    "a static number": Advice(
        "f = partial(jax.jit, static_argnums=1)(lambda v, n: v.sum() * n)\n"
        "for n in (2, 3): out.append(f(x, n))",
        False,
        "if there are many, and it is only computed with, make the argument not static",
        "f = jax.jit(lambda v, n: v.sum() * n)\nfor n in (2, 3): out.append(f(x, n))",
    ),
    "a static text": Advice(
        "f = partial(jax.jit, static_argnums=1)(lambda v, how: getattr(jnp, how)(v))\n"
        "for how in ('sum', 'max'): out.append(f(x, how))",
        False,
        "each value of how compiles once",
    ),
    "a static lambda made again": Advice(
        STATIC + "for _ in range(2): out.append(apply(x, lambda v: v * 2))",
        True,
        "define it once, and pass that for how",
        STATIC + "double = lambda v: v * 2\nfor _ in range(2): out.append(apply(x, double))",
    ),
    "a static partial with another value": Advice(
        STATIC + "for by in (1.0, 2.0): out.append(apply(x, partial(jnp.multiply, by)))",
        False,
        "each value of how.args[0] compiles once",
    ),
    "other static functions": Advice(
        STATIC + "for f in (jnp.sin, jnp.cos): out.append(apply(x, f))",
        False,
        "each value of how compiles once",
    ),
    "NaN": Advice(
        "f = partial(jax.jit, static_argnums=1)(lambda v, fill: v.sum())\n"
        "for _ in range(2): out.append(f(x, float('nan')))",
        True,
        "one object such as math.nan",
        "import math\nf = partial(jax.jit, static_argnums=1)(lambda v, fill: v.sum())\n"
        "for _ in range(2): out.append(f(x, math.nan))",
    ),
    "metadata that are numbers": Advice(
        BOX + "for by in (1, 2): out.append(total(Box(x, {'by': by})))",
        False,
        "make what differs a leaf",
    ),
    "metadata that are text": Advice(
        BOX + "for how in 'ab': out.append(total(Box(x, [how])))",
        False,
        "each value of the metadata of Box compiles once",
    ),
    "metadata with a function made again": Advice(
        BOX + "for _ in range(2): out.append(total(Box(x, [lambda v: v])))",
        True,
        "define it once",
        BOX + "same = lambda v: v\nfor _ in range(2): out.append(total(Box(x, [same])))",
    ),
    "a smaller batch": Advice(
        "f = jax.jit(lambda v: v.sum())\nout += [f(y), f(x)]",
        True,
        "pad v to 4 and mask",
        "f = jax.jit(lambda v, m: jnp.where(m, v, 0).sum())\n"
        "out += [f(y, np.ones(4, bool)), f(np.append(x, 9), np.arange(4) < 3)]",
    ),
    "other numbers of dimensions and elements": Advice(
        MEAN + "out += [mean(np.ones((4, 4), np.float32)), mean(y)]",
        False,
        "each compiles once",
    ),
    "other numbers of dimensions": Advice(
        MEAN + "out += [mean(y.reshape(2, 2)), mean(y)]",
        False,
        "reshape it before the call",
        MEAN + "out += [mean(y.reshape(4)), mean(y)]",
    ),
    "a size of one": Advice(
        "f = jax.jit(lambda v, w: (v * w).sum())\nout += [f(x, x), f(x[1:2], x)]", False, "pad v to 3"
    ),
    "a dtype": Advice(
        "half = jax.jit(lambda v: (v // 2 * 2.0).sum())\nout += [half(np.arange(3)), half(x + 0.5)]",
        False,
        "jnp.asarray(v, 'float32')",
    ),
    "a weak type": Advice(
        "f = jax.jit(lambda a, b: (a * b).astype('float32'))\nh = jnp.bfloat16(1 / 3)\n"
        "out += [f(h, 1.001), f(h, jnp.float32(1.001))]",
        False,
        "give it a dtype",
    ),
    "by keyword": Advice(
        "f = jax.jit(lambda v: v.sum())\nout += [f(x), f(v=x)]",
        True,
        "pass v the same way in every call",
        "f = jax.jit(lambda v: v.sum())\nout += [f(x), f(x)]",
    ),
    "cleared caches": Advice(
        "f = jax.jit(lambda v: v.sum())\nout.append(f(x)); jax.clear_caches(); out.append(f(x))",
        True,
        "leave out jax.clear_caches()",
        "f = jax.jit(lambda v: v.sum())\nout.append(f(x)); out.append(f(x))",
    ),
    "cleared caches, for a value that changed": Advice(
        "f = jax.jit(lambda v: v.sum() * by)\nby = 1; out.append(f(x))\n"
        "by = 2; jax.clear_caches(); out.append(f(x))",
        False,
        "what <lambda> captures may have changed: pass that as an argument",
        "f = jax.jit(lambda v, by: v.sum() * by)\nfor by in (1, 2): out.append(f(x, by))",
    ),
    "an attribute of the class of an object": Advice(
        "class Model:\n    by = 1\n    def step(self, v): return v.sum() * self.by\n"
        "for Model.by in (1, 2): out.append(jax.jit(Model().step)(x))",
        False,
        "pass self.by as an argument",
    ),
    "committed to its device": Advice(
        "f = jax.jit(lambda v: v.sum())\nout += [f(x), f(jax.device_put(x, jax.devices()[0]))]",
        True,
        "always commit v, or never",
        "f = jax.jit(lambda v: v.sum())\nd = jax.devices()[0]\n"
        "out += [f(jax.device_put(x, d)), f(jax.device_put(x, d))]",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def told():
    texts = [
        HEAD + dedent(one) for advice in ADVICE.values() for one in (advice.program, advice.advised or "")
    ]
    finished = subprocess.run(
        [sys.executable, "-m", "tests.support.watched"], cwd=ROOT, input=json.dumps(texts),
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    runs = json.loads(finished.stdout)
    return dict(zip(ADVICE, zip(runs[::2], runs[1::2], strict=True), strict=True))


def compilations(run):
    assert isinstance(run, dict), run
    return [one for one in run["compilations"] if one["kind"] == "call" and one["compilations"]]


@pytest.mark.parametrize("name", ADVICE)
def test_a_hint_can_be_followed(told, name):
    advice, (first, advised) = ADVICE[name], told[name]
    made = compilations(first)
    assert len(made) == 2
    last = made[-1]
    assert [advice.hint in str(reason["hint"]) for reason in last["reasons"]] == [True], last["reasons"]
    assert last["avoidable"] == advice.avoidable == last["reasons"][0]["avoidable"]
    if advice.advised is not None:
        assert len(compilations(advised)) == 1
        assert first["out"] == advised["out"]


MUTATED = """
@dataclasses.dataclass(unsafe_hash=True)
class Config:
    gain: float
@partial(jax.jit, static_argnames="config")
def apply(x, config):
    return config.gain * x.sum()
config = Config(1.0)
for config.gain in (1.0, 2.0, 1.0):
    out.append(apply(x, config=config))
"""


def test_a_static_value_that_was_changed_in_place_is_told_or_warned_of():
    finished = subprocess.run(
        [sys.executable, "-m", "tests.support.watched"], cwd=ROOT, input=json.dumps([HEAD + MUTATED]),
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    (told,) = json.loads(finished.stdout)
    is_stale = told["out"][1] == told["out"][0]
    if is_stale:
        assert len(compilations(told)) == 1
    else:
        assert not told["warnings"]
        last = compilations(told)[-1]["reasons"]
        assert [reason["text"] for reason in last] == ["config.gain: 1.0 → 2.0 (changed in place)"]
    if is_stale and jax.__version__.startswith("0.10."):  # an older one says nothing of a mere look-up
        (warning,) = told["warnings"]
        assert "apply at program.py:17 returned what was compiled for config.gain = 1.0" in warning
        assert "which is 2.0 now" in warning
