"""What `jaxapi.executables.absent` takes from JAX: where it hands a module to XLA, and gets an executable.

CPU compiles for itself only, so JAX is made to believe that its client compiles only: the handing over and
the way back are JAX's own.
"""

import jax
import jax.numpy as jnp
import pytest
from jax._src.lib import _jax

from jitinspect.errors import CompileError, UnavailableError
from jitinspect.jaxapi.executables import absent
from jitinspect.jaxapi.executables.absent import Outcome, carry_out, compiled_by, outcome


@pytest.fixture
def handed(monkeypatch, tmp_path):
    """What JAX hands over, once the CPU's client passes for one that only compiles."""
    monkeypatch.setattr(_jax, "CompileOnlyPyClient", type(jax.devices()[0].client))
    found = []

    def compiler(compilation):
        found.append(compilation)
        return Outcome(
            texts=("HloModule jit_f\n",), memory={"argument_size_in_bytes": 12}, cost={"flops": 3.0}
        )

    with compiled_by(compiler, lambda: str(tmp_path)):
        yield found


def lowered():
    return jax.jit(lambda x: jnp.sin(x) + 1).lower(jax.ShapeDtypeStruct((3,), "float32"))


def test_this_jax_can_leave_a_compilation_to_another_process():
    assert absent.why_not() is None


def test_jax_hands_over_the_module_its_options_and_devices(handed, tmp_path):
    lowered().compile()
    (compilation,) = handed
    assert compilation.name == "jit__lambda" and compilation.devices == (jax.devices()[0].id,)
    assert compilation.dump == str(tmp_path) and compilation.dump.encode() in compilation.options
    assert compilation.module[:4] == b"ML\xefR"


def test_what_comes_back_is_a_compiled_function_of_jax(handed):
    compiled = lowered().compile()
    assert compiled.as_text() == "HloModule jit_f\n"
    assert compiled.memory_analysis().argument_size_in_bytes == 12
    assert compiled.cost_analysis()["flops"] == 3.0
    assert outcome(compiled).texts == ("HloModule jit_f\n",)
    assert len(jax.tree.leaves(compiled.input_shardings)) == 1


def test_a_dump_that_was_asked_for_goes_where_it_was_asked_for(handed, tmp_path):
    lowered().compile(compiler_options={"xla_dump_to": str(tmp_path / "own")})
    assert handed[0].dump == str(tmp_path / "own")


def test_afterwards_jax_compiles_by_itself(handed):
    before = len(handed)
    with compiled_by(lambda compilation: pytest.fail("the inner one"), lambda: ""):
        pass
    lowered().compile()
    assert len(handed) == before + 1


def test_what_was_compiled_here_has_no_outcome():
    with pytest.raises(UnavailableError, match="was not compiled for a device that is not here"):
        outcome(lowered().compile())


def test_an_unknown_platform_is_told():
    with pytest.raises(UnavailableError, match="does not know"):
        absent.absent_devices("abacus", "", {})


def test_what_xla_says_of_a_failure_is_passed_on(handed):
    lowered().compile()

    class Client:
        def compile(self, *args, **options):
            raise RuntimeError("RESOURCE_EXHAUSTED: no room\nmore of it")

    class Device:
        id = handed[0].devices[0]
        client = Client()

    with pytest.raises(CompileError, match="no room\nmore of it"):
        carry_out(handed[0], [Device()])


def test_a_compiler_warms_up_with_a_program_of_ours_that_is_not_dumped():
    """JAX reads it; that XLA compiles it, the tests with its compilers show."""
    given = []

    class Client:
        def compile(self, module, executable_devices, compile_options):
            assert module.operation.verify()
            name = module.operation.attributes["sym_name"].value
            given.append((name, dict(compile_options.env_option_overrides)))
            raise RuntimeError("it is known")

    class Device:
        id = 3
        client = Client()

    with pytest.raises(CompileError, match="it is known"):
        absent.warm_up([Device()])
    assert given == [("warm_up", {"xla_dump_to": ""})]
