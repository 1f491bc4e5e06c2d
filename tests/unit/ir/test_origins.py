"""Origins of operations, by texts that are written here."""

from jitinspect.ir import hlo, mlir
from jitinspect.ir.attribution import Line, attribute
from jitinspect.ir.origins import Origin, Origins

TABLES = """
FileNames
1 "/u/net.py"
2 "/lib/site-packages/lib.py"

FunctionNames
1 "f"

FileLocations
1 {file_name_id=1 function_name_id=1 line=3 end_line=3 column=1 end_column=2}
2 {file_name_id=1 function_name_id=1 line=9 end_line=9 column=1 end_column=2}
3 {file_name_id=2 function_name_id=1 line=70 end_line=70 column=1 end_column=2}

StackFrames
1 {file_location_id=2}
2 {file_location_id=2 parent_frame_id=2}
3 {file_location_id=1 parent_frame_id=3}
4 {file_location_id=3 parent_frame_id=1}

"""
ADD = "jit(f)/while/body/add"
HLO = f"""HloModule jit_f
{TABLES}%fused (p: f32[4]) -> f32[4] {{
  %p = f32[4] parameter(0)
  %sine.1 = f32[4] sine(%p), metadata={{op_name="jit(f)/while/body/eval_jaxpr/sin" stack_frame_id=3}}
  ROOT %add.1 = f32[4] add(%sine.1, %sine.1), metadata={{op_name="jit(f)/while/body/add" stack_frame_id=1}}
}}

ENTRY %main (x: f32[4]) -> f32[4] {{
  %x = f32[4] parameter(0), metadata={{op_name="x"}}
  %fusion = f32[4] fusion(%x), kind=kLoop, calls=%fused, metadata={{op_name="{ADD}" stack_frame_id=1}}
  %copy = f32[4] copy(%fusion)
  %sum = f32[4] negate(%copy), metadata={{op_name="jit(f)/(a/psum:b/psum)" stack_frame_id=1}}
  ROOT %own = f32[4] negate(%sum), metadata={{op_name="jit(f)/jit(g)/neg;jit(f)/neg" stack_frame_id=4}}
}}
"""
NET = "/u/net.py"
IN_LOOP = Origin((Line(NET, 3), Line(NET, 9)), "while/body/sin")
ADDED = Origin((Line(NET, 9),), "while/body/add")


def of_hlo():
    program = hlo.parse(HLO)
    hlo.name_instructions(program, HLO)
    found = Origins(program, attribute(program, is_users=lambda file: file == NET))
    return {one.names[0]: found[one] for one in program.operations()}


def test_lines_are_the_users_without_repeats_and_the_name_is_that_of_all_versions():
    assert of_hlo()["sine.1"] == (IN_LOOP,) and of_hlo()["add.1"] == (ADDED,)


def test_a_fusion_has_the_origins_of_all_that_is_in_it():
    assert set(of_hlo()["fusion"]) == {IN_LOOP, ADDED}


def test_what_was_merged_has_the_names_of_all():
    assert [one.path for one in of_hlo()["sum"]] == ["a/psum", "b/psum"]
    assert [one.path for one in of_hlo()["own"]] == ["jit(g)/neg", "neg"]


def test_without_a_line_of_the_users_there_is_the_librarys():
    assert {one.lines for one in of_hlo()["own"]} == {(Line("/lib/site-packages/lib.py", 70),)}


def test_what_only_moves_data_has_its_lines_and_no_name():
    assert of_hlo()["copy"] == (Origin((Line(NET, 3),), ""), Origin((Line(NET, 9),), ""))
    assert of_hlo()["x"] == ()


FUNCTION = """  func.func private @g{0}(%arg0: tensor<4xf32>) -> tensor<4xf32> {{
    %0 = {1} loc(#loc3)
    return %0 : tensor<4xf32> loc(#loc)
  }} loc(#loc)
"""


def nested(depth):
    """Functions that each call the next one twice, from different lines."""
    called = "call @g{0}(%arg0) : (tensor<4xf32>) -> tensor<4xf32>"
    calls = f"{called} loc(#loc{{1}})\n    %{{2}} = {called}"
    functions = "".join(FUNCTION.format(at, calls.format(at + 1, 4, 1)) for at in range(depth))
    return f"""#loc = loc(unknown)
module @jit_f {{
  func.func public @main(%arg0: tensor<4xf32>) -> tensor<4xf32> {{
    %0 = call @g0(%arg0) : (tensor<4xf32>) -> tensor<4xf32> loc(#loc3)
    return %0 : tensor<4xf32> loc(#loc)
  }} loc(#loc)
{functions}{FUNCTION.format(depth, "stablehlo.sine %arg0 : tensor<4xf32>")}}} loc(#loc)
#loc1 = loc("{NET}":3:1)
#loc2 = loc("{NET}":9:1)
#loc5 = loc("f"(#loc1))
#loc6 = loc("f"(#loc2))
#loc3 = loc("sin"(#loc5))
#loc4 = loc("neg"(#loc6))
"""


def of_innermost(depth):
    program = mlir.parse(nested(depth))
    found = Origins(program, attribute(program, is_users=lambda file: file == NET))
    return found[program.named()[f"g{depth}"].operations[0]]


def test_each_way_to_an_operation_has_an_origin():
    assert len(of_innermost(1)) == 2 and len(of_innermost(3)) == 8


def test_of_more_ways_than_anybody_reads_the_line_is_left():
    assert of_innermost(12) == (Origin((Line(NET, 3),), ""),)
