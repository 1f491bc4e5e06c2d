"""The names and texts of XLA's dumps, and what differs between two of them."""

from collections import Counter

import pytest

from jitinspect.readings.pass_dumps import DumpedModule, difference, in_order, ops_changed, trivial_change

MAIN = "module_0003.jit_f.g."
FILES = [
    f"{MAIN}before_optimizations.txt",
    f"{MAIN}0000.simplification.after_pipeline-start.before_algsimp.txt",
    f"{MAIN}0001.simplification.after_algsimp.before_pipeline-end.txt",
    f"{MAIN}9999.copy-insertion.after_adding_copies_to_resolve_interference.txt",
    f"{MAIN}10000.HLO_passes.after_after_layout_assignment.before_dce.txt",
    f"{MAIN}cpu_after_optimizations.txt",
]
OTHERS = [
    f"{MAIN}cpu_after_optimizations-buffer-assignment.txt",
    f"{MAIN}debug_options",
    f"{MAIN}obj-file.fusion_kernel_module.o",
    "module_0012.sub.before_optimizations.txt",
    "module_0012.sub.0000.simplification.after_algsimp.before_dce.txt",
]

BEFORE = """HloModule jit_f, entry_computation_layout={(f32[2,3]{1,0})->(f32[], s32[])}

%region_0.1 (a.1: f32[], b.1: f32[]) -> f32[] {
  %a.1 = f32[] parameter(0)
  %b.1 = f32[] parameter(1)
  ROOT %add.1 = f32[] add(%a.1, %b.1)
}

ENTRY %main.2 (x.1: f32[2,3]) -> (f32[], s32[]) {
  %x.1 = f32[2,3]{1,0} parameter(0)
  %constant.1 = s32[] constant(1)
  %while.1 = ((s32[], f32[2,3]{1,0:T(8,128)}), /*index=1*/f32[]) while(%tuple.1), condition=%c, body=%b
  ROOT %tuple.2 = (f32[], s32[]) tuple(%while.1, %constant.1)
}

"""


def test_the_dumps_are_in_the_order_of_the_passes_and_of_one_module():
    found = in_order(reversed(FILES + OTHERS))
    assert [one.file for one in found] == FILES
    assert [(one.pipeline, one.pass_) for one in found[1:-1]] == [
        ("simplification", "pipeline-start"),
        ("simplification", "algsimp"),
        ("copy-insertion", "adding_copies_to_resolve_interference"),
        ("HLO_passes", "after_layout_assignment"),
    ]
    assert [one.is_pass for one in found[1:]] == [False, True, True, True, False]


def test_without_the_module_that_xla_was_given_there_is_nothing():
    assert in_order(FILES[1:]) == []
    assert in_order([]) == []


def test_a_module_without_a_name():
    files = ["module_0001.before_optimizations.txt", "module_0001.0000.p.after_a.before_b.txt"]
    assert [one.pass_ for one in in_order(files)] == ["before_optimizations", "a"]


def test_instructions_of_all_computations_whatever_their_types():
    module = DumpedModule(BEFORE)
    assert module.instructions == (
        ("a.1", "parameter"), ("b.1", "parameter"), ("add.1", "add"), ("x.1", "parameter"),
        ("constant.1", "constant"), ("while.1", "while"), ("tuple.2", "tuple"),
    )  # fmt: skip
    assert module.ops == Counter(parameter=3, add=1, constant=1, tuple=1) + Counter({"while": 1})
    assert DumpedModule(BEFORE.replace("%", "")).instructions == module.instructions


def test_a_truncated_text_is_incomplete():
    assert DumpedModule(BEFORE).is_complete
    assert not DumpedModule(BEFORE[:-20]).is_complete
    assert not DumpedModule("").is_complete


def test_opcodes_that_were_added_and_removed_the_most_first():
    after = DumpedModule(BEFORE.replace("add(", "fusion(").replace("parameter(", "copy("))
    assert list(ops_changed(DumpedModule(BEFORE), after).items()) == [
        ("copy", 3), ("parameter", -3), ("add", -1), ("fusion", 1),
    ]  # fmt: skip
    assert ops_changed(DumpedModule(BEFORE), DumpedModule(BEFORE)) == {}


CONSTANT, PARAMETER = BEFORE.splitlines()[10], BEFORE.splitlines()[9]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BEFORE.replace("a.1", "a.7").replace("main.2", "main"), "names"),
        (BEFORE.replace("%constant.1", "%b.1").replace("%x.1", "%a.1"), ""),  # one name for two instructions
        (BEFORE.replace(f"{PARAMETER}\n{CONSTANT}", f"{CONSTANT}\n{PARAMETER}"), "order"),
        (BEFORE.replace("add(%a.1, %b.1)", "add(%b.1, %a.1)"), ""),
        (BEFORE.replace("{1,0}", "{0,1}"), ""),
        (BEFORE.replace("HloModule jit_f,", "HloModule jit_f, is_scheduled=true,"), ""),
        (BEFORE.replace("add(", "subtract("), ""),
    ],
)
def test_a_change_only_of_names_or_only_of_order_is_trivial(after, expected):
    assert after != BEFORE
    assert trivial_change(DumpedModule(BEFORE), DumpedModule(after)) == expected


def test_a_difference_by_instruction_names_its_computation():
    after = BEFORE.replace("constant(1)", "constant(2)")
    assert difference(DumpedModule(BEFORE), DumpedModule(after), "4 folding (p)").splitlines() == [
        "--- before 4 folding (p)",
        "+++ after 4 folding (p)",
        "@@ -8,7 +8,7 @@ ENTRY %main.2",
        " ",
        " ENTRY %main.2 (x.1: f32[2,3]) -> (f32[], s32[]) {",
        "   %x.1 = f32[2,3] parameter(0)",
        "-  %constant.1 = s32[] constant(1)",
        "+  %constant.1 = s32[] constant(2)",
        "   %while.1 = ((s32[], f32[2,3]{1,0:T(8,128)}), /*index=1*/f32[]) while(%tuple.1), "
        "condition=%c, body=%b",
        "   ROOT %tuple.2 = (f32[], s32[]) tuple(%while.1, %constant.1)",
        " }",
    ]


def test_an_added_default_layout_is_shown_if_nothing_else_changed():
    text = difference(DumpedModule(BEFORE.replace("{1,0}", "")), DumpedModule(BEFORE), "5 layouts (p)")
    assert "+  %x.1 = f32[2,3]{1,0} parameter(0)" in text.splitlines()
    assert "{1,0}" not in difference(
        DumpedModule(BEFORE), DumpedModule(BEFORE.replace("add(", "or(")), "6 a (p)"
    )


def test_equal_texts_have_no_difference():
    assert difference(DumpedModule(BEFORE), DumpedModule(BEFORE), "1 dce (p)") == ""
