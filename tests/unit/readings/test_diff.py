"""What differs between two programs: names never, anything else always."""

import random
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.model.differences import Difference, Quantity
from jitinspect.readings.diff.alignment import filled, refined
from jitinspect.readings.diff.stage_texts import difference

HEAD = "HloModule jit_f, is_scheduled=true\n\n"
FUSED = """%fused.1 (p: f32[8], q: f32[8]) -> f32[8] {
  %p = f32[8] parameter(0)
  %q = f32[8] parameter(1)
  %mul.3 = f32[8] multiply(%p, %q)
  ROOT %add.4 = f32[8] add(%mul.3, %q)
}

"""
ENTRY = """ENTRY %main.9 (x.1: f32[8], y.1: f32[8]) -> f32[8] {
  %x.1 = f32[8] parameter(0)
  %y.1 = f32[8] parameter(1)
  %constant.2 = f32[] constant(2)
  %dot.3 = f32[8] dot(%x.1, %y.1), lhs_contracting_dims={0}, rhs_contracting_dims={0}
  %fusion.4 = f32[8] fusion(%dot.3, %x.1), kind=kLoop, calls=%fused.1
  ROOT %sub.5 = f32[8] subtract(%fusion.4, %dot.3)
}
"""
HLO = HEAD + FUSED + ENTRY


def hlo(before, after):
    return difference("hlo", before, after)


def lines(found):
    return [line for hunk in found.changes for line in hunk.lines if line[0] in "+-"]


def renamed(text, seed=0):
    """Every name replaced by another, throughout."""
    names = sorted(set(re.findall(r"%([\w.\-]+)", text)))
    others = [f"n{seed}.{number}" for number in range(len(names))]
    random.Random(seed).shuffle(others)
    by_name = dict(zip(names, others, strict=True))
    text = re.sub(r"%([\w.\-]+)", lambda match: f"%{by_name[match[1]]}", text)
    return re.sub(r"([\w.\-]+): ", lambda match: f"{by_name.get(match[1], match[1])}: ", text)


def test_names_are_not_a_difference():
    for seed in range(5):
        assert hlo(HLO, renamed(HLO, seed)).same
    assert hlo(HLO, HLO.replace("jit_f", "jit_g")).same
    assert hlo(HLO, HLO).changes == ()


MUTATIONS = {
    "an operand": ("add(%mul.3, %q)", "add(%mul.3, %mul.3)"),
    "operands swapped": ("subtract(%fusion.4, %dot.3)", "subtract(%dot.3, %fusion.4)"),
    "operands of a fusion": ("fusion(%dot.3, %x.1)", "fusion(%dot.3, %y.1)"),
    "a parameter": ("multiply(%p, %q)", "multiply(%q, %q)"),
    "an opcode": ("add(%mul.3", "maximum(%mul.3"),
    "a constant": ("constant(2)", "constant(3)"),
    "a type": ("%mul.3 = f32[8]", "%mul.3 = bf16[8]"),
    "an attribute": ("lhs_contracting_dims={0}", "lhs_contracting_dims={1}"),
    "a kind": ("kind=kLoop", "kind=kInput"),
    "the module": ("is_scheduled=true", "is_scheduled=true, input_output_alias={ {}: (0, {}, may-alias) }"),
    "the root": ("  ROOT %sub.5", "  %sub.5"),
    "one more": ("  ROOT %sub.5", "  %more = f32[8] negate(%dot.3)\n  ROOT %sub.5"),
    "one less": ("  %constant.2 = f32[] constant(2)\n", ""),
    "which parameter": ("%x.1 = f32[8] parameter(0)", "%x.1 = f32[8] parameter(2)"),
    "inside": ("multiply(%p, %q)", "divide(%p, %q)"),
}


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_real_difference_is_never_hidden(what):
    changed = HLO.replace(*MUTATIONS[what])
    assert changed != HLO
    found = hlo(HLO, changed)
    assert not found.same and lines(found)
    assert not hlo(changed, HLO).same
    assert not hlo(HLO, renamed(changed)).same


def test_only_what_differs_is_shown_with_the_first_ones_names():
    found = hlo(HLO, renamed(HLO.replace("multiply(%p, %q)", "divide(%p, %q)"), 3))
    (hunk,) = found.changes
    assert hunk.block.startswith("fused.1")
    gone = [line for line in hunk.lines if line.startswith("-")]
    came = [line for line in hunk.lines if line.startswith("+")]
    assert gone == ["- %mul.3 = f32[8] multiply(%p, %q)", "- ROOT %add.4 = f32[8] add(%mul.3, %q)"]
    assert len(came) == 2 and "divide(%p, %q)" in came[0]
    assert found.summary.ops == {"divide": 1, "multiply": -1}


def test_calling_another_computation_is_a_difference_though_both_exist():
    other = FUSED.replace("%fused.1", "%fused.2").replace("multiply", "divide")
    both = (
        HEAD
        + FUSED
        + other
        + ENTRY.replace(
            "  ROOT %sub.5", "  %f2 = f32[8] fusion(%dot.3, %x.1), kind=kLoop, calls=%fused.2\n  ROOT %sub.5"
        )
    )
    swapped = both.replace("calls=%fused.1", "calls=%T").replace("calls=%fused.2", "calls=%fused.1")
    assert not hlo(both, swapped.replace("calls=%T", "calls=%fused.2")).same
    assert hlo(both, renamed(both)).same


def test_it_matters_which_of_two_equal_operations_is_used():
    twice = "  %a = f32[8] rng(%x.1)\n  %b = f32[8] rng(%x.1)\n  ROOT %sub.5"
    text = HLO.replace("  ROOT %sub.5", twice).replace("subtract(%fusion.4, %dot.3)", "subtract(%a, %b)")
    assert hlo(text, renamed(text)).same
    assert not hlo(text, text.replace("subtract(%a, %b)", "subtract(%a, %a)")).same


def test_a_size_that_explains_everything_is_summarised():
    found = hlo(HLO, HLO.replace("f32[8]", "f32[16]"))
    (substitution,) = found.summary.substitutions
    assert (substitution.before, substitution.after) == ("8", "16")
    assert found.summary.explained == found.summary.changed == len(lines(found)) / 2
    assert found.summary.bytes.after > found.summary.bytes.before
    assert found.summary.operations == Quantity(5, 5)


def test_an_inserted_operation_does_not_change_what_is_below():
    old, new = "  %fusion.4 = f32[8] fusion(%dot.3", "  %fusion.4 = f32[8] fusion(%neg"
    found = hlo(HLO, HLO.replace(old, f"  %neg = f32[8] negate(%dot.3)\n{new}"))
    assert lines(found) == [
        "+ %neg = f32[8] negate(%dot.3)",
        "- %fusion.4 = f32[8] fusion(%dot.3, %x.1), kind=kLoop, calls=%fused.1",
        "+ %fusion.4 = f32[8] fusion(%neg, %x.1), kind=kLoop, calls=%fused.1",
    ]
    assert (found.summary.added, found.summary.changed, found.summary.removed) == (1, 1, 0)


JAXPR = """let relu = { lambda ; a:f32[8]. let b:f32[8] = max a 0.0:f32[] in (b,) } in
{ lambda c:i32[3]; d:f32[8] q:f32[8]. let
    e:f32[8] = jit[name=relu jaxpr=relu] d
    f:f32[8] g:f32[7] = scan[
      jaxpr={ lambda ; h:f32[8]. let
          i:f32[8] = sin h
          j:f32[] = reduce_sum[axes=(0,)] i
        in (i, j) }
      length=7
    ] e
  in (f, c) }"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("relu = {", "relu = {", True),
        ("d:f32[8]", "d:f32[9]", False),
        ("in (f, c)", "in (c, f)", False),
        ("in (i, j)", "in (i, i)", False),
        ("max a 0.0", "max a 1.0", False),
        ("sin h", "cos h", False),
        ("length=7", "length=8", False),
        ("name=relu", "name=gelu", False),
        ("jaxpr=relu] d", "jaxpr=relu] q", False),
        ("axes=(0,)", "axes=(1,)", False),
    ],
)
def test_jaxprs(old, new, same):
    text = JAXPR.replace(old, new)
    letters = dict(zip("abcdefghijq", "klmnopqrstu", strict=True))
    other = re.sub(r"(?<![\w=])([a-jq])(?=[:\s,)])", lambda match: letters[match[1]], text)
    assert other != text
    assert difference("jaxpr", JAXPR, text).same == same
    assert difference("jaxpr", JAXPR, other).same == same


def test_where_an_object_lies_is_no_difference():
    text = JAXPR.replace("length=7", "callback=Flat(f=<function <lambda> at 0x7f88ec644720>, tree=*)")
    assert difference("jaxpr", text, text.replace("0x7f88ec644720", "0x7f88ec645260")).same
    assert not difference("jaxpr", text, text.replace("<lambda>", "other")).same


MLIR = """module @jit_f {
  func.func public @main(%arg0: tensor<8xf32>, %arg1: tensor<8xf32>) -> tensor<8xf32> {
    %c = stablehlo.constant dense<0> : tensor<i32>
    %0:2 = stablehlo.while(%iterArg = %c, %iterArg_0 = %arg0) : tensor<i32>, tensor<8xf32>
    cond {
      %3 = stablehlo.compare LT, %iterArg, %c : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %3 : tensor<i1>
    } do {
      %3 = func.call @relu(%iterArg_0) : (tensor<8xf32>) -> tensor<8xf32>
      stablehlo.return %iterArg, %3 : tensor<i32>, tensor<8xf32>
    }
    return %0#1 : tensor<8xf32>
  }
  func.func private @relu(%arg0: tensor<8xf32>) -> tensor<8xf32> {
    %0 = stablehlo.negate %arg0 : tensor<8xf32>
    return %0 : tensor<8xf32>
  }
}
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("@relu", "@relu_7", True),
        ("%iterArg_0", "%iterArg_12", True),
        ("%3", "%77", True),
        ("@jit_f", "@jit_g", True),
        ("= %arg0)", "= %arg1)", False),
        ("stablehlo.negate", "stablehlo.cosine", False),
        ("return %0#1", "return %0#0", False),
        ("compare LT, %iterArg, %c", "compare LT, %c, %iterArg", False),
        ("dense<0>", "dense<1>", False),
        ("%arg0: tensor<8xf32>,", "%arg0: tensor<8xf32> {tf.aliasing_output = 0 : i32},", False),
        ("stablehlo.return %iterArg, %3", "stablehlo.return %c, %3", False),
    ],
)
def test_stablehlo(old, new, same):
    assert difference("stablehlo", MLIR, MLIR.replace(old, new)).same == same


OPS = ("add", "multiply", "subtract")


@st.composite
def programs(draw):
    """A computation with random operands."""
    rows = ["%v0 = f32[8] parameter(0)", "%v1 = f32[8] parameter(1)"]
    for at in range(2, draw(st.integers(3, 14))):
        one, other = draw(st.integers(0, at - 1)), draw(st.integers(0, at - 1))
        rows.append(f"%v{at} = f32[8] {draw(st.sampled_from(OPS))}(%v{one}, %v{other})")
    return rows


def text_of(rows):
    body = "\n".join(f"  {row}" for row in [*rows[:-1], f"ROOT {rows[-1]}"])
    return f"HloModule m\n\nENTRY %main (v0: f32[8], v1: f32[8]) -> f32[8] {{\n{body}\n}}\n"


@given(programs(), st.integers(0, 9))
def test_any_program_is_the_same_as_itself_renamed(rows, seed):
    assert hlo(text_of(rows), renamed(text_of(rows), seed)).same


@given(programs(), st.data())
def test_any_change_of_a_program_is_found(rows, data):
    at = data.draw(st.integers(2, len(rows) - 1)) if len(rows) > 2 else 0
    operands = [f"%v{n}" for n in range(max(at, 1))]
    made = data.draw(st.tuples(st.sampled_from(OPS), st.sampled_from(operands), st.sampled_from(operands)))
    other = [*rows[:at], f"%v{at} = f32[8] {made[0]}({made[1]}, {made[2]})", *rows[at + 1 :]]
    found = hlo(text_of(rows), renamed(text_of(other)))
    assert found.same == (rows == other)
    assert bool(lines(found)) != found.same


@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.integers(0, 5), max_size=30))
def test_pairs_increase_on_both_sides_and_are_equal(before, after):
    pairs = filled(refined([], before, after), before, after)
    assert all(before[i] == after[j] for i, j in pairs)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(pairs))


def test_the_difference_from_an_empty_program_is_everything():
    assert hlo(HLO, HLO) == Difference(True, hlo(HLO, HLO).summary, (), "hlo")


def two_computations(first, second):
    """Two fused computations that differ in names alone; each is called with its own operand."""
    fused = "".join(
        f"%{name} (p{at}: f32[8]) -> f32[8] {{\n  %p{at} = f32[8] parameter(0)\n"
        f"  ROOT %{root}.{at} = f32[8] {root}(%p{at})\n}}\n\n"
        for at, (name, root) in enumerate((("fused.1", first), ("fused.2", second)))
    )
    return (
        f"{HEAD}{fused}ENTRY %main.9 (x.1: f32[8]) -> f32[8] {{\n  %x.1 = f32[8] parameter(0)\n"
        "  %one.2 = f32[8] fusion(%x.1), kind=kLoop, calls=%fused.1\n"
        "  ROOT %two.3 = f32[8] fusion(%one.2), kind=kLoop, calls=%fused.2\n}\n"
    )


def test_computations_that_differ_in_names_alone_are_shown_by_their_own_names():
    found = hlo(two_computations("sine", "sine"), two_computations("cosine", "cosine"))
    assert [hunk.block for hunk in found.changes] == ["fused.1", "fused.2"]
    assert lines(found) == [
        "- ROOT %sine.0 = f32[8] sine(%p0)",
        "+ ROOT %cosine.0 = f32[8] cosine(%p0)",
        "- ROOT %sine.1 = f32[8] sine(%p1)",
        "+ ROOT %cosine.1 = f32[8] cosine(%p1)",
    ]


def test_computations_with_the_same_words_may_use_other_operands():
    text = f"{HEAD}{FUSED}{FUSED.replace('fused.1', 'fused.2')}{ENTRY}".replace(
        "ROOT %sub.5 = f32[8] subtract(%fusion.4, %dot.3)",
        "ROOT %other.5 = f32[8] fusion(%fusion.4, %dot.3), kind=kLoop, calls=%fused.2",
    )
    head, second = text.split("%fused.2 (")
    swapped = f"{head}%fused.2 ({second.replace('multiply(%p, %q)', 'multiply(%q, %p)')}"
    assert lines(hlo(text, swapped)) == [
        "- %mul.3 = f32[8] multiply(%p, %q)",
        "+ %mul.3 = f32[8] multiply(%q, %p)",
    ]


def test_one_of_two_computations_that_were_alike_differs():
    found = hlo(two_computations("sine", "sine"), two_computations("sine", "cosine"))
    assert [hunk.block for hunk in found.changes] == ["fused.2"]
    assert found.summary.ops == {"cosine": 1, "sine": -1}


def test_an_operand_that_has_only_got_the_name_of_another_is_not_the_same():
    """`%b` is a value that the other module does not have, and that is called like another one there."""
    before = f"{HEAD}ENTRY %m (x: f32[8]) -> f32[8] {{\n  %x = f32[8] parameter(0)\n"
    first = f"{before}  %b = f32[8] sine(%x)\n  ROOT %r = f32[8] negate(%b)\n}}\n"
    second = f"{before}  %b = f32[8] cosine(%x)\n  ROOT %r = f32[8] negate(%b)\n}}\n"
    assert lines(hlo(first, second)) == ["- %b = f32[8] sine(%x)", "+ %b′ = f32[8] cosine(%x)"]


def test_numbers_that_move_between_names_are_seen_where_the_words_are_as_many():
    before = HLO.replace("f32[8] subtract(", "f32[8,1] subtract(")
    after = before.replace("f32[8,1] subtract(%fusion.4, %dot.3)", "f32[8] subtract(%fusion.4, %dot.3), a=1")
    found = hlo(before, after)
    assert (found.summary.changed, found.summary.explained, found.summary.substitutions) == (1, 0, ())


def many_computations(size, opcode="add"):
    """Three fused computations that differ in names alone, and in each of which a line is to change."""
    fused = "".join(
        f"%fused.{at} (p{at}: f32[{size}]) -> f32[{size}] {{\n  %p{at} = f32[{size}] parameter(0)\n"
        f"  %a{at} = f32[{size}] {opcode}(%p{at}, %p{at})\n  ROOT %r{at} = f32[{size}] negate(%a{at})\n}}\n\n"
        for at in range(3)
    )
    calls = "".join(
        f"  %c{at} = f32[{size}] fusion(%c{at - 1}), kind=kLoop, calls=%fused.{at}\n" for at in range(3)
    )
    return (
        f"{HEAD}{fused}ENTRY %m (c-1: f32[{size}]) -> f32[{size}] {{\n  %c-1 = f32[{size}] parameter(0)\n"
        f"{calls}  ROOT %last = f32[{size}] negate(%c2)\n}}\n"
    )


def test_rows_of_computations_that_are_alike_have_the_names_of_each():
    found = hlo(many_computations(8), renamed(many_computations(16), 5))
    hunks = [hunk for hunk in found.changes if hunk.block.startswith("fused")]
    assert [hunk.lines for hunk in hunks] == [
        (
            f"- %p{at} = f32[8] parameter(0)", f"+ %p{at} = f32[16] parameter(0)",
            f"- %a{at} = f32[8] add(%p{at}, %p{at})", f"+ %a{at} = f32[16] add(%p{at}, %p{at})",
            f"- ROOT %r{at} = f32[8] negate(%a{at})", f"+ ROOT %r{at} = f32[16] negate(%a{at})",
        )
        for at in range(3)
    ]  # fmt: skip
    (one,) = found.summary.substitutions
    assert (one.before, one.after, one.count) == ("8", "16", found.summary.changed)
    assert found.summary.changed == found.summary.explained == 14


def test_what_an_added_operation_calls_has_its_own_name_until_it_is_known_to_correspond():
    before = f"{HEAD}{FUSED}{ENTRY}"
    more = "  %more = f32[8] fusion(%y.1, %y.1), kind=kLoop, calls=%other\n  %fusion.4"
    after = before.replace("fused.1", "other").replace("  %fusion.4", more, 1)
    assert lines(hlo(before, after)) == ["+ %more = f32[8] fusion(%y.1, %y.1), kind=kLoop, calls=%other"]


def test_lines_that_are_no_instructions_are_left_out():
    note = HLO.replace("  %mul.3", "  %a note\n  %mul.3")
    assert hlo(HLO, note).same and not hlo(note, HLO.replace("multiply", "divide")).same
