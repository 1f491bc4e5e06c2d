"""The history of an instruction as text, and as JSON and back."""

from dataclasses import replace

import pytest

from jitinspect.model import Target
from jitinspect.model.pass_histories import InstructionHistory, PassEvent, Replacement
from jitinspect.model.readings import PassesReport
from jitinspect.render.json import from_json, to_json
from jitinspect.render.readings.pass_history import history

NAMES = tuple(f"b.{number}" for number in range(8))
CHANGED = PassEvent(3, "p", "dce", "changed", "a", "%a = f32[] x()", "%a = f32[] y()", "main", "main")
VANISHED = PassEvent(4, "p", "cse", "vanished", "a", "%a = f32[] y()", None, "main")


def printed(*events):
    made = InstructionHistory("a", events)
    return "".join(history(made, lambda text, *_: text)).splitlines()


def test_a_change_is_a_diff():
    assert printed(CHANGED) == [
        "history of %a",
        "3 dce (p)  %a changed",
        "- %a = f32[] x()",
        "+ %a = f32[] y()",
    ]


def test_a_change_of_the_computation_is_told():
    moved = replace(CHANGED, computation="fused", called_by=("fusion.1",))
    assert printed(moved)[1] == "3 dce (p)  %a changed in %fused, which %fusion.1 calls"
    same = replace(moved, event="moved", after=CHANGED.before)
    assert printed(same)[1:] == [
        "3 dce (p)  %a moved from %main to %fused, which %fusion.1 calls",
        "  %a = f32[] x()",
    ]


@pytest.mark.parametrize(
    ("replacements", "told", "added"),
    [
        ((), "what is in its place, if anything, is unknown", []),
        ((Replacement("metadata", ("b",), ("%b",)),), "replaced by %b (same metadata)", ["+ %b"]),
        ((Replacement("users", ("b",), ("%b",)),), "replaced by %b (its users use it now)", ["+ %b"]),
        (
            (Replacement("unknown", NAMES, NAMES, ("c",)),),
            "what is in its place is unknown: %b.0, %b.1, %b.2, %b.3, %b.4, %b.5, 2 more appeared with the "
            "same metadata",
            [],
        ),
    ],
)
def test_what_is_in_the_place_of_what_vanished(replacements, told, added):
    assert printed(replace(VANISHED, replacements=replacements))[1:] == [
        f"4 cse (p)  %a vanished; {told}",
        "- %a = f32[] y()",
        *added,
    ]


def test_what_something_was_made_of():
    event = PassEvent(4, "p", "pipeline-start", "appeared", "a", None, "%a", None, "main")
    assert printed(event)[1] == (
        "4 (before its passes) (p)  %a appeared in %main; what it was made of is unknown"
    )
    fusion = replace(event, fuses=("b", "c"))
    assert printed(fusion)[1].endswith("%a appeared in %main; a fusion of %b, %c")
    unknown = replace(event, replacements=(Replacement("unknown", ("b",), ("%b",)),))
    assert printed(unknown)[1].endswith("what it was made of is unknown: %b vanished with the same metadata")


def test_json_has_the_histories_and_is_read_back():
    target = Target("m:f", "m", "f", None, None, (), (), "f()")
    made = InstructionHistory(
        "a", (CHANGED, replace(VANISHED, replacements=(Replacement("users", ("b",), ("%b",)),)))
    )
    report = PassesReport("passes", target, (), histories=(made,))
    assert from_json(to_json(report)) == report
    assert '"pass": "cse"' in to_json(report)
