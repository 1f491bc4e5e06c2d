"""The names of XLA's dumps."""

from jitinspect.readings.pass_dumps import in_order

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
