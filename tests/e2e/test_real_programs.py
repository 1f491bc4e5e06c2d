"""Programs of flax, optax, equinox, numpyro, blackjax, diffrax and mctx: undisturbed, counted, explained."""

import json
import re
import statistics
import sys
from importlib.util import find_spec

import pytest

from tests.e2e.conftest import CHEAPEST, ROOT, Shell

PROGRAMS = ROOT / "tests" / "programs"

WATCH = ["run", "--record", "rec.jsonl", "-o", "report.json", "-q"]

SMALLER_BATCH = ["x: f32[32,8] → f32[17,8]", "y: …[32] → …[17]"]
LONGER_SCAN = [
    "its function is a new object", "length: 20 → 30", "args[…]: key<fry>[20] → key<fry>[30]",
]  # fmt: skip
ANOTHER_STATE = ["state.apply_fn: … (a different object)", "state.tx: … (a different object)"]

COMPILATIONS = {
    "train_nnx": {
        "loss = train_step(": [["first call of train_step"], SMALLER_BATCH],
        'print("evaluate", epoch': [["first call of evaluate"]],
        'print("evaluate in training mode"': [
            ["model.dropout.deterministic: True → False", "model.norm.use_running_average: True → False"]
        ],
    },
    "train_linen": {
        "loss = train_step(": [["first call of train_step"], SMALLER_BATCH, ANOTHER_STATE, ANOTHER_STATE],
        "print(learning_rate": [["first call of predict"], ANOTHER_STATE],
    },
    "train_equinox": {
        "loss = train_step(model, state, xs[i": [["first call of train_step"], SMALLER_BATCH],
        "print(epoch": [["first call of evaluate"]],
        "loss = train_step(model, state, xs[:32]": [["model.dropout.p: 0.1 → 0.5"]],
    },
    "schools_numpyro": {
        "mcmc.run(": [
            ["first call of …"],
            ["…potential_fn.args…: 1.0 → 10.0", "…body_fun.args: (1.0,) → (10.0,)", "…._cache: … → …"],
        ],
    },
    "sample_blackjax": {
        "window_adaptation(": [["first call of scan"]],
        "jax.lax.scan(": [["first call of scan"], LONGER_SCAN],
        "walk(key, state)": [["first call of …"]],
    },
    "solve_diffrax": {
        "print(type(solver)": [["first call of final_prey"], ["solver: Euler… → Heun…"]],
        'print("a Python float"': [["populations[0]: f32[]{weak} → 10.0"]],
        "return diffeqsolve(": [["first call of diffeqsolve"], ["saveat…: f32[5] → f32[7]"]],
    },
    "search_mctx": {
        "output = plan(": [["first call of plan"], ["simulations: 4 → 8"], ["state: i32[2] → i32[3]"]],
    },
}
"""Program → a line of it → the reasons of each compilation there, with … for what a library decides."""

STOPWATCH = """
import atexit
import json
import threading
import time

import jax

STAGES = ("jaxpr_trace_duration", "jaxpr_to_mlir_module_duration", "backend_compile_duration")
own, told, late, compiled = threading.local(), [], [], []

def begin(event, *_, **__):
    if event.endswith(STAGES):
        own.depth = getattr(own, "depth", 0) + 1
        if own.depth == 1:
            own.began = time.perf_counter()

def end(event, seconds, **_):
    if event.endswith(STAGES):
        own.depth -= 1
        if own.depth == 0:
            told.append(seconds)
            late.append(time.perf_counter() - own.began - seconds)
    if event.endswith("backend_compile_duration"):
        compiled.append(event)

jax.monitoring.register_scalar_listener(begin)
jax.monitoring.register_event_duration_secs_listener(end)

@atexit.register
def write():
    with open("stopwatch.json", "w") as file:
        json.dump({"compiled": len(compiled), "told": sum(told), "late": late}, file)
"""
"""A module of the program's own that counts how often JAX compiles, how long it is at work in its outermost
stages, as it tells, and how much later each of them ends by a clock.
"""


class Seen:
    """A program in a folder of its own, which imports the stopwatch: run bare, and watched."""

    def __init__(self, name, folder):
        self.program = f"{name}.py"
        text = (PROGRAMS / self.program).read_text().replace("\n", "; import stopwatch\n", 1)
        self.lines = text.splitlines()
        self.shell = Shell(folder, **CHEAPEST)
        self.shell.write(self.program, text)
        self.shell.write("stopwatch.py", STOPWATCH)
        self.bare = self.shell.run([sys.executable, self.program])
        self.timed_bare = self.stopwatch()
        self.watch()

    def watch(self):
        self.watched = self.shell(*WATCH, self.program)
        self.timed_watched = self.stopwatch()
        self.report = json.loads((self.shell.folder / "report.json").read_text())

    def stopwatch(self):
        return json.loads((self.shell.folder / "stopwatch.json").read_text())

    def place(self, text):
        """The one line that has a text, as a report names it."""
        (number,) = [number for number, line in enumerate(self.lines, 1) if text in line]
        return f"{self.program}:{number}"


@pytest.fixture(scope="module", params=COMPILATIONS)
def seen(request, tmp_path_factory):
    imported = re.findall(r"^(?:import|from) (\w+)", (PROGRAMS / f"{request.param}.py").read_text(), re.M)
    missing = [name for name in imported if find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")
    return Seen(request.param, tmp_path_factory.mktemp(request.param))


def test_the_program_is_as_it_is_without(seen):
    assert seen.bare.returncode == (3 if seen.program == "train_linen.py" else 0), seen.bare.stderr
    assert seen.watched.stdout == seen.bare.stdout
    assert seen.watched.stderr == seen.bare.stderr
    assert seen.watched.returncode == seen.bare.returncode == seen.report["exit_code"]


def test_each_compilation_is_counted_once(seen):
    totals, own = seen.report["totals"], seen.report["internal"]
    told = totals["compilations"] + totals["disk_hits"] + own["compilations"]
    assert told == seen.timed_bare["compiled"] == seen.timed_watched["compiled"]


def seconds_of(report):
    """Those of all stages, and of JAX's own work."""
    stages = [report["totals"][f"{stage}_seconds"] for stage in ("trace", "lower", "compile")]
    return sum(stages) + report["internal"]["seconds"]


def test_each_second_is_counted_once(seen):
    """The inner stages are in the time of those around them."""
    told = seen.timed_watched["told"]
    assert abs(seconds_of(seen.report) - told) < 0.01 * told


def test_the_seconds_are_those_that_pass(seen):
    """By a clock around each of JAX's stages. On a busy machine others may come between two readings of a
    clock, but not in most of the stages.
    """
    late = seen.timed_watched["late"]
    assert statistics.median(map(abs, late)) < 0.001


def test_each_compilation_is_explained_at_its_line(seen):
    expected = COMPILATIONS[seen.program.removesuffix(".py")]
    said = {}
    for one in seen.report["compilations"]:
        said.setdefault(one["at"], []).append([reason["text"] for reason in one["reasons"]])
    assert said.keys() == {seen.place(line) for line in expected}
    for line, compilations in expected.items():
        assert agree(compilations, said[seen.place(line)]), f"{line} … {said[seen.place(line)]}"


def agree(expected, said):
    """Two lists of compilations, each a list of reasons."""
    pattern = re.escape(str(expected)).replace("…", "[^']*")
    return re.fullmatch(pattern, str(said))


def test_the_recording_has_the_same_totals(seen):
    summary = json.loads(seen.shell("summary", "rec.jsonl", "--json").stdout)
    for part in ("totals", "internal", "functions", "sites", "exit_code"):
        assert summary[part] == seen.report[part], part


def test_each_program_is_tried():
    assert {path.stem for path in PROGRAMS.glob("*.py")} == set(COMPILATIONS)
