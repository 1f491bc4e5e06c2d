"""A compilation and the stages of its thread → its spans."""

from dataclasses import replace

from jitinspect.model import Reason
from jitinspect.model.runs import Compilation, Span
from jitinspect.programs.telemetry.spans import spans_of, stages_of

ORIGIN = 1_700_000_000_000_000_000
REASONS = (
    Reason("shape", "x", "f32[8]", "f32[4]", "pad x", "x: f32[8] → f32[4]"),
    Reason("shape", "y", "f32[8]", "f32[4]", "pad x", "y: f32[8] → f32[4]"),
)
STEP = Compilation(
    3, "call", "step", "train.py:8", "train.py:20", "step(f32[4])", "COMPILED", 1.0, 3.0,
    {"trace": 0.5, "compile": 1.0}, 1, 0, REASONS, avoidable=True, thread=7,
)  # fmt: skip


def stage(phase, began, seconds, function="step", **others):
    return Span(phase, function, began, seconds, 7, **others)


def test_the_times_and_the_names_are_those_of_the_compilation():
    whole, traced, compiled = spans_of(
        STEP, [stage("trace", 1.0, 0.5), stage("compile", 1.75, 1.25, disk_hit=True)], ORIGIN
    )
    assert (whole["name"], whole["start"], whole["end"]) == (
        "compilation step", ORIGIN + 10**9, ORIGIN + 3 * 10**9,
    )  # fmt: skip
    assert (traced["name"], traced["start"] - ORIGIN, traced["end"] - ORIGIN) == ("trace", 10**9, 15 * 10**8)
    assert (compiled["end"] - ORIGIN, compiled["attributes"]) == (3 * 10**9, {"jax.cache_hit": True})


def test_the_attributes_say_what_was_compiled_and_why():
    (whole,) = spans_of(STEP, [], ORIGIN, (2, 4))
    assert whole["attributes"] == {
        "jax.function": "step",
        "jax.signature": "step(f32[4])",
        "jitinspect.status": "COMPILED",
        "jitinspect.kind": "call",
        "jitinspect.cause": "x: f32[8] → f32[4]; y: f32[8] → f32[4]",
        "jitinspect.cause.kinds": ["shape"],
        "jitinspect.hint": "pad x",
        "jitinspect.avoidable": True,
        "jitinspect.seconds": 1.5,
        "jitinspect.compilations": 1,
        "jitinspect.called_at": "train.py:20",
        "jitinspect.after_warmup": False,
        "thread.id": 7,
        "code.function.name": "step",
        "code.file.path": "train.py",
        "code.line.number": 8,
        "jax.process.index": 2,
        "jax.process.count": 4,
    }
    assert "error" not in whole


def test_what_is_not_known_is_left_out_and_what_failed_says_so():
    failed = replace(
        STEP,
        definition=None,
        at=None,
        signature=None,
        reasons=(),
        raised="trace",
        error="TypeError: no: not so",
    )
    (whole,) = spans_of(failed, [], ORIGIN)
    assert whole["error"] == "TypeError: no: not so" and whole["attributes"]["error.type"] == "TypeError"
    left_out = {
        "jax.signature",
        "jitinspect.called_at",
        "jitinspect.cause",
        "code.file.path",
        "jitinspect.hint",
    }
    assert not left_out & {*whole["attributes"]} and whole["attributes"]["code.function.name"] == "step"


def test_stages_belong_to_the_compilation_that_was_under_way():
    own = [stage("trace", 1.0, 0.5), stage("compile", 1.75, 1.25)]
    others = [stage("compile", 0.2, 0.1), stage("compile", 2.0, 1.5), stage("lower", 1.5, 0.1)]
    assert stages_of(STEP, [*others, *own]) == own
    inner = stage("compile", 1.1, 0.2, "inner")
    assert stages_of(STEP, [inner, *own]) == own
    assert stages_of(replace(STEP, function="named otherwise"), own) == own
