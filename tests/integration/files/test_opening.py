"""What a file holds, read as the function is from which it came."""

import jax
import pytest

from jitinspect.files.opening import opened
from jitinspect.stages import inspection
from samples import mlp

CALL = (jax.ShapeDtypeStruct((128, 784), "float32"), jax.ShapeDtypeStruct((784, 10), "float32"))


def texts(report):
    return {one.stage: one.text for one in report.artifacts}


@pytest.fixture
def module(tmp_path):
    file = tmp_path / "module.mlir"
    operation = mlp.loss_fn.lower(*CALL).compiler_ir("stablehlo").operation
    file.write_text(operation.get_asm(enable_debug_info=True))
    return str(file)


def test_a_module_becomes_what_the_function_becomes(module):
    stages = ("stablehlo", "hlo-before", "hlo")
    of_file = inspection.inspect(inspection.Request("show", module, stages), opener=opened)
    of_function = inspection.inspect_call(mlp.loss_fn, (CALL, {}), inspection.Request("show", "", stages))
    assert texts(of_file) == texts(of_function)
    assert {one.phase for one in of_file.events} == {"compile"}
