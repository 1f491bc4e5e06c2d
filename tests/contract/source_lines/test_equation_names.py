"""What JAX calls an equation: the name that its lowering then has, for each way to nest equations."""

import re

import jax
import jax.numpy as jnp
import pytest

from jitinspect.ir.attribution import attribute
from jitinspect.ir.origins import Origins
from jitinspect.jaxapi.source_lines.equation_names import KNOWN_FROM, name_equations
from jitinspect.stages.parsing import program
from jitinspect.stages.pipeline import Pipeline

with_names = pytest.mark.skipif(jax.__version_info__ < KNOWN_FROM, reason="JAX 0.8 names equations otherwise")
X = jnp.ones((4, 8))
W = jnp.ones((8, 8))


def block(x, w):
    with jax.named_scope("scope"):
        return jnp.tanh(x @ w)


jitted = jax.jit(block)


@jax.custom_jvp
def own_jvp(x):
    with jax.named_scope("deeper"):
        return jnp.sin(x)


@own_jvp.defjvp
def _(primals, tangents):
    return own_jvp(*primals), jnp.cos(*primals) * tangents[0]


@jax.custom_vjp
def own_vjp(x):
    with jax.named_scope("deeper"):
        return jnp.sin(x)


own_vjp.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (jnp.cos(x) * g,))


def scanned(x, w):
    return jax.lax.scan(lambda c, _: (jnp.where(jitted(c, w) > 0, c, 0.0), None), x, None, length=3)[0]


def branched(x, w):
    return jax.lax.switch(jnp.int32(x[0, 0]), [jnp.exp, lambda c: c @ w, lambda c: c @ w], x)


def looped(x, w):
    x = jax.lax.while_loop(lambda c: c[0, 0] < 9, lambda c: c + jitted(c, w), x)
    return jax.lax.fori_loop(0, 5, lambda i, c: c @ w, x)


def rematted(x, w):
    return jax.checkpoint(lambda c: jnp.cos(jitted(c, w)))(x)


def mapped(x, w):
    return jax.vmap(lambda row: jax.lax.scan(lambda c, t: (c + t, c * 2), 0.0, jitted(row, w)))(x)[1]


def custom(x, w):
    return own_vjp(own_jvp(x)) @ w


def mapped_custom(x, w):
    return jax.vmap(lambda row: own_vjp(own_jvp(row)))(x) @ w


def sharded(x, w):
    mesh = jax.make_mesh((1,), ("d",))
    spec = jax.sharding.PartitionSpec()
    over = jax.shard_map(lambda c: jax.lax.psum(jnp.exp(c), "d"), mesh=mesh, out_specs=spec, check_vma=False)
    return over(x)


def gradient(function):
    return jax.value_and_grad(lambda x, w: jnp.sum(function(x, w) ** 2), argnums=(0, 1))


FORWARD = {
    "block": block, "jitted": jitted, "scanned": scanned, "branched": branched, "looped": looped,
    "rematted": rematted, "mapped": mapped, "custom": custom, "mapped custom": mapped_custom,
    "sharded": sharded,
}  # fmt: skip
BACKWARD = {
    f"gradient of {name}": gradient(FORWARD[name])
    for name in ("block", "jitted", "scanned", "branched", "rematted", "mapped", "custom", "mapped custom")
}
HOLDS_OTHERS = {"custom_jvp_call", "custom_vjp_call", "remat2", "checkpoint", "shard_map"}
"""Equations that become no operation of their own, only what is in them."""


def parsed(stage, pipeline):
    made = program(stage, pipeline, names=True)
    return made, Origins(made, attribute(made))


def of_function(function, stages):
    pipeline = Pipeline(lambda: jax.jit(function).trace(X, W))
    return [parsed(stage, pipeline) for stage in stages]


@with_names
@pytest.mark.parametrize("name", [*FORWARD, *BACKWARD])
def test_an_equation_has_the_origin_of_its_lowering(name):
    """Its lines and its name both; what is dead, or was never more than a frame around others, has none."""
    (jaxpr, of_jaxpr), (stablehlo, of_stablehlo) = of_function(
        (FORWARD | BACKWARD)[name], ("jaxpr", "stablehlo")
    )
    lowered = {origin for one in stablehlo.operations() for origin in of_stablehlo[one]}
    used = used_in(jaxpr)
    missing = [
        (one.opcode, origin)
        for one in jaxpr.operations()
        for origin in of_jaxpr[one]
        if origin not in lowered and origin.path and one.opcode not in HOLDS_OTHERS and id(one) in used
    ]
    assert not missing
    named = [origin.path for one in jaxpr.operations() for origin in of_jaxpr[one]]
    unknown = named.count("") / len(named)
    assert unknown == 0 or (unknown < 0.5 and "mapped custom" in name)


def used_in(jaxpr):
    """The equations that the result depends on: JAX lowers no others."""
    found, blocks, waiting = set(), jaxpr.named(), [jaxpr.entry]
    while waiting:
        block = waiting.pop()
        needed = {*re.findall(r"\w+", block.foot)}
        for one in reversed(block.operations):
            if needed & {*one.names}:
                found.add(id(one))
                needed.update(one.operands)
                waiting += [*one.inner, *(blocks[name] for name in one.calls)]
    return found


@with_names
@pytest.mark.parametrize("name", [*FORWARD, *BACKWARD])
def test_what_the_executable_has_comes_from_what_was_lowered(name):
    """Every name that XLA was given and kept, with all of its lines."""
    (stablehlo, of_stablehlo), (hlo, of_hlo) = of_function((FORWARD | BACKWARD)[name], ("stablehlo", "hlo"))
    lowered = {origin for one in stablehlo.operations() for origin in of_stablehlo[one]}
    compiled = {origin for one in hlo.operations() if one.frames for origin in of_hlo[one] if origin.path}
    assert compiled and not compiled - lowered


@pytest.mark.skipif(jax.__version_info__ >= KNOWN_FROM, reason="newer JAX has names that are known")
def test_before_names_are_known_no_equation_has_one():
    (jaxpr, of_jaxpr), _ = of_function(scanned, ("jaxpr", "stablehlo"))
    assert all(origin.lines and not origin.path for one in jaxpr.operations() for origin in of_jaxpr[one])


@with_names
def test_what_is_not_printed_as_the_jaxpr_has_it_has_no_name():
    pipeline = Pipeline(lambda: jax.jit(scanned).trace(X, W))
    made = program("jaxpr", pipeline)
    scan = next(one for one in made.operations() if one.opcode == "scan")
    scan.inner[0].operations.pop()
    name_equations(made, pipeline.traced)
    assert scan.path == "while" and scan.around == (None,)
    assert {one.path for one in scan.inner[0].operations} == {""}
