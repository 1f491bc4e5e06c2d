"""A saved report that was damaged is told as that, wherever the damage is: never a fault."""

import copy
import json

import pytest

from jitinspect.cli.output import as_text
from jitinspect.errors import LoadError
from jitinspect.model import (
    Artifact,
    CacheKey,
    Call,
    CallReport,
    CallTotals,
    Change,
    Comparison,
    CompileEvent,
    Diagnosis,
    DiskEntry,
    DiskKey,
    Environment,
    FunctionTotals,
    Kernel,
    KeyDifference,
    ListedCallable,
    Listing,
    MemoryKey,
    Policy,
    Reason,
    Report,
    Support,
    Target,
    TargetSupport,
)
from jitinspect.render import html
from jitinspect.render.json import from_json, to_json
from jitinspect.stages.key_comparison import compare

ENVIRONMENT = Environment("0.1", "0.10.2", "0.10.2", "3.11.7", "cpu", "cpu", 1, "")
INPUTS = {"computation": {"module": "jit_f"}, "operations": {"stablehlo.sine": "2"}}
KEY = CacheKey(
    MemoryKey("m.f (/m.py:1)", ("x: f32[3]",), {"n": "2"}, {"jax_enable_x64": "True"}),
    DiskKey("jit_f-0", "jit_f", {"computation": "c0"}, INPUTS, DiskEntry("/c", True, 3, "now", ("no",))),
    signature="f(f32[3])",
    dims={"B": 1},
)
CHANGE = Change("argument x", "f32[3]", "f32[4]")
REPORT = Report(
    "show",
    Target("m:f", "m", "f", "/m.py", 1, ("n", 1), ("x",), "f(f32[3])"),
    (Artifact("jaxpr", "text", "00", None, "f(f32[3])", {"B": 1}, "cpu", (Kernel("k", None, "ir"),)),),
    (CompileEvent(0, "trace", "f", "f(f32[3])", 0.1, "m.py:1"),),
    ENVIRONMENT,
    (KEY,),
    Comparison("key.json", False, (CHANGE,), (KeyDifference("computation", "c0", "c1", (CHANGE,)),)),
)
REASON = Reason("shape", "x", "f32[3]", "f32[4]", "pad it", "x: f32[3] → f32[4]")
SECONDS = {"trace": 0.1}
CALL = Call(
    0, "f", "m.py:1", "s.calls:1", "f(f32[3])", "COMPILED", 1, ("trace",), SECONDS, 1, None, (REASON,)
)
CALLS = CallReport(
    "s.calls",
    (CALL,),
    (FunctionTotals("f", "m.py:1", 1, 1, 0, 0.1),),
    CallTotals(1, 1, 1, 0, 0, 0.1),
    policies=(Policy("x.0=pow2", 1, 3, 0.5),),
    environment=ENVIRONMENT,
)  # fmt: skip
LISTING = Listing("m", (ListedCallable("f", "jax.jit", "(x)", ("n",), ("x",), "/m.py", 1, True),))
TARGET = TargetSupport("v5e", "tpu", "TPU v5 lite", 2**34, False, "no libtpu", "pip install libtpu")
DIAGNOSIS = Diagnosis(
    ENVIRONMENT, ("cpu:0",), "/c", {"a": "1"}, (Support("asm", False, "no objdump"),), (TARGET,)
)

ALL = {"show": REPORT, "trace-cache": CALLS, "ls": LISTING, "doctor": DIAGNOSIS}


def places(value, path=()):
    """The path of each value in a document, that of the whole left out."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, below in items:
        yield (*path, name)
        yield from places(below, (*path, name))


def damaged(document, path, damage):
    double = copy.deepcopy(document)
    owner = double
    for name in path[:-1]:
        owner = owner[name]
    damage(owner, path[-1])
    return json.dumps(double)


def replaced(value):
    return lambda owner, name: owner.__setitem__(name, value)


DAMAGES = [lambda owner, name: owner.pop(name), *map(replaced, (None, 1, -1.5, "x", [], {}, [1], [{}], True))]


@pytest.mark.parametrize("report", ALL.values(), ids=ALL)
def test_damage_is_an_error_to_load_or_none(report):
    document = json.loads(to_json(report))
    for path in places(document):
        for damage in DAMAGES:
            try:
                read = from_json(damaged(document, path, damage))
            except LoadError:
                continue
            assert "".join(as_text(read, color=False, verbose=True)) or read.command
            if isinstance(read, Report):
                assert "".join(html.render(read))
                assert all(compare(key, KEY, "") and compare(KEY, key, "") for key in read.keys)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, "not a jitinspect report"),
        ([], "not a jitinspect report"),
        ({"schema": 1}, "cannot be read: command is missing"),
        ({"schema": 1, "command": []}, "cannot be read: command is not a str"),
        ({"schema": 1, "command": "key", "error": 3}, "is an error: 3"),
        (json.loads(to_json(REPORT)) | {"key": {}}, "cannot be read: keys.0.memory is missing"),
        (json.loads(to_json(REPORT)) | {"events": [1]}, "cannot be read: events.0 is not an object"),
    ],
)
def test_what_is_damaged_is_told_by_its_path(document, told):
    with pytest.raises(LoadError, match=told):
        from_json(json.dumps(document))


def test_a_document_of_endless_depth_is_no_report():
    with pytest.raises(LoadError):
        from_json("[" * 100_000)


def test_what_a_later_version_adds_is_passed_over():
    document = json.loads(to_json(CALLS))
    document["new"] = document["calls"][0]["new"] = 1
    assert from_json(json.dumps(document)) == CALLS
