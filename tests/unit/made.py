"""Compilations, reasons and spans as a watch would tell them, for the tests of what is made of them."""

from dataclasses import replace

from hypothesis import strategies as st

from jitinspect.model import Environment, Reason
from jitinspect.model.runs import Check, Compilation, Process, RunReport, Span, Uneven
from jitinspect.programs.summary import Summary

WHERE = "train.py:12"


def reason(kind="shape", where="x", text="x: f32[3] → f32[4]", hint=None):
    return Reason(kind, where, None, None, hint, text)


FIRST = reason("first_call", None, "first call of step")
SHAPE = reason(hint="pad x to a few sizes")


def compilation(seq=0, **more):
    known = {
        "kind": "call", "function": "step", "definition": "train.py:3", "at": WHERE,
        "signature": "step(f32[3])", "status": "COMPILED", "began": float(seq), "ended": seq + 0.75,
        "seconds": {"trace": 0.125, "lower": 0.125, "compile": 0.5}, "compilations": 1, "reasons": (FIRST,),
    }  # fmt: skip
    return Compilation(seq, **known | more)


def span(phase="compile", function="step", began=0.0, seconds=0.25, **more):
    return Span(phase, function, began, seconds, **{"thread": 0} | more)


def report(*compilations, spans=(), wall=10.0, calls=None, **more) -> RunReport:
    """As a summary makes it of these."""
    summary = Summary()
    for one in compilations:
        summary.take(one)
    for one in spans:
        summary.take_span(one)
    return summary.report("train.py", wall, calls, **more)


words = st.text(st.characters(exclude_characters="\x1b", exclude_categories=["Cs"]), max_size=12)
fractions = st.integers(0, 4096).map(lambda number: number / 1024)
"""Seconds whose sums are exact, in whatever order."""
reasons = st.builds(
    reason,
    st.sampled_from(["first_call", "shape", "dtype", "static_value"]),
    st.none() | st.sampled_from("xy"),
    words,
    st.none() | words,
)
compilations = st.builds(
    compilation,
    st.integers(0, 99),
    kind=st.sampled_from(["call", "ahead_of_time", "backward", "eager", "other", "internal"]),
    function=st.sampled_from(["step", "loss"]),
    definition=st.none() | st.sampled_from(["train.py:3", "model.py:4"]),
    at=st.none() | st.sampled_from(["train.py:12", "train.py:13"]),
    signature=st.none() | words,
    status=st.sampled_from(["TRACED", "LOWERED", "COMPILED", "DISK"]),
    seconds=st.dictionaries(st.sampled_from(["trace", "lower", "compile"]), fractions),
    compilations=st.integers(0, 3),
    nearest=st.none() | st.integers(0, 99),
    reasons=st.lists(reasons, max_size=4).map(tuple),
    avoidable=st.booleans(),
    raised=st.sampled_from([None, None, None, "trace", "compile"]),
    error=st.none() | words,
    module=st.none() | words,
    shared=st.booleans(),
    late=st.booleans(),
    disk=st.lists(st.sampled_from(["written", "too small", "fast"]), max_size=2).map(tuple),
    thread=st.integers(0, 3),
)
histories = st.lists(compilations, max_size=8, unique_by=lambda one: one.seq)
"""Each `seq` is that of one compilation, as in a program; in any order."""
spans = st.builds(
    span, st.sampled_from(["trace", "lower", "compile"]), words, fractions, fractions,
    thread=st.integers(0, 3), depth=st.integers(0, 3), internal=st.booleans(), disk_hit=st.booleans(),
)  # fmt: skip

lines = st.lists(words, max_size=3).map(tuple)
counts = st.integers(0, 10**6)
checks = st.builds(Check, words, st.booleans(), lines, st.none() | words)
processes = st.builds(
    Process, words, counts, fractions, fractions, st.booleans(), st.none() | counts, st.none() | words
)
unlike = st.builds(
    Uneven, words, st.none() | words, words, st.dictionaries(words, counts, max_size=3), lines, st.booleans()
)
ENVIRONMENT = Environment("0.1", "0.10.2", "0.10.2", "3.11.7", "cpu", "cpu", 1, "")


@st.composite
def run_reports(draw):
    """Reports with something of all that there is."""
    functions = st.tuples(st.sampled_from(["step", "loss"]), st.sampled_from([None, "train.py:3"]))
    places = st.dictionaries(st.none() | st.just(WHERE), counts, max_size=2)
    counted = draw(st.none() | st.dictionaries(functions, places, max_size=3))
    folder = draw(st.none() | words)
    told = report(*draw(histories), spans=draw(st.lists(spans, max_size=3)), calls=counted, folder=folder)
    return replace(
        told,
        command=draw(st.sampled_from(["run", "summary", "watch", "compiles"])),
        omitted=draw(counts),
        checks=tuple(draw(st.lists(checks, max_size=2))),
        processes=tuple(draw(st.lists(processes, max_size=2))),
        uneven=tuple(draw(st.lists(unlike, max_size=2))),
        stopped=draw(st.none() | words),
        exit_code=draw(st.integers(-15, 255)),
        environment=draw(st.none() | st.just(ENVIRONMENT)),
    )
