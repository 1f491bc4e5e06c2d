"""What `module_lines` leans on: MLIR's bindings tell of a module what its text does."""

import jax
import jax.numpy as jnp
import pytest

from jitinspect.ir import mlir
from jitinspect.jaxapi.source_lines import module_lines

pytestmark = pytest.mark.skipif(not module_lines.AVAILABLE, reason="this jaxlib has no classes of locations")
X = jax.ShapeDtypeStruct((4, 4), "float32")


def branches(x):
    doubled = jax.lax.while_loop(lambda c: c.sum() < 10, lambda c: jnp.tanh(c) * 2, x)
    return jax.lax.cond(x.sum() > 0, jnp.sin, lambda a: jnp.sort(a, axis=0), doubled)


def reducers(x):
    """Some are printed as one word, others as blocks."""
    odd = jax.lax.reduce(x, jnp.float32(0), lambda a, b: jnp.maximum(a, b) * 2, (0,))
    windows = jax.lax.reduce_window(x, 0.0, jax.lax.add, (2, 2), (1, 1), "SAME")
    return x.sum(), x.min(0), (x > 0).all(), jnp.prod(x), jnp.argmax(x), odd, windows, jnp.cumsum(x)


def updated(x):
    return x.at[:2].add(1.0), x.at[0].set(2.0), jnp.median(x), jnp.linalg.qr(x)


def loops(x):
    for _ in range(3):
        x = jax.jit(lambda a: jax.nn.softmax(a) @ a)(x)
    return jax.lax.scan(lambda c, _: (jax.nn.relu(c @ c), c.sum()), x, None, length=5)


def drawn(x):
    return jax.random.normal(jax.random.key(0), x.shape) + x


def tells(x):
    jax.debug.print("{}", x.sum())
    return x * 2


@pytest.mark.parametrize("function", [branches, reducers, updated, loops, drawn, tells])
def test_the_module_has_the_operations_and_lines_that_its_text_has(function):
    module = jax.jit(function).lower(X).compiler_ir("stablehlo")
    text = module.operation.get_asm(enable_debug_info=True, large_elements_limit=64)
    assert described(mlir.parse(text)) == described(module_lines.walked(module))


def described(program):
    """Each function with all that is counted, and what lines are inherited along."""
    blocks = program.named()
    return [(one.name, one.is_entry, operations(one, blocks)) for one in program.blocks]


def operations(block, blocks):
    return [
        (
            one.opcode.removeprefix("func."),
            one.frames,
            [name for name in one.calls if name in blocks],
            [operations(inner, blocks) for inner in one.inner],
        )
        for one in block.operations
    ]


def test_the_innermost_line_comes_first_and_names_its_function():
    module = jax.jit(branches).lower(X).compiler_ir("stablehlo")
    entry = module_lines.walked(module).entry
    found = next(one for one in entry.operations if one.opcode == "stablehlo.while")
    assert (found.frames[0].file, found.frames[0].function) == (__file__, "branches")
    assert found.frames[0].line == branches.__code__.co_firstlineno + 1


def test_a_name_that_is_no_ascii_is_that_of_the_file(tmp_path):
    file = tmp_path / "über.py"
    file.write_text("import jax.numpy as jnp\ndef f(x):\n    return jnp.sin(x)\n")
    names: dict = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    module = jax.jit(names["f"]).lower(X).compiler_ir("stablehlo")
    sine = module_lines.walked(module).entry.operations[0]
    assert (sine.frames[0].file, sine.frames[0].line) == (str(file), 3)
