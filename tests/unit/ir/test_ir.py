"""Texts → programs, and what is found in them: lines, parts, trees, loops. Without JAX."""

import re

import pytest

from jitinspect.ir import hlo, jaxpr, mlir, selection
from jitinspect.ir.attribution import Line, attribute, is_users
from jitinspect.ir.fold import fold
from jitinspect.ir.hlo_stack_frames import StackFrames
from jitinspect.ir.interleave import interleave
from jitinspect.ir.mlir_locations import Locations
from jitinspect.ir.outline import outline
from jitinspect.ir.program import Frame
from jitinspect.ir.text_view import TextView, parents
from jitinspect.ir.unrolled_loops import unrolled_loops

HLO = """HloModule jit_f, is_scheduled=true

FileNames
1 "/lib/site-packages/lib.py"
2 "/home/me/net \\"a\\".py"

FunctionNames
1 "relu"
2 "net"

FileLocations
1 {file_name_id=1 function_name_id=1 line=7 end_line=7 column=1 end_column=9}
2 {file_name_id=2 function_name_id=2 line=3 end_line=3 column=1 end_column=9}
3 {file_name_id=2 function_name_id=2 line=4 end_line=4 column=1 end_column=9}

StackFrames
1 {file_location_id=2 parent_frame_id=1}
2 {file_location_id=1 parent_frame_id=2}
3 {file_location_id=3 parent_frame_id=1}


%fused (p.0: f32[8], p.1: f32[8]) -> f32[8] {
  %p.0 = f32[8]{0} parameter(0)
  %p.1 = f32[8]{0} parameter(1)
  %max.1 = f32[8]{0} maximum(%p.0, %p.1), metadata={op_name="jit(f)/max" stack_frame_id=2}
  ROOT %add.1 = f32[8]{0} add(%max.1, %p.1), metadata={op_name="a) = (b" stack_frame_id=3}
}

%body (t: (s32[], f32[8])) -> (s32[], f32[8]) {
  ROOT %t = (s32[], f32[8]{0}) parameter(0)
}

%test (t.1: (s32[], f32[8])) -> pred[] {
  %t.1 = (s32[], f32[8]{0}) parameter(0)
  ROOT %yes = pred[] constant(true)
}

ENTRY %main (x: f32[8]) -> f32[8] {
  %x = f32[8]{0} parameter(0), metadata={op_name="x"}
  %zero = s32[] constant(0)
  %odd = f32[2]{0} constant({1, -2}), metadata={op_name="c(" stack_frame_id=1}
  %copy = f32[8]{0} copy(%x)
  %fusion.1 = f32[8]{0} fusion(%copy, %x), kind=kLoop, calls=%fused, metadata={op_name="jit(f)/add" stack_frame_id=3}
  %tuple = (s32[], f32[8]{0}) tuple(%zero, %fusion.1)
  %while = (s32[], f32[8]{0}) while(%tuple), condition=%test, body=%body, metadata={stack_frame_id=1}, backend_config={"known_trip_count":{"n":"7"}}
  %call = f32[8]{0} custom-call(%fusion.1), custom_call_target="f(g", called_computations={%body, %test}
  ROOT %out = f32[8]{0} get-tuple-element(%while), index=1
}
"""  # noqa: E501
MINE = '/home/me/net "a".py'


def mine(file):
    return file == MINE


def named(program, name):
    return next(one for one in program.operations() if name in one.names)


def test_hlo_is_read_with_types_operands_calls_and_literals():
    program = hlo.parse(HLO)
    assert [block.name for block in program.blocks] == ["fused", "body", "test", "main"]
    assert program.entry.name == "main" and program.blocks[0].parameters == ("p.0", "p.1")
    loop = named(program, "while")
    assert (loop.opcode, loop.operands, loop.calls) == ("while", ("tuple",), ("test", "body"))
    assert loop.type == "(s32[], f32[8]{0})"
    assert named(program, "odd").rest.startswith("{1, -2}") and named(program, "odd").operands == ()
    assert named(program, "x").rest.startswith("0")
    call = named(program, "call")
    assert (call.operands, call.calls) == (("fusion.1",), ("body", "test"))
    assert named(program, "add.1").operands == ("max.1", "p.1")


def test_hlo_without_percent_signs_is_the_same():
    def operations(program):
        return [(one.names, one.opcode, one.operands, one.calls) for one in program.operations()]

    assert operations(hlo.parse(HLO.replace("%", ""))) == operations(hlo.parse(HLO))


def test_a_stack_is_innermost_first_and_a_parent_is_printed_one_higher():
    stacks = StackFrames(HLO)
    assert stacks[2] == (Frame("/lib/site-packages/lib.py", 7, "relu"), Frame(MINE, 3, "net"))
    assert stacks[3] == (Frame(MINE, 4, "net"),)
    assert stacks[99] == () and StackFrames("no tables")[1] == ()


def test_lines_are_the_operations_own_then_those_of_moved_data_then_the_callers():
    program = hlo.parse(HLO)
    attribution = attribute(program, is_users=mine)

    def lines(name):
        return [line.line for line in attribution.lines(named(program, name))]

    assert lines("max.1") == [3], "the library's line is passed over"
    assert lines("fusion.1") == [3, 4], "a fusion has all lines of what it holds"
    assert lines("copy") == [3, 4], "moved for what uses it"
    assert lines("tuple") == [3] and lines("out") == [3]
    assert lines("x") == [] and lines("zero") == []


def test_users_files_are_those_that_are_not_installed():
    assert is_users("/home/me/x.py") and not is_users(re.__file__) and not is_users("<string>")
    assert not is_users("/opt/venv/lib/python3.12/site-packages/lib/f.py")
    assert not is_users("/usr/lib/python3/dist-packages/lib/f.py")


def test_a_frame_of_a_library_beats_what_follows_from_the_data():
    text = HLO.replace("copy(%x)", "copy(%x), metadata={stack_frame_id=4}")
    text = text.replace("index=1", "index=1, metadata={stack_frame_id=4}")
    text = text.replace("\n\n\n%fused", "\n4 {file_location_id=1 parent_frame_id=1}\n\n\n%fused")
    program = hlo.parse(text)
    attribution = attribute(program, is_users=mine)
    for name in ("copy", "out"):
        assert attribution.lines(named(program, name)) == (Line("/lib/site-packages/lib.py", 7),)


def test_of_several_libraries_the_targets_own_is_preferred():
    frames = (Frame("/s/site-packages/low/f.py", 1, "f"), Frame("/s/site-packages/high/g.py", 2, "g"))
    program = jaxpr.parse(JAXPR, lambda row, column: frames)
    sin = named(program, "i")
    for own, line in ((None, frames[0]), ("/s/site-packages/high/h.py", frames[1])):
        assert attribute(program, own).lines(sin) == (Line(line.file, line.line),)


def test_an_inner_jit_of_a_library_has_the_line_of_the_users_that_calls_it():
    library, users = Frame("/s/site-packages/low/f.py", 1, "f"), Frame("/me/net.py", 2, "net")
    for caller in (users, library):
        program = jaxpr.parse(JAXPR, lambda row, column, caller=caller: (caller if row else library,))
        assert attribute(program).lines(named(program, "b")) == (Line(caller.file, caller.line),)


MLIR = """module @jit_f {
  func.func public @main(%arg0: tensor<8xf32>) -> (tensor<8xf32> {jax.result_info = "result"}) {
    %c = stablehlo.constant dense<0> : tensor<i32>
    %0:2 = stablehlo.while(%iterArg = %c, %iterArg_0 = %arg0) : tensor<i32>, tensor<8xf32>
    cond {
      %3 = stablehlo.compare LT, %iterArg, %c : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %3 : tensor<i1>
    } do {
      %3 = func.call @relu(%iterArg_0) : (tensor<8xf32>) -> tensor<8xf32>
      stablehlo.return %iterArg, %3 : tensor<i32>, tensor<8xf32>
    }
    %1 = "stablehlo.sort"(%0#1) <{dimension = 0 : i64}> ({
    ^bb0(%arg1: tensor<f32>, %arg2: tensor<f32>):
      %3 = stablehlo.compare LT, %arg1, %arg2 : (tensor<f32>, tensor<f32>) -> tensor<i1>
      stablehlo.return %3 : tensor<i1>
    }) : (tensor<8xf32>) -> tensor<8xf32>
    %2 = stablehlo.select %c, %1, %1 : tensor<i1>, tensor<8xf32>
    return %2 : tensor<8xf32>
  }
  func.func private @relu(%arg0: tensor<8xf32>) -> tensor<8xf32> {
    return %arg0 : tensor<8xf32>
  }
}
"""


def test_regions_belong_to_their_operation():
    program = mlir.parse(MLIR)
    loop = named(program, "%0")
    assert [block.parameters for block in loop.inner] == [("%iterArg", "%iterArg_0")] * 2
    assert [one.opcode for one in loop.inner[1].operations] == ["func.call", "stablehlo.return"]
    assert loop.inner[1].operations[0].calls == ("relu",)
    assert loop.operands == ("%c", "%arg0") and (loop.start, loop.end) == (3, 11)
    sort = named(program, "%1")
    assert sort.operands == ("%0",) and sort.type == "tensor<8xf32>"
    assert named(program, "%2").type == "tensor<8xf32>"
    assert [block.name for block in program.blocks] == ["main", "relu"] and program.entry.name == "main"


def test_locations_resolve_names_calls_and_fusions():
    locations = Locations(
        [
            '#loc1 = loc("/me/f.py":3:4 to :9)',
            '#loc2 = loc("layer"(#loc1))',
            '#loc3 = loc("net"(#loc4))',
            '#loc4 = loc("/me/f.py":8:1)',
            "#loc5 = loc(callsite(#loc2 at #loc3))",
            '#loc6 = loc("jit(net)/tanh"(#loc5))',
            "#loc7 = loc(fused[#loc9, #loc6])",
            "#loc8 = loc(#loc8)",
        ]
    )
    expected = (Frame("/me/f.py", 3, "layer"), Frame("/me/f.py", 8, "net"))
    assert locations["#loc6"] == expected and locations["#loc7"] == expected
    assert locations['"add"(callsite(#loc2 at #loc3))'] == expected
    assert locations["#loc8"] == locations["unknown"] == locations["#loc77"] == ()


JAXPR = """let relu = { lambda ; a:f32[8]. let b:f32[8] = max a 0.0:f32[] in (b,) } in
{ lambda c:i32[3]; d:f32[8]. let
    debug_print[
      fmt=in [ } (
      ordered=False
    ] d
    e:f32[8] = jit[name=relu jaxpr=relu] d
    f:f32[8] g:f32[7] = scan[
      jaxpr={ lambda ; h:f32[8]. let
          i:f32[8] = sin h
          j:f32[] = reduce_sum[axes=(0,)] i
        in (i, j) }
      length=7
    ] e
    k:f32[8] = cond[
      branches=(
        { lambda ; l:f32[8]. let m:f32[8] = pow[y=2] l; n:f32[8] = neg m in (n,) }
        relu
      )
    ] 0:i32[] f
  in (k, c) }"""


def test_jaxprs_are_read_with_inner_and_shared_ones():
    program = jaxpr.parse(JAXPR)
    assert [block.name for block in program.blocks] == ["relu", "main"] and program.entry.name == "main"
    assert [one.opcode for one in program.entry.operations] == ["debug_print", "jit", "scan", "cond"]
    assert named(program, "e").calls == ("relu",) and named(program, "k").calls == ("relu",)
    assert [one.opcode for one in named(program, "k").inner[0].operations] == ["pow", "neg"]
    scan = named(program, "f")
    assert (scan.names, scan.type, scan.operands) == (("f", "g"), "f32[8] f32[7]", ("e",))
    assert (scan.start, scan.end) == (7, 14)
    assert named(program, "k").operands == ("f",), "a literal is no operand"


@pytest.mark.parametrize("text", ["", "what?", JAXPR[:120], JAXPR[:300]])
def test_a_malformed_jaxpr_is_an_error(text):
    with pytest.raises(jaxpr.Unreadable):
        jaxpr.parse(text)


def test_a_selection_shows_its_operations_and_the_blocks_around_them():
    program = mlir.parse(MLIR)
    view = TextView(program)
    chosen = selection.by_name(program, re.compile("func.call"))
    view.show(chosen, parents(program, chosen))
    assert view.text().split("\n") == [
        "…",
        *MLIR.split("\n")[1:2],
        "    …",
        *MLIR.split("\n")[3:4],
        "    …",
        *MLIR.split("\n")[7:9],
        "      …",
        *MLIR.split("\n")[10:11],
        "    …",
        *MLIR.split("\n")[18:19],
        "  …",
    ]


def test_neighbours_are_operands_and_users_within_so_many_steps():
    program = hlo.parse(HLO)
    chosen = selection.by_name(program, re.compile("^fusion$"))

    def near(steps):
        return sorted(one.names[0] for one in selection.with_neighbours(program, chosen, steps))

    assert near(0) == ["fusion.1"]
    assert near(1) == ["call", "copy", "fusion.1", "tuple", "x"]
    assert near(2) == ["call", "copy", "fusion.1", "tuple", "while", "x", "zero"]


def test_a_line_selects_what_it_made_and_what_it_called():
    program = hlo.parse(HLO)
    attribution = attribute(program, is_users=mine)
    found = selection.by_line(program, attribution, "", 4)
    assert [one.names[0] for one in found] == ["add.1", "copy", "fusion.1", "call"]
    assert selection.by_line(program, attribution, "other.py", 4) == []
    assert selection.by_line(program, attribution, 'net "a".py', 4) == found


def test_a_fusion_is_found_by_its_name_and_by_its_computations():
    program = hlo.parse(HLO)
    names = ["fusion.1", "p.0", "p.1", "max.1", "add.1"]
    for asked in ("fusion.1", "%fusion.1", "fused"):
        assert [one.names[0] for one in selection.by_fusion(program, asked)] == names


def test_inner_blocks_fold_into_one_line_each():
    view = TextView(hlo.parse(HLO))
    fold(view)
    folded = "{ … 4 instructions: 2 parameter, 1 maximum, 1 add }"
    assert f"%fused (p.0: f32[8], p.1: f32[8]) -> f32[8] {folded}\n%body" in view.text()
    assert "  %fusion.1 = " in view.text()

    view = TextView(jaxpr.parse(JAXPR))
    fold(view)
    assert (
        "      jaxpr={ lambda ; h:f32[8]. let … 2 equations: 1 sin, 1 reduce_sum in (i, j) }\n" in view.text()
    )

    view = TextView(mlir.parse(MLIR))
    fold(view)
    assert (
        "    cond {\n      … 2 operations: 1 stablehlo.compare, 1 stablehlo.return\n    } do {" in view.text()
    )
    assert "-> tensor<8xf32> { … 1 operation: 1 return }" in view.text()


def test_comments_are_where_the_line_changes():
    program = hlo.parse(HLO)
    view = TextView(program)
    interleave(view, attribute(program, is_users=mine), lambda line: f"line {line.line}")
    assert "  // line 3\n  %max.1" in view.text() and "  // line 4\n  ROOT %add.1" in view.text()
    assert (
        "  // line 3\n  // line 4\n  %copy" in view.text()
        and "//" not in view.text().split("%fusion.1")[1][:90]
    )


def test_an_outline_has_trip_counts_and_groups_equal_blocks():
    tree = outline(hlo.parse(HLO))
    assert (tree.label, tree.operations, tree.ops["fusion"]) == ("main", 9, 1)
    assert [(one.label, one.runs) for one in tree.branches[:2]] == [("while test", 7), ("while body", 7)]
    twice = "\n".join(["    {}:f32[8] = jit[name=relu jaxpr=relu] d"] * 3).format("a", "b", "c")
    tree = outline(
        jaxpr.parse(
            "let relu = { lambda ; a:f32[8]. let b:f32[8] = max a 0.0:f32[] in (b,) } in\n"
            f"{{ lambda ; d:f32[8]. let\n{twice}\n  in (c,) }}"
        )
    )
    (branch,) = tree.branches
    assert (branch.label, branch.times, branch.operations) == ("jit relu", 3, 1)


def loop(times, body="sin cos"):
    """A jaxpr with an unrolled loop, and other equations around it."""
    lines = ["    b:f32[8] = exp a"]
    for _ in range(times):
        lines += [f"    b:f32[8] = {op} b" for op in body.split()]
    lines += ["    b:f32[8] = exp b"]
    return "{ lambda ; a:f32[8]. let\n" + "\n".join(lines) + "\n  in (b,) }"


def loops(text, loop_of, *frames):
    """The unrolled loops of a jaxpr; odd rows have the first stack, even ones the second."""
    program = jaxpr.parse(text, lambda row, column: frames[(row + 1) % len(frames)])
    found = unrolled_loops(program, attribute(program, is_users=mine), loop_of)
    return [(one.line.line, one.times, one.period) for one in found]


def at(*lines):
    """A stack in the user's file, innermost first."""
    return tuple(Frame(MINE, line, "net") for line in lines)


def loop_at_3(line):
    """A loop that begins at line 3 and ends at line 9."""
    return Line(line.file, 3) if 3 <= line.line <= 9 else None


@pytest.mark.parametrize(("times", "expected"), [(3, []), (4, [(3, 4, 4)]), (96, [(3, 96, 4)])])
def test_an_unrolled_loop_is_found_by_its_line(times, expected):
    assert loops(loop(times, "sin cos tan tanh"), loop_at_3, at(4), at(5)) == expected


@pytest.mark.parametrize(("times", "expected"), [(20, []), (60, [(3, 60, 2)])])
def test_a_short_body_matters_only_if_it_runs_often(times, expected):
    assert loops(loop(times), loop_at_3, at(4), at(5)) == expected


def test_a_loop_is_reported_once_with_what_its_gradient_repeats():
    """The gradient has an iteration less here."""
    both = loop(6, "sin cos")[: -len("  in (b,) }")] + loop(5, "mul add").split("let\n")[1]
    assert loops(both, loop_at_3, at(4), at(5)) == [(3, 6, 4)]


def test_what_is_repeated_outside_of_a_python_loop_of_the_users_is_no_loop():
    """`jax.tree.map` in a function of the user's, and an optimizer of a library with a loop in it."""
    body = loop(8, "sin cos tan tanh")
    assert loops(body, loop_at_3, at(12), at(13, 20)) == []
    library = (Frame("/s/site-packages/lib.py", 4, "update"), *at(20))
    assert loops(body, loop_at_3, library, library) == []


def test_iterations_that_differ_in_their_shapes_cannot_be_scanned():
    """Weights and biases in turn, in a comprehension over all of them."""
    pair = "    b:f32[8] = sin a\n    b:f32[8] = cos a\n    b:f32[2] = sin a\n    b:f32[2] = cos a\n"
    text = "{ lambda ; a:f32[8]. let\n" + pair * 6 + "  in (b,) }"
    assert loops(text, loop_at_3, at(4), at(5)) == []
    assert loops(text.replace("f32[2]", "f32[8]"), loop_at_3, at(4), at(5)) == []
