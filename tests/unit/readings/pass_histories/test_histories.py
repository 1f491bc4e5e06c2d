"""Histories of instructions in modules written by hand."""

from itertools import pairwise

import pytest

from jitinspect.readings.dumped_modules import DumpReader
from jitinspect.readings.pass_dumps import PassDump, Ran
from jitinspect.readings.pass_histories.histories import histories
from jitinspect.readings.pass_histories.recorder import Recorder


def said(name):
    return f', metadata={{op_name="jit(f)/{name}"}}' if name else ""


def module(*entry, **computations):
    """Each instruction is its text, and after a `|` the name in its metadata."""
    blocks = [*((f"%{name} (p: f32[]) -> f32[] {{", lines) for name, lines in computations.items())]
    blocks.append(("ENTRY %main (x: f32[]) -> f32[] {", entry))
    parts = ["HloModule jit_f\n"]
    for head, lines in blocks:
        rows = (line.partition(" | ") for line in lines)
        parts.append("\n".join([head, *(f"  {text}{said(name)}" for text, _, name in rows), "}\n"]))
    return "\n".join(parts)


def recorded(*dumps):
    """The pass that leads to the dump number 1 is number 0."""
    reader = DumpReader()
    modules = [reader.module(dump.encode().splitlines(keepends=True)) for dump in dumps]
    recorder = Recorder()
    for index, (before, after) in enumerate(pairwise(modules)):
        recorder.add(Ran(index, PassDump("", "pipeline", f"pass{index}"), before, after))
    return recorder


def events(name, *dumps):
    found = histories(recorded(*dumps).history()).of(name)
    return [] if found is None else list(found.events)


def shapes(name, *dumps):
    """Index, what happened, to whom, and by what the others are known."""
    return [
        (one.index, one.event, one.instruction, [(link.how, *link.others) for link in one.replacements])
        for one in events(name, *dumps)
    ]


X = "%x = f32[] parameter(0) | x"
GIVEN = module(X, "%sin.1 = f32[] sine(%x) | sin", "ROOT %tanh.1 = f32[] tanh(%sin.1) | tanh")
FUSED = module(
    X,
    "ROOT %tanh_fusion = f32[] fusion(%x), kind=kLoop, calls=%fused | tanh",
    fused=(
        "%p = f32[] parameter(0)", "%sin.2 = f32[] sine(%p) | sin",
        "ROOT %tanh.2 = f32[] tanh(%sin.2) | tanh",
    ),
)  # fmt: skip


def test_a_line_that_changes_has_its_text_before_and_after():
    changed = GIVEN.replace("tanh(%sin.1)", "tanh(%x)")
    given, event = events("tanh.1", GIVEN, changed, changed)
    assert (given.index, given.event, given.after) == (None, "given", "ROOT %tanh.1 = f32[] tanh(%sin.1)")
    assert (event.index, event.pipeline, event.pass_, event.event) == (0, "pipeline", "pass0", "changed")
    assert (event.before, event.after) == (given.after, "ROOT %tanh.1 = f32[] tanh(%x)")
    assert events("x", GIVEN, changed)[1:] == []


def test_what_is_fused_goes_on_in_the_computation_of_the_fusion():
    _, event = events("sin.1", GIVEN, FUSED)
    assert event.event == "vanished"
    (link,) = event.replacements
    assert (link.how, link.others, link.lines) == ("metadata", ("sin.2",), ("%sin.2 = f32[] sine(%p)",))
    given, event = events("sin.2", GIVEN, FUSED)
    assert (given.instruction, event.event, event.computation) == ("sin.1", "appeared", "fused")
    assert event.called_by == ("tanh_fusion",)


def test_a_fusion_and_its_root_come_from_the_same_instruction():
    given, event = events("tanh_fusion", GIVEN, FUSED)
    assert (given.instruction, event.fuses) == ("tanh.1", ("sin.2", "tanh.2"))
    assert [(one.how, one.others, one.alike) for one in event.replacements] == [
        ("metadata", ("tanh.1",), ("tanh.2",))
    ]


TWO = module(X, "%a.1 = f32[] sine(%x) | sin", "%b.1 = f32[] sine(%a.1) | sin", "ROOT %r = f32[] tanh(%b.1)")
OTHER_TWO = TWO.replace("a.1", "a.2").replace("b.1", "b.2")


def test_of_several_with_the_same_metadata_it_is_not_known_which_became_which():
    removed = TWO.replace("ROOT %r = f32[] tanh(%b.1)", "ROOT %r = f32[] tanh(%x)")
    others = OTHER_TWO.replace("ROOT %r = f32[] tanh(%b.2)", "ROOT %r = f32[] cosine(%x)")
    assert shapes("a.1", removed, others) == [
        (None, "given", "a.1", []),
        (0, "vanished", "a.1", [("unknown", "a.2", "b.2")]),
    ]
    assert shapes("a.2", removed, others) == [(0, "appeared", "a.2", [("unknown", "a.1", "b.1")])]


def test_what_its_users_use_instead_is_known_by_them():
    assert shapes("b.1", TWO, OTHER_TWO)[1] == (0, "vanished", "b.1", [("users", "b.2")])
    equal = module(X, "%a.1 = f32[] sine(%x)", "%b.1 = f32[] sine(%x)", "ROOT %r = f32[] add(%a.1, %b.1)")
    merged = module(X, "%a.1 = f32[] sine(%x)", "ROOT %r = f32[] add(%a.1, %a.1)")
    assert shapes("b.1", equal, merged)[1] == (0, "vanished", "b.1", [("users", "a.1")])


def test_without_metadata_and_users_nothing_is_guessed():
    given = module(X, "ROOT %sin.1 = f32[] sine(%x)")
    assert shapes("sin.1", given, given.replace("sin.1", "sin.2")) == [
        (None, "given", "sin.1", []),
        (0, "vanished", "sin.1", []),
    ]
    assert shapes("sin.2", given, given.replace("sin.1", "sin.2")) == [(0, "appeared", "sin.2", [])]


def test_of_one_metadata_those_of_one_opcode_belong_together():
    given = module(X, "%b.1 = f32[8] broadcast(%x) | add", "ROOT %a.1 = f32[8] add(%b.1, %b.1) | add")
    made = given.replace("a.1", "a.2").replace("b.1", "b.2")
    assert ("metadata", "b.2") in shapes("b.1", given, made)[1][3]
    assert shapes("a.1", given, made)[1][3] == [("metadata", "a.2")]


def test_a_line_that_moves_to_another_computation_is_said_to():
    inside = ("%p = f32[] parameter(0)", "ROOT %sin.1 = f32[] sine(%p)")
    one = module(X, "ROOT %call = f32[] call(%x), to_apply=%before", before=inside)
    _, event = events("sin.1", one, one.replace("before", "after"))
    assert (event.event, event.from_computation, event.computation) == ("moved", "before", "after")
    assert event.called_by == ("call",)


def test_a_name_that_is_used_again_is_that_of_the_last_one():
    one, none = module("ROOT %x = f32[] parameter(0)"), module("ROOT %y = f32[] parameter(0)")
    assert [(at, what) for at, what, *_ in shapes("x", one, none, one)] == [(1, "appeared")]
    assert histories(recorded(one, none).history()).of("z") is None


@pytest.mark.parametrize("most", [0, 150, 10_000])
def test_earlier_versions_are_left_out_where_there_is_no_room(most):
    dumps = [GIVEN.replace("sine(", f"sine{number}(") for number in range(6)]
    whole, history = recorded(*dumps).history(), recorded(*dumps).history(most)
    assert history.left_out == {0: 5, 150: 4, 10_000: 0}[most]
    assert history.steps == () or history.steps[-1].index == 4
    assert [one.index for one in history.steps] == [one.index for one in whole.steps][history.left_out :]
    kept, every = histories(history).of("sin.1"), histories(whole).of("sin.1")
    assert kept.events[1:] == every.events[len(every.events) - len(kept.events) + 1 :]
    assert sum(map(len, history.lines)) <= sum(map(len, whole.lines))


def test_of_one_metadata_and_another_opcode_beside_it_nothing_is_known():
    given = module(X, "%r.1 = f32[1] reshape(%x) | add", "ROOT %b.1 = f32[8] broadcast(%r.1) | add")
    made = module(X, "ROOT %b.2 = f32[8] broadcast(%x) | add")
    assert shapes("r.1", given, made)[1][3] == [("unknown", "b.2")]
    assert shapes("b.1", given, made)[1][3] == [("metadata", "b.2")]
    assert shapes("r.1", made, given)[0] == (0, "appeared", "r.1", [("unknown", "b.2")])


OPCODES = ("sine", "cosine", "tanh", "exponential", "log", "negate", "sqrt", "rsqrt", "cbrt", "abs")


def test_what_became_what_is_told_in_the_order_of_the_module():
    before, after = (
        module(X, *(f"%{opcode}.{number} = f32[] {opcode}(%x) | one" for opcode in OPCODES))
        for number in (1, 2)
    )
    (step,) = recorded(before, after).history().steps
    assert [one.how for one in step.replaced] == ["metadata"] * len(OPCODES)
    numbers = [one.before for one in step.replaced]
    assert numbers == sorted(numbers)
