"""The costs of functions compiled for devices that are not here, by the compilers for them, where installed.

`unit/readings/cost_model` has recorded programs.
"""

import json
from functools import cache
from importlib.util import find_spec

import pytest

from tests.support.prefork import printed

FUNCTIONS = """
import jax, jax.numpy as jnp
from jax import lax

def add(a, b):
    return a + b

def total(a):
    return a.sum()

def product(a, b):
    return a @ b

def exact(a, b):
    return jnp.dot(a, b, precision="highest")

def looped(x, ws):
    return lax.scan(lambda c, w: (jnp.tanh(c @ w), None), x, ws)[0]

def loss(ws, x):
    for w in ws:
        x = jnp.tanh(x @ w)
    return jnp.mean(x**2)

trained = jax.grad(loss)
"""
F32 = 4


def has(*packages):
    return any(find_spec(package) for package in packages)


targets = [
    pytest.param("v5e", marks=pytest.mark.skipif(not has("libtpu"), reason="no libtpu")),
    pytest.param(
        "h100",
        marks=pytest.mark.skipif(not has("jax_cuda12_plugin", "jax_cuda13_plugin"), reason="no CUDA plugin"),
    ),
]
on_each_target = pytest.mark.parametrize("target", targets)


@pytest.fixture(scope="module")
def cost(tmp_path_factory):
    """`cost(function, *specs, target=…)` is the `cost` of the JSON; without a target, on this machine."""
    folder = tmp_path_factory.mktemp("functions")
    (folder / "functions.py").write_text(FUNCTIONS)

    @cache
    def of(function, *specs, target=None):
        command = ["cost", f"functions:{function}", "--json", "-q"]
        command += [part for spec in specs for part in ("--arg", spec)]
        command += ["--target", target] if target else []
        return json.loads(printed(command, folder))["cost"]

    return of


@on_each_target
def test_an_addition_of_two_large_arrays_moves_three(cost, target):
    found = cost("add", *["f32[4096,4096]"] * 2, target=target)
    assert found["hbm_bytes"] == 3 * 4096**2 * F32
    assert found["bound_by"] == "bytes"
    assert found["bound_seconds"] == found["hbm_bytes"] / found["roofline"]["bandwidth"]


@on_each_target
def test_a_sum_reads_its_array(cost, target):
    moved = cost("total", "f32[8192,8192]", target=target)["hbm_bytes"]
    assert 8192**2 * F32 < moved < 1.001 * 8192**2 * F32


@on_each_target
def test_a_matrix_product_moves_two_arrays_and_a_third(cost, target):
    found = cost("product", "bf16[2048,1024]", "bf16[1024,4096]", target=target)
    assert found["flops"] == 2 * 2048 * 1024 * 4096
    assert found["hbm_bytes"] == 2 * (2048 * 1024 + 1024 * 4096 + 2048 * 4096)
    [rate] = found["roofline"]["rates"]
    assert (rate["peak"], rate["products"], rate["dtype"]) == ("bf16", 1, "bf16")
    assert found["bound_by"] == "flops"
    assert found["bound_seconds"] == pytest.approx(found["flops"] / rate["per_second"])


@on_each_target
def test_the_precision_decides_the_peak(cost, target):
    specs = ["f32[2048,2048]"] * 2
    peaks = []
    for function in ("product", "exact"):
        rates = cost(function, *specs, target=target)["roofline"]["rates"]
        peaks += [(rate["peak"], rate["products"]) for rate in rates if rate["is_product"]]
    assert peaks == {"v5e": [("bf16", 1), ("bf16", 6)], "h100": [("tf32", 1), ("f32", 1)]}[target]


@on_each_target
@pytest.mark.parametrize(
    ("function", "specs"),
    [
        ("product", ("f32[512,256]", "f32[256,384]")),
        ("looped", ("f32[256,256]", "f32[9,256,256]")),
        ("trained", ("(f32[256,512], f32[512,512], f32[512,128])", "f32[1024,256]")),
    ],
)
def test_products_take_as_many_flops_as_on_this_machine(cost, function, specs, target):
    here, there = cost(function, *specs), cost(function, *specs, target=target)
    dots = sum(op["flops"] for op in here["by_op"] if op["op"] == "dot")
    rates = there["roofline"]["rates"]
    assert sum(rate["flops"] for rate in rates if rate["is_product"]) == dots
    assert there["flops"] == pytest.approx(here["flops"], rel=0.03)
    assert there["unmodelled"] == []


@on_each_target
def test_lines_have_bounds(cost, target):
    found = cost("trained", "(f32[256,512], f32[512,512], f32[512,128])", "f32[1024,256]", target=target)
    lines = found["by_line"]
    assert sum(line["bound_seconds"] for line in lines) >= found["bound_seconds"] * (1 - 1e-9)
    assert abs(sum(line["hbm_bytes"] for line in lines) - found["hbm_bytes"]) <= len(lines)
    assert {line["bound_by"] for line in lines} <= {"flops", "bytes", None}


def test_on_this_machine_there_is_no_roofline(cost):
    found = cost("add", *["f32[64,64]"] * 2)
    assert found["roofline"] is None and found["bound_seconds"] is None and found["hbm_bytes"] is None
    assert all(line["bound_seconds"] is None for line in found["by_line"])
