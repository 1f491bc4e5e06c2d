"""XLA's passes, compared with its own dumps and with the modules before and after."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import jax
import pytest

from jitinspect.errors import CompileError, UnavailableError, UsageError
from jitinspect.jaxapi.executables import dumps
from jitinspect.readings import passes
from jitinspect.specs import parse_argument
from jitinspect.stages.inspection import Request, read
from jitinspect.targets.loading import load

OLDER = jax.__version_info__ < (0, 10)
ROOT = Path(__file__).parent.parent.parent.parent
LOSS = ("samples.mlp:loss_fn", "f32[8,8]", "f32[8,8]")
FUNCTIONS = """
    import functools
    import jax
    import jax.numpy as jnp

    def loop(x):
        return jax.lax.fori_loop(0, 5, lambda i, c: (c[0] + 1.5, jnp.sin(c[1]) * c[0]), (x, x))

    def branch(x):
        return jax.lax.cond(x.sum() > 0, jnp.linalg.cholesky, lambda x: jnp.sort(x), x)

    def wave(x):
        return jnp.tanh(x * 2 + 1)

    refused = functools.partial(jax.jit, compiler_options={"xla_no_such_option": True})(wave)
"""


def report(ref, *specs, dims=None, **asked):
    arguments = tuple(parse_argument(spec) for spec in specs)
    request = Request("passes", ref, (), arguments, dims=dims or {})
    return read(request, partial(passes.read, **asked))


def opcodes(hlo):
    """Counted in the simplest way: the first word before a bracket after each `=`."""
    return Counter(re.findall(r"^ .*? = .*? ([a-z][a-z0-9-]*)\(", hlo, re.M))


def lowered(ref, *shapes):
    import jax

    fn = load(ref).object
    return (fn if hasattr(fn, "lower") else jax.jit(fn)).lower(
        *(jax.ShapeDtypeStruct(shape, "float32") for shape in shapes)
    )


CASES = pytest.mark.parametrize(
    ("ref", "shapes"),
    [(LOSS[0], ((8, 8), (8, 8))), ("funcs.py:loop", ((8,),)), ("funcs.py:branch", ((4, 4),))],
)


@pytest.fixture(autouse=True)
def functions(write):
    write("funcs.py", FUNCTIONS)


@CASES
def test_the_passes_lead_from_the_module_given_to_the_module_compiled(ref, shapes, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    done = lowered(ref, *shapes)
    given, compiled = opcodes(done.as_text(dialect="hlo")), opcodes(done.compile().as_text())
    found = report(ref, *(f"f32[{','.join(map(str, shape))}]" for shape in shapes)).passes
    assert found[0].instructions_before == given.total()
    assert found[-1].instructions_after == compiled.total()
    deltas = Counter()
    for one in found:
        deltas.update(one.ops)
    assert {op: n for op, n in deltas.items() if n} == {
        op: compiled[op] - given[op] for op in given | compiled if compiled[op] != given[op]
    }


@CASES
def test_each_pass_begins_where_the_one_before_it_ended(ref, shapes, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    found = report(ref, *(f"f32[{','.join(map(str, shape))}]" for shape in shapes)).passes
    assert [one.index for one in found] == list(range(len(found)))
    for before, after in pairwise(found):
        assert before.instructions_after == after.instructions_before
    for one in found:
        assert one.instructions_after - one.instructions_before == sum(one.ops.values())
        assert one.changed or not one.ops
    assert any(not one.changed for one in found), "passes without effect are dumped as well"


def test_what_xla_does_between_its_passes_is_listed_if_it_changed_something():
    between = [one for one in report("funcs.py:wave", "f32[64]").passes if one.pass_ == "pipeline-start"]
    assert [one.pipeline for one in between if one.changed] == (
        [] if OLDER else ["HLO_passes_after_scheduling"]
    )
    assert all(one.changed for one in between)


def test_the_fusion_pass_is_the_one_that_fuses():
    made = report("funcs.py:wave", "f32[64]", op="fusion")
    fused = next(one for one in made.passes if one.pass_ == "fusion" and one.changed)
    assert fused.ops["fusion"] == 1
    (found,) = made.found
    assert (found.opcode, found.first, found.last) == ("fusion", fused.index, len(made.passes) - 1)


def test_an_instruction_is_found_by_name_with_or_without_percent():
    made = report("funcs.py:wave", "f32[64]", op="%tanh.1")
    assert made.found == report("funcs.py:wave", "f32[64]", op="tanh.1").found
    (found,) = made.found
    assert found.first is None
    gone = made.passes[found.last + 1]
    assert gone.pass_ == "fusion" and gone.changed, "the fused one has another name"


def test_the_diff_of_a_pass_by_its_name_its_index_and_its_pipeline():
    made = report("funcs.py:wave", "f32[64]", pass_name="fusion")
    (fused,) = (one for one in made.passes if one.pass_ == "fusion")
    assert [one.index for one in made.passes if one.asked] == [fused.index]
    assert made.difference.startswith(f"--- before {fused.index} fusion ({fused.pipeline})\n")
    assert re.search(r"^-  ROOT %tanh\S* = f32\[64\] tanh\(", made.difference, re.M)
    assert re.search(r"^\+  ROOT \S+ = f32\[64\] fusion\(", made.difference, re.M)
    assert "metadata" not in made.difference
    assert report("funcs.py:wave", "f32[64]", pass_name=str(fused.index)).difference == made.difference
    assert made.difference in report("funcs.py:wave", "f32[64]", pass_name=fused.pipeline).difference


def test_a_pass_without_effect_has_no_diff():
    made = report("funcs.py:wave", "f32[64]", pass_name="topk-decomposer")
    assert made.difference == "" and sum(one.asked for one in made.passes) == 1
    assert report("funcs.py:wave", "f32[64]").difference is None


def test_of_several_runs_only_those_that_changed_something_have_a_diff():
    made = report("funcs.py:branch", "f32[4,4]", pass_name="algsimp")
    runs = [one for one in made.passes if one.asked]
    changed = [one.index for one in runs if one.changed]
    assert len(runs) > len(changed) > (0 if OLDER else 1)
    assert list(map(int, re.findall(r"^--- before (\d+) algsimp ", made.difference, re.M))) == changed


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"pass_name": "fuson"}, "--pass fuson: XLA ran no such pass", "did you mean fusion"),
        ({"pass_name": "zzzz"}, "--pass zzzz", "-v"),
        ({"pass_name": "9999"}, "numbered from 0 to 1", None),
        ({"op": "tanj.1"}, "--op tanj.1", "tanh.1"),
        ({"op": "zzzz"}, "--op zzzz", "jitinspect hlo"),
    ],
)
def test_a_pass_or_op_that_does_not_exist(asked, message, hint):
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        report("funcs.py:wave", "f32[64]", **asked)
    assert caught.value.hint is None if hint is None else hint in caught.value.hint


def test_what_was_compiled_before_in_this_process_is_dumped_again():
    lowered("funcs.py:wave", (64,)).compile()
    once, again = (report("funcs.py:wave", "f32[64]").passes for _ in range(2))
    assert len(once) > 100
    assert [(one.pipeline, one.changed, one.ops) for one in once] == [
        (one.pipeline, one.changed, one.ops) for one in again
    ]


def test_the_log_has_one_compilation():
    assert [event.phase for event in report("funcs.py:loop", "f32[8]").events] == [
        "trace",
        "lower",
        "compile",
    ]


def test_a_sweep_has_the_passes_of_each_call():
    made = report("funcs.py:wave", "f32[B]", dims={"B": (2, 64)}, pass_name="fusion", op="fusion")
    assert {one.signature for one in made.passes} == {"wave(f32[2])", "wave(f32[64])"}
    assert {one.signature for one in made.found} == {"wave(f32[2])", "wave(f32[64])"}
    assert re.findall(r"^--- before .*\) (\S+)$", made.difference, re.M) == ["B=2", "B=64"]


def test_a_module_that_xla_refuses_is_a_compile_error():
    with pytest.raises(CompileError, match="xla_no_such_option"):
        report("funcs.py:refused", "f32[64]")


def test_another_platform_is_refused(monkeypatch):
    monkeypatch.setattr(dumps, "platforms", lambda lowered: ("cuda",))
    with pytest.raises(UnavailableError, match="cuda"):
        report("funcs.py:wave", "f32[64]")


def test_without_dumps_the_reading_is_unavailable(monkeypatch):
    monkeypatch.setitem(dumps._PASS_OPTIONS, "xla_dump_hlo_module_re", "another_module")
    with pytest.raises(UnavailableError, match="none of its passes"):
        report("funcs.py:wave", "f32[64]")


def test_a_dump_that_a_full_disk_cut_off_is_an_error(monkeypatch):
    written = dumps.passes_dumped

    @contextmanager
    def cut_off(*asked):
        with written(*asked) as (folder, compiled):
            for path in folder.glob("*.txt"):
                os.truncate(path, path.stat().st_size - 20)
            yield folder, compiled

    monkeypatch.setattr(dumps, "passes_dumped", cut_off)
    with pytest.raises(UnavailableError, match="is incomplete") as caught:
        report("funcs.py:wave", "f32[64]")
    assert "TMPDIR" in caught.value.hint


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", "jitinspect", "passes", LOSS[0], "-s", "8,8", "-s", "8,8", *words],
        cwd=ROOT,
        env=os.environ | {"JAX_PLATFORMS": "cpu", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    )


def test_the_command_prints_only_json_and_logs_the_compilation():
    done = command("--json")
    document = json.loads(done.stdout)
    assert document["command"] == "passes" and len(document["events"]) == 3
    fields = {"index", "pipeline", "pass", "changed", "instructions_before", "instructions_after", "ops"}
    assert all(fields <= set(one) for one in document["passes"])
    assert any(one["pass"] == "fusion" and one["ops"].get("fusion") for one in document["passes"])
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["trace", "lower", "compile"]


def test_the_command_prints_a_table():
    lines = command("-q").stdout.splitlines()
    assert lines[0].split() == ["#", "pipeline", "pass", "instructions", "ops"]
    assert any(re.search(r" fusion +\d+ → \d+ +fusion \+1", line) for line in lines)
    assert re.fullmatch(
        r"\d+ passes, \d+ changed the module · \d+ → \d+ instructions · -v shows all", lines[-1]
    )
    assert max(map(len, lines)) <= 100
