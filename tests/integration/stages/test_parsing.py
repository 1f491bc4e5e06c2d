"""The three texts, parsed as programs: nothing is lost, and nearly everything has a line of the user."""

from collections import Counter
from functools import cache

import jax
import pytest

from jitinspect.ir.attribution import attribute
from jitinspect.stages.parsing import program
from jitinspect.stages.pipeline import STAGE_READERS, Options, Pipeline
from samples import mlp, transformer
from tests.support import program_samples
from tests.support.program_samples import CASES, OF_USERS


@cache
def pipeline(name):
    function, *args = CASES[name]()
    jitted = function if hasattr(function, "trace") else jax.jit(function)
    path = Pipeline(lambda: jitted.trace(*args))
    return path


def expanded(read, whole):
    """The opcodes in a block and in all that it contains or calls, as often as it does."""
    named = read.named()
    counts = Counter(operation.opcode for operation in whole.operations)
    for operation in whole.operations:
        held = [block for block in operation.inner if not block.name or read.stage != "jaxpr"]
        for block in (*held, *(named[name] for name in operation.calls)):
            counts += expanded(read, block)
    return counts


def equations(jaxpr):
    """The same for the jaxpr itself."""
    jaxpr = getattr(jaxpr, "jaxpr", jaxpr)
    counts = Counter(equation.primitive.name for equation in jaxpr.eqns)
    for equation in jaxpr.eqns:
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple | list) else [value]:
                if hasattr(getattr(inner, "jaxpr", inner), "eqns"):
                    counts += equations(inner)
    return counts


@pytest.mark.parametrize("name", CASES)
def test_every_equation_of_a_jaxpr_is_read(name):
    path = pipeline(name)
    read = program("jaxpr", path)
    assert "\n".join(read.lines) == str(path.traced.jaxpr)
    assert expanded(read, read.entry) == equations(path.traced.jaxpr)
    for operation in read.operations():
        assert operation.opcode in read.lines[operation.start] or operation.names


@pytest.mark.parametrize("name", CASES)
def test_a_jaxpr_without_its_text_is_the_same(name):
    """Except what a library's own type prints itself: that is in the text twice."""
    path = pipeline(name)
    read, walk = program("jaxpr", path), program("jaxpr", path, text=False)
    assert expanded(walk, walk.entry) == expanded(read, read.entry)
    if name != "linear algebra":
        assert counts(walk) == counts(read)


def counts(read):
    return Counter((one.opcode, one.type, one.frames) for one in read.operations())


@pytest.mark.parametrize("name", CASES)
def test_every_operation_of_a_module_is_read(name):
    path = pipeline(name)
    read = program("stablehlo", path)
    assert "\n".join(read.lines) == STAGE_READERS["stablehlo"](path, Options()).text
    found = Counter(operation.opcode.removeprefix("func.") for operation in read.operations())
    assert found == operations(path.lowered.compiler_ir("stablehlo").operation)


def operations(module):
    """Except those in a region that the text abbreviates (`applies stablehlo.add`)."""
    from jax._src.lib.mlir import ir  # noqa: TID251 (to walk the live module)

    counts = Counter()

    def visit(operation):
        name = operation.name
        if name not in ("builtin.module", "func.func", "sdy.mesh"):
            counts[name.removeprefix("func.")] += 1
        return (
            ir.WalkResult.SKIP
            if name == "stablehlo.reduce" and is_short(operation)
            else ir.WalkResult.ADVANCE
        )

    module.walk(visit, ir.WalkOrder.PRE_ORDER)
    return counts


def is_short(operation):
    return " applies " in str(operation).split("\n")[0]


@pytest.mark.parametrize("stage", ["hlo", "hlo-before"])
@pytest.mark.parametrize("name", CASES)
def test_every_instruction_of_an_executable_is_read(name, stage):
    path = pipeline(name)
    read = program(stage, path)
    assert "\n".join(read.lines) == STAGE_READERS[stage](path, Options()).text
    rows = [line for line in read.lines if line.startswith("  ") and " = " in line]
    assert len(rows) == len(list(read.operations()))
    made = {name for operation in read.operations() for name in operation.names}
    for block in read.blocks:
        for operation in block.operations:
            assert set(operation.operands) <= made, operation
            assert set(operation.calls) <= {one.name for one in read.blocks}, operation


@pytest.mark.skipif(jax.__version_info__ < (0, 10), reason="XLA's bindings list no instructions before 0.10")
@pytest.mark.parametrize("name", ["loops", "flax and optax", "linear algebra"])
def test_instructions_are_those_of_xla(name):
    path = pipeline(name)
    read = program("hlo", path)
    (module,) = path.compiled.runtime_executable().hlo_modules()
    from_xla = {
        computation.name: [instruction.name for instruction in computation.instructions()]
        for computation in module.computations()
    }
    assert {block.name: sorted(one.names[0] for one in block.operations) for block in read.blocks} == {
        block: sorted(names) for block, names in from_xla.items()
    }


FILES = {module.__file__ for module in (program_samples, mlp, transformer)}
MADE_BY_NO_LINE = ("parameter", "constant", "return")
LIMITS = {"jaxpr": 0.95, "stablehlo": 0.9, "hlo": 0.9, "hlo-before": 0.9}


@pytest.mark.parametrize("stage", LIMITS)
@pytest.mark.parametrize("name", OF_USERS)
def test_nearly_everything_has_a_line_of_the_users(name, stage):
    read = program(stage, pipeline(name))
    attribution = attribute(read, is_users=FILES.__contains__)
    made = [one for one in read.operations() if one.opcode.rpartition(".")[2] not in MADE_BY_NO_LINE]
    with_line = sum(bool(attribution.lines(one)) for one in made)
    assert with_line >= LIMITS[stage] * len(made)
