"""The rows of two texts: what is beside what, and what is a change."""

import pytest

from jitinspect.model.comparisons import ADDED, APART, CHANGED, REMOVED, SAME
from jitinspect.readings.diff.block_rows import Comparison
from jitinspect.readings.diff.line_rows import rows_of_lines, rows_of_programs
from jitinspect.readings.diff.stage_texts import parsed

HLO = """HloModule jit_f, is_scheduled=true

%double (p: f32[8]) -> f32[8] {
  %p = f32[8]{0} parameter(0)
  ROOT %add.1 = f32[8]{0} add(%p, %p)
}

%negate (q: f32[8]) -> f32[8] {
  %q = f32[8]{0} parameter(0)
  ROOT %neg.1 = f32[8]{0} negate(%q)
}

ENTRY %main (x: f32[8]) -> f32[8] {
  %x = f32[8]{0} parameter(0)
  %one = f32[8]{0} fusion(%x), kind=kLoop, calls=%double
  ROOT %two = f32[8]{0} fusion(%one), kind=kLoop, calls=%negate
}
"""
RENAMED = """HloModule jit_g, is_scheduled=true

%fused.7 (r: f32[8]) -> f32[8] {
  %r = f32[8]{0} parameter(0)
  ROOT %neg.9 = f32[8]{0} negate(%r)
}

%fused.8 (s: f32[8]) -> f32[8] {
  %s = f32[8]{0} parameter(0)
  ROOT %add.4 = f32[8]{0} add(%s, %s)
}

ENTRY %main.5 (y: f32[8]) -> f32[8] {
  %y = f32[8]{0} parameter(0)
  %a = f32[8]{0} fusion(%y), kind=kLoop, calls=%fused.8
  ROOT %b = f32[8]{0} fusion(%a), kind=kLoop, calls=%fused.7
}
"""
STABLEHLO = """module @jit_f {
  func.func public @main(%arg0: tensor<8xf32>) -> tensor<8xf32> {
    %0 = call @helper(%arg0) : (tensor<8xf32>) -> tensor<8xf32>
    %1:2 = stablehlo.while(%iterArg = %0, %iterArg_0 = %0) : tensor<8xf32>, tensor<8xf32>
    cond {
      %2 = stablehlo.constant dense<true> : tensor<i1>
      stablehlo.return %2 : tensor<i1>
    } do {
      %2 = stablehlo.tanh %iterArg : tensor<8xf32>
      stablehlo.return %2, %iterArg_0 : tensor<8xf32>, tensor<8xf32>
    }
    return %1#0 : tensor<8xf32>
  }
  func.func private @helper(%arg0: tensor<8xf32>) -> tensor<8xf32> {
    %0 = stablehlo.sine %arg0 : tensor<8xf32>
    return %0 : tensor<8xf32>
  }
}
"""
JAXPR = """{ lambda ; a:f32[8]. let
    b:f32[8] = jit[
      name=g
      jaxpr={ lambda ; a:f32[8]. let
          c:f32[8] = tanh a
        in (c,) }
    ] a
    d:f32[8] = sin b
  in (d,) }"""


def rows(stage, before, after):
    """What is beside what, once it is known that each line of both is in one row."""
    programs = parsed(stage, before), parsed(stage, after)
    found = rows_of_programs(*programs, Comparison(*programs).all_blocks())
    for side, program in zip(("before", "after"), programs, strict=True):
        lines = [getattr(row, side) for row in found if getattr(row, side) >= 0]
        assert sorted(lines) == list(range(len(program.lines)))
    assert all((row.before < 0) == (row.kind == ADDED) for row in found if row.kind != APART)
    assert all((row.after < 0) == (row.kind == REMOVED) for row in found if row.kind != APART)
    return found


def changes(stage, before, after):
    """Kind and text of what is not the same: what was changed into what."""
    lines = before.split("\n"), after.split("\n")
    found = [row for row in rows(stage, before, after) if row.kind not in (SAME, APART)]
    text = [
        (row.kind, *(lines[side][row[side + 1]].strip() for side in (0, 1) if row[side + 1] >= 0))
        for row in found
    ]
    return text


@pytest.mark.parametrize(("stage", "text"), [("hlo", HLO), ("stablehlo", STABLEHLO), ("jaxpr", JAXPR)])
def test_a_text_is_the_same_as_itself(stage, text):
    assert [(row.kind, row.before, row.after) for row in rows(stage, text, text)] == [
        (SAME, line, line) for line in range(text.count("\n") + 1)
    ]


def test_other_names_and_another_order_of_computations_are_no_change():
    found = rows("hlo", HLO, RENAMED)
    assert {row.kind for row in found} == {SAME}
    assert [row.after for row in found] == [0, 1, *range(7, 12), *range(2, 7), *range(12, 18)]


def test_other_names_and_another_order_of_functions_are_no_change():
    head, helper = STABLEHLO.split("  func.func private")
    helper = "  func.func private" + helper.removesuffix("}\n")
    start, main = head.split("  func.func public")
    moved = f"{start}{helper}  func.func public{main}}}\n".replace("@helper", "@other").replace(
        "%iterArg_0", "%z"
    )
    assert {row.kind for row in rows("stablehlo", STABLEHLO, moved)} == {SAME}


def test_operations_that_were_added_removed_and_changed():
    more = HLO.replace("f32[8]", "f32[16]", 1).replace(
        "ROOT %neg.1", "%abs.1 = f32[8]{0} abs(%q)\n  ROOT %neg.1"
    )
    assert changes("hlo", HLO, HLO.replace("negate(%q)", "sine(%q)")) == [
        (REMOVED, "ROOT %neg.1 = f32[8]{0} negate(%q)"),
        (ADDED, "ROOT %neg.1 = f32[8]{0} sine(%q)"),
    ]
    assert (ADDED, "%abs.1 = f32[8]{0} abs(%q)") in changes("hlo", HLO, more)
    assert (REMOVED, "%abs.1 = f32[8]{0} abs(%q)") in changes("hlo", more, HLO)
    wider = HLO.replace("%double (p: f32[8])", "%double (p: f32[9])")
    assert changes("hlo", HLO, wider) == [
        (CHANGED, "%double (p: f32[8]) -> f32[8] {", "%double (p: f32[9]) -> f32[8] {")
    ]


def test_what_is_inside_of_an_equation_and_a_region_is_beside_what_it_was():
    assert changes("jaxpr", JAXPR, JAXPR.replace("tanh a", "cos a")) == [
        (REMOVED, "c:f32[8] = tanh a"),
        (ADDED, "c:f32[8] = cos a"),
    ]
    assert changes("jaxpr", JAXPR, JAXPR.replace("c:f32[8] =", "c:f16[8] =")) == [
        (CHANGED, "c:f32[8] = tanh a", "c:f16[8] = tanh a")
    ]
    assert changes("stablehlo", STABLEHLO, STABLEHLO.replace("tanh %iterArg :", "tanh %iterArg_0 :")) == [
        (
            CHANGED,
            "%2 = stablehlo.tanh %iterArg : tensor<8xf32>",
            "%2 = stablehlo.tanh %iterArg_0 : tensor<8xf32>",
        )
    ]


def test_a_computation_that_one_side_has_twice_is_no_change_of_its_lines():
    double = HLO[HLO.index("%double") : HLO.index("%negate")]
    twice = HLO.replace(double, double + double.replace("%double", "%again"))
    more = "  ROOT %more = f32[8]{0} fusion(%two), kind=kLoop, calls=%again\n"
    twice = twice.replace("ROOT %two", "%two").replace("calls=%negate\n", f"calls=%negate\n{more}")
    found = rows("hlo", HLO, twice)
    assert [row.after for row in found if row.kind == APART] == list(range(7, 12))
    assert [row.after for row in found if row.kind == ADDED] == [21]


def test_lines_of_python():
    before = ["def f(x):", "    y = g(x)", "", "    return y"]
    after = ["import jax", "", "def f(x):", "    y = g(x, 2)", "", "    return y"]
    found = rows_of_lines(before, after)
    assert [(row.kind, row.before, row.after) for row in found] == [
        (ADDED, -1, 0), (ADDED, -1, 1), (SAME, 0, 2), (CHANGED, 1, 3), (SAME, 2, 4), (SAME, 3, 5),
    ]  # fmt: skip
    assert {row.kind for row in rows_of_lines(before, before)} == {SAME}
    assert [row.kind for row in rows_of_lines([""], ["x"])] == [REMOVED, ADDED]
