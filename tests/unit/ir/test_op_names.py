"""What the metadata of an HLO instruction says that it was made for."""

import pytest

from jitinspect.ir.op_names import op_name, primitive, primitives

LINE = '  %one = f32[8] add(%p, %q), metadata={{op_name="{}" stack_frame_id=1}}, backend_config={{"a":"b/c"}}'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("jit(f)/while/body/psum", ["psum"]),
        ("jit(f)/transpose(jvp())/dot_general", ["dot_general"]),
        ("jit(f)/(a/psum:b/add)", ["psum", "add"]),
        ("jit(f)/a/mul;jit(f)/b/add", ["mul", "add"]),
        ("(w[0]:w[1])", []),
        ("params[\\'a\\']", []),
    ],
)
def test_the_primitives_are_the_last_parts(name, expected):
    line = LINE.format(name)
    assert list(primitives(line)) == expected
    assert primitive(line) == (expected or [""])[0]


def test_an_argument_has_its_path_with_the_quotes_that_python_writes():
    assert op_name(LINE.format("params[\\'a\\']")) == "params['a']"


def test_without_metadata():
    assert op_name("  %one = f32[8] add(%p, %q)") == primitive("  %one = f32[8] add(%p, %q)") == ""
