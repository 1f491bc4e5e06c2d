"""Very many lines of a `.jsonl`, taken together, are counted as each of them would be."""

import io
import json
import random

import pytest

from jitinspect.calls.plan import script
from jitinspect.calls.plan.script import Plan
from jitinspect.specs import bind_call
from jitinspect.specs.scripts import read_jsonl_line

ROWS = 5


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(script, "MOST_ROWS", ROWS)
    monkeypatch.setattr(script, "CHUNK", 600)


def call(size, **others):
    return {"fn": "samples.mlp:normalize", "args": [f"f32[{size},4]"], **others}


def lines_of(kind, drawn, count=200):
    """Calls of a few sizes; `fresh` lines are all different, and `mixed` ones of several forms."""
    for number in range(count):
        size = drawn.choice((2, 3, 5, 7)) + (11 if number == count - 30 else 0)
        forms = [call(size)]
        if kind == "fresh":
            forms = [call(size, step=number)]
        elif kind == "mixed":
            forms += [call(size, step=number), call(size, repeat=3), {"user": "a", **call(size)}]
        yield drawn.choice(["\n", ""]) * (kind == "mixed") + json.dumps(drawn.choice(forms)) + "\n"


@pytest.mark.parametrize("kind", ["repeated", "fresh", "mixed"])
@pytest.mark.parametrize("seed", range(3))
def test_lines_taken_together_are_counted_as_one_by_one(kind, seed):
    text = "".join(lines_of(kind, random.Random(seed)))
    together, one_by_one = Plan((), {}, ()), Plan((), {}, ())
    together.take_lines(io.StringIO(text), "s.jsonl", lambda _: None)
    for number, line in enumerate(text.splitlines(), 1):
        if line:
            one_by_one.take(bind_call(read_jsonl_line(line, f"s.jsonl:{number}"), {}))
    found, expected = together.report("s"), one_by_one.report("s")
    assert found == expected and found.omitted > 100
    assert found.functions[0].compilations == sum(row.status == "COMPILED" for row in found.calls) == 5


def test_lines_that_occurred_before_are_not_looked_into(monkeypatch):
    text = "".join(json.dumps(call(size)) + "\n" for _ in range(100) for size in (2, 3))
    plan = Plan((), {}, ())
    plan.take_lines(io.StringIO(text[: len(text) // 4]), "s.jsonl", lambda _: None)
    monkeypatch.setattr(plan, "_take_line", None)
    monkeypatch.setattr(plan, "_layouts", None)
    plan.take_lines(io.StringIO(text[len(text) // 4 :]), "s.jsonl", lambda _: None)
    assert plan.report("s").functions[0].calls == 200
