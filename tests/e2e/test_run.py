"""`jitinspect run`: a program as `python` runs it, and what is told of it; its recordings and its limits."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.e2e.conftest import COMMAND
from tests.support.pages import data_of

TRAIN = """
import sys, jax, jax.numpy as jnp, numpy as np
@jax.jit
def step(w, x):
    return w - 0.1 * x.sum()
w = jnp.ones(4)
for n in (32, 32, 17, 32):
    w = step(w, np.ones((n, 8), np.float32))
print("trained", sys.argv[1:], __name__, sys.path[0] != "")
"""


def test_the_summary_stands_on_stderr_and_the_programs_words_on_stdout(shell):
    shell.write("train.py", TRAIN)
    bare = shell.run([sys.executable, "train.py", "--epochs", "3", "-h"])
    watched = shell("run", "train.py", "--epochs", "3", "-h")
    assert (watched.stdout, watched.returncode) == (bare.stdout, 0)
    told = watched.stderr.splitlines()
    assert told[0].startswith("COMPILED") and told[0].endswith(
        "step(f32[4], f32[32,8])  train.py:8  first call of step"
    )
    assert "1 of 2 avoidable" in watched.stderr and "train.py:8  step  2 compilations" in watched.stderr
    assert (
        "x: f32[32,8] → f32[17,8]" in watched.stderr and "drop the last one, or pad x to 32" in watched.stderr
    )


def test_a_module_runs_as_python_runs_it(shell):
    package = shell.folder / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(
        "import sys\nfrom . import other\n"
        "print(sys.argv[1:], __name__, __package__, __spec__.name, sys.path[0])\n"
        "print(other.__name__, sys.modules['__main__'].__file__, sys.argv[0])\n"
    )
    (package / "other.py").write_text("")
    bare = shell.run([sys.executable, "-m", "pack", "a", "-b"])
    watched = shell("run", "-q", "-m", "pack", "a", "-b")
    assert (watched.stdout, watched.returncode) == (bare.stdout, 0)


@pytest.mark.parametrize(
    "body", ["sys.exit(3)", "sys.exit()", "sys.exit('no')", "raise SystemExit(0)", "1 / 0", "print('fine')"]
)
def test_exit_codes_are_the_programs(shell, body):
    shell.write("program.py", f"import sys\n{body}\n")
    bare, watched = shell.run([sys.executable, "program.py"]), shell("run", "-q", "program.py")
    assert (watched.returncode, watched.stdout, watched.stderr) == (bare.returncode, bare.stdout, bare.stderr)


def test_a_hook_of_the_programs_is_told_of_its_exception(shell):
    shell.write("program.py", "import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__)\n1 / 0\n")
    watched = shell("run", "-q", "program.py")
    assert (watched.returncode, watched.stdout, watched.stderr) == (1, "hook ZeroDivisionError\n", "")


def test_calls_and_hits_are_counted(shell):
    shell.write("train.py", TRAIN)
    report = json.loads(shell.forked("run", "--hits", "--json", "train.py").stdout)
    (step,) = report["functions"]
    assert (step["calls"], step["hits"], step["compilations"]) == (4, 2, 2)
    assert report["totals"]["calls"] == 4 and report["sites"][0]["calls"] == 4


@pytest.mark.parametrize("command", [("run", "train.py"), ("trace-cache", "train.py")])
def test_json_in_a_file_leaves_stdout_to_the_program(shell, command):
    shell.write("train.py", TRAIN)
    watched = shell(command[0], "--json", "-o", "report.json", *command[1:])
    assert watched.stdout == shell.run([sys.executable, "train.py"]).stdout != ""
    assert json.loads((shell.folder / "report.json").read_text())["command"] == command[0]


def test_json_stands_alone_on_stdout_and_has_what_the_contract_says(shell):
    shell.write("train.py", TRAIN)
    finished = shell.forked("run", "--json", "train.py")
    assert "trained" in finished.stderr
    report = json.loads(finished.stdout)
    assert report["schema"] == 1 and report["command"] == "run" and report["exit_code"] == 0
    (site,) = report["sites"]
    assert (site["at"], site["function"], site["compilations"]) == ("train.py:8", "step", 2)
    assert [cause["kind"] for cause in sorted(site["causes"], key=lambda cause: cause["kind"])] == [
        "first_call", "shape",
    ]  # fmt: skip
    assert set(report["internal"]) == {"compilations", "seconds", "disk_hits"}
    assert report["internal"]["compilations"] > 0
    totals = {
        "compilations",
        "disk_hits",
        "trace_seconds",
        "lower_seconds",
        "compile_seconds",
        "wall_seconds",
    }
    assert totals <= set(report["totals"]) and report["environment"]["platform"] == "cpu"


def test_every_format_is_written_and_view_prints_the_same_summary(shell):
    shell.write("train.py", TRAIN)
    for name in ("report.json", "report.html", "report.txt", "trace.json"):
        assert shell.forked("run", "-q", "-o", name, "train.py").returncode == 0
    trace = json.loads((shell.folder / "trace.json").read_text())["traceEvents"]
    assert {"trace step", "lower step", "compile step"} <= {event["name"] for event in trace}
    page = data_of((shell.folder / "report.html").read_text())
    assert page["avoidable"].startswith("1 of 2 avoidable") and page["timeline"]["lanes"] == ["thread 1"]
    assert {"trace", "lower", "compile", "call"} == set(page["timeline"]["phase"])
    viewed = shell("view", "report.json")
    assert viewed.returncode == 0 and "1 of 2 avoidable" in viewed.stdout
    assert "x: f32[32,8] → f32[17,8]" in (shell.folder / "report.txt").read_text()


def test_a_narrow_terminal_gets_no_line_that_is_too_long(shell):
    shell.write("train.py", TRAIN)
    told = shell.forked("run", "train.py", COLUMNS="60").stderr
    assert max(map(len, told.splitlines())) <= 60


# Recordings


def test_a_recording_tells_what_the_run_told(shell):
    shell.write("train.py", TRAIN)
    live = shell.forked("run", "--record", "rec.jsonl", "train.py").stderr
    summary = shell("summary", "rec.jsonl")
    assert summary.returncode == 0
    told = summary.stdout[summary.stdout.index("2 compilations") :]
    assert live.endswith(told)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGINT"])
def test_a_program_that_a_signal_ends_leaves_a_recording(shell, name):
    body = "print('ready', flush=True)\nimport time\ntime.sleep(600)\n"
    shell.write("program.py", f"{TRAIN}\n{body}")
    ended = []
    for command in ([sys.executable], [str(COMMAND), "run", "-q", "--record", "rec.jsonl"]):
        process = subprocess.Popen(
            [*command, "program.py"],
            cwd=shell.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while "ready" not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(0.2)
        process.send_signal(getattr(signal, name))
        _, stderr = process.communicate(timeout=300)
        ended.append((process.returncode, stderr if name != "SIGINT" else stderr.splitlines()[-1]))
    assert ended[0][0] == ended[1][0] == -getattr(signal, name)
    if name != "SIGINT":
        assert ended[0][1] == ended[1][1]
    summary = shell("summary", "rec.jsonl").stdout
    assert "2 compilations" in summary and "1 of 2 avoidable" in summary
    assert ("interrupted" if name == "SIGINT" else "the recording ends here") in summary


def test_what_was_being_compiled_when_it_was_killed_is_told(shell):
    body = """
import os, signal, threading, time, jax, jax.numpy as jnp, numpy as np
@jax.jit
def slow(x):
    for _ in range(600): x = jnp.tanh(x @ x) + 1
    return x
def kill():
    while '"compiling"' not in open('rec.jsonl').read(): time.sleep(.01)
    os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=kill, daemon=True).start()
slow(np.ones((50, 50), np.float32))
"""
    shell.write("program.py", body)
    assert shell("run", "--record", "rec.jsonl", "program.py").returncode == -signal.SIGKILL
    summary = shell("summary", "rec.jsonl").stdout
    assert "during compile slow(f32[50,50]) at program.py:" in summary


def test_a_child_that_the_program_forks_is_its_own_affair(shell):
    """It forks before a backend has threads: behind that, JAX itself may end such a child by SIGSEGV."""
    before = """
import os, sys, jax
child = os.fork()
if not child:
    print('child', float(jax.jit(lambda x: x * 3)(1.0)), flush=True)
    sys.exit(5)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    shell.write("program.py", before + TRAIN)
    bare = shell.run([sys.executable, "-W", "ignore", "program.py"])
    watched = shell(
        "run", "--record", "rec.jsonl", "-o", "report.json", "program.py", PYTHONWARNINGS="ignore"
    )
    assert (watched.stdout, watched.returncode) == (bare.stdout, 0)
    assert "child 3.0\n5\n" in bare.stdout
    lines = [json.loads(line) for line in (shell.folder / "rec.jsonl").read_text().splitlines()]
    assert [line["record"] for line in lines].count("end") == 1
    assert watched.stderr.count("wrote report.json") == 1


UNDISTURBED = {
    "settings before jax is imported": """
import os
os.environ["JAX_ENABLE_X64"] = "1"
import jax.numpy as jnp
print(jnp.ones(2).dtype)
""",
    "closes stderr": "import sys\nsys.stderr.close()\n",
    "no stderr": "import sys\nsys.stderr = None\n",
    "no stdout": "import sys\nsys.stdout = None\n",
    "removes its folder": """
import os, tempfile, jax, numpy as np
folder = tempfile.mkdtemp(); os.chdir(folder); os.rmdir(folder)
print(jax.jit(lambda x: x + 1)(np.ones(3)))
""",
    "data beside arrays that compares with its own kind alone": """
import jax, numpy as np
class Aux:
    def __init__(self, v): self.v = v
    def __eq__(self, other): return self.v == other.v
    def __hash__(self): return hash(self.v)
class Node:
    def __init__(self, x, aux): self.x, self.aux = x, aux
jax.tree_util.register_pytree_node(Node, lambda n: ((n.x,), n.aux), lambda aux, xs: Node(xs[0], aux))
f = jax.jit(lambda node: node.x + 1)
for v in (1, 2): print(f(Node(np.ones(2), Aux(v))))
g = jax.jit(lambda how, x: x, static_argnums=0)
for how in (Aux(1), 3): print(g(how, 1.0))
""",
    "a repr that raises": """
import dataclasses, jax
@dataclasses.dataclass(frozen=True)
class How:
    n: int
    def __repr__(self): raise ValueError("no")
g = jax.jit(lambda how, x: x * how.n, static_argnums=0)
for n in (1, 2): print(g(How(n), 1.0))
""",
    "a deep tree": """
import jax
deep = 1.0
for _ in range(400): deep = [deep]
print(len(jax.tree.leaves(jax.jit(lambda tree: tree)(deep))))
""",
}


@pytest.mark.parametrize("name", UNDISTURBED)
def test_what_is_seldom_done_is_done_as_without(shell, name):
    shell.write("program.py", UNDISTURBED[name])
    bare, watched = shell.run([sys.executable, "program.py"]), shell("run", "-q", "program.py")
    assert (watched.returncode, watched.stdout, watched.stderr) == (bare.returncode, bare.stdout, bare.stderr)
    assert shell.forked("run", "-o", "report.json", "program.py").returncode == bare.returncode
    assert (shell.folder / "report.json").exists()


def test_a_module_beside_the_program_is_the_programs(shell):
    shell.write("typer.py", "mine = 1\n")
    shell.write("program.py", "import typer, sys\nprint(typer.mine, 'rich' in sys.modules)\n")
    assert shell("run", "-q", "program.py").stdout.startswith("1 ")


def test_files_are_written_where_the_user_is_though_the_program_goes_elsewhere(shell):
    elsewhere = "import os, tempfile; os.chdir(tempfile.mkdtemp())\n"
    shell.write("train.py", TRAIN + elsewhere)
    files = ["--record", "rec.jsonl", "-o", "report.json", "--lock", "compiles.lock"]
    for _ in range(2):
        assert shell.forked("run", *files, "train.py").returncode == 0
    assert {"rec.jsonl", "report.json", "compiles.lock"} <= set(os.listdir(shell.folder))


def test_a_program_without_jax_does_not_wait_for_it(shell):
    shell.write("program.py", "import sys\nprint('jax' in sys.modules)\n")
    finished = shell("run", "program.py")
    assert finished.stdout == "False\n" and "0 compilations" in finished.stderr


@pytest.mark.parametrize("command", [("run",), ("trace-cache",), ("trace-cache", "-v")])
def test_names_that_a_terminal_would_obey_are_told_in_letters(shell, command):
    body = "import jax\ndef f(x): return x\nf.__name__ = 'a\\n\\x1b[31mb'\njax.jit(f)(1.0)\n"
    shell.write("program.py", body)
    finished = shell.forked(*command, "program.py")
    told = finished.stdout + finished.stderr
    assert "\x1b" not in told and "first call of a\\n\\x1b[31mb" in told


def test_what_comes_from_disk_is_counted_apart(shell):
    shell.write("train.py", TRAIN)
    environ = {
        "JAX_COMPILATION_CACHE_DIR": str(shell.folder / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    for from_disk in (0, 2):
        report = json.loads(shell("run", "--json", "train.py", **environ).stdout)
        assert (report["totals"]["disk_hits"], report["totals"]["compilations"]) == (from_disk, 2 - from_disk)
        assert bool(report["internal"]["disk_hits"]) == bool(from_disk)
        folder = environ["JAX_COMPILATION_CACHE_DIR"]
        assert report["disk"] is None or report["disk"]["folder"] == folder
        assert (report["disk"] or {"written": 0})["written"] == 2 - from_disk


def test_what_is_not_written_to_disk_is_told_and_why(shell):
    shell.write("train.py", TRAIN)
    environ = {
        "JAX_COMPILATION_CACHE_DIR": str(shell.folder / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "1000",
    }
    finished = shell("run", "--record", "rec.jsonl", "train.py", **environ)
    why = "compiled in less than 1000 s (set jax_persistent_cache_min_compile_time_secs=0 to keep them)"
    assert f"2 not written: {why}" in " ".join(finished.stderr.split())
    assert f"2 not written: {why}" in " ".join(shell("summary", "rec.jsonl").stdout.split())
    assert not [*(shell.folder / "cache").glob("*-cache")]


def test_no_backend_is_started_for_a_program_that_only_traces(shell):
    body = """
from jax._src import xla_bridge
jax.eval_shape(jax.jit(lambda x: x + 1), jax.ShapeDtypeStruct((3,), "float32"))
jax.jit(lambda x: x + 1).trace(np.ones(3))
print(xla_bridge.backends_are_initialized())
"""
    shell.write("program.py", "import jax, numpy as np\n" + body)
    finished = shell.forked("run", "--hits", "--record", "rec.jsonl", "program.py")
    assert finished.stdout == "False\n" and "TRACED" in finished.stderr


def test_what_an_atexit_function_compiles_is_recorded(shell):
    body = "import atexit\natexit.register(lambda: jax.jit(lambda late: late + 1)(np.ones(7)))\n"
    shell.write("program.py", TRAIN + body)
    shell("run", "-q", "--record", "rec.jsonl", "program.py")
    assert "3 compilations" in shell("summary", "rec.jsonl").stdout


def test_two_programs_do_not_record_to_one_file(shell):
    shell.write("train.py", TRAIN)
    shell.write("outer.py", "import subprocess, sys\nsys.exit(subprocess.call(sys.argv[1:]))\n")
    inner = [str(COMMAND), "run", "-q", "--record", "rec.jsonl", "train.py"]
    finished = shell("run", "-q", "--record", "rec.jsonl", "outer.py", *inner)
    assert finished.returncode == 2 and "another process is recording to it" in finished.stderr
    assert "rec-{pid}.jsonl" in finished.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("{}\n", "not a line of a recording"),
        ('{"record":"span"}\n', "not a jitinspect recording"),
    ],
)
def test_what_is_no_recording_is_refused(shell, text, said):
    shell.write("rec.jsonl", text)
    finished = shell("summary", "rec.jsonl")
    assert finished.returncode == 3 and said in finished.stderr


# The processes of a job

JOB = """
import sys, jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
index, port = int(sys.argv[1]), sys.argv[2]
jax.distributed.initialize(f"localhost:{port}", num_processes=2, process_id=index)
sharding = NamedSharding(Mesh(np.array(jax.devices()), ("d",)), P("d"))
@jax.jit
def total(x):
    return x.sum()
for n in (4, 4) if index == 0 or len(sys.argv) == 3 else (4, 4, 2):
    batch = jax.make_array_from_callback((n,), sharding, lambda where: np.ones(n, np.float32)[where])
    print(index, float(total(batch)), flush=True)
if len(sys.argv) > 3:  # else the other one is told that this one is gone
    import time
    time.sleep(600)
"""


def job(shell, *arguments):
    """Run two processes of one job; what hangs is killed when the other is done."""
    shell.write("job.py", JOB)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    run = [str(COMMAND), "run", "-q", "--record", "rec-{pid}.jsonl", "job.py"]
    processes = [
        subprocess.Popen([*run, str(index), port, *arguments], cwd=shell.folder, stderr=subprocess.DEVNULL)
        for index in (0, 1)
    ]

    def have_come_so_far():
        texts = [file.read_text() for file in shell.folder.glob("rec-*.jsonl")]
        if arguments:
            return any(text.count('"span","phase":"compile","function":"total"') > 1 for text in texts)
        return sum('"record":"end"' in text for text in texts) == 2

    end = time.monotonic() + 300
    while not have_come_so_far() and time.monotonic() < end:
        time.sleep(0.1)
    for process in processes:
        process.kill()  # which is no more to one that has ended
        process.wait()
    return shell("summary", "rec-*.jsonl").stdout


def test_the_processes_of_a_job_stand_side_by_side(shell):
    told = job(shell)
    assert "\n0  1 compilation" in told and "\n1  1 compilation" in told and told.count("exit code 0") == 2
    assert "compiled differently" not in told


def test_a_job_that_hangs_tells_in_what(shell):
    told = job(shell, "uneven")
    assert "no exit: killed, or still running" in told  # in the call, or where its result is waited for
    assert "total  job.py:7  counts differ  (0: 1, 1: 2)" in told and "they compute it together" in told
    assert "only on process 1: total(f32[2]@P('d')) at job.py:12" in told


# Limits


@pytest.mark.parametrize(
    ("limit", "held"),
    [
        (["--max-compiles", "2"], True),
        (["--max-compiles", "1"], False),
        (["--max-compiles", "step=1"], False),
        (["--max-compiles", "stop=0"], True),
        (["--max-compile-seconds", "1000"], True),
        (["--max-compile-seconds", "0"], False),
        (["--fail-on-recompile"], False),
        (["--fail-on-recompile", "--warmup", "3 calls"], True),
        (["--fail-on-recompile", "--warmup", "1 call"], False),
        (["--fail-on-recompile", "--warmup", "ready"], False),
    ],
)
def test_a_limit_that_does_not_hold_is_exit_code_1_and_says_why(shell, limit, held):
    shell.write("train.py", TRAIN)
    finished = shell.forked("run", "-q", *limit, "train.py")
    assert finished.returncode == (0 if held else 1)
    assert (f"FAILED  {limit[0]}" in finished.stderr) != held
    if not held and "ready" not in limit:
        assert "train.py:8: step(f32[4], f32[17,8]): x: f32[32,8] → f32[17,8]" in finished.stderr


AUX = """
import jax, numpy as np
class Scaled:
    def __init__(self, x, mul): self.x, self.mul = x, mul
    @jax.jit
    def apply(self, y): return self.mul * self.x * y
parts = lambda s: ((s.x,), {"mul": s.mul})
jax.tree_util.register_pytree_node(Scaled, parts, lambda aux, c: Scaled(*c, **aux))
for mul in (2, 3): Scaled(np.ones(3), mul).apply(1.0)
"""


def test_metadata_that_cannot_be_hashed_are_a_cause_and_count(shell):
    shell.write("scaled.py", AUX)
    finished = shell.forked("run", "-q", "--fail-on-recompile", "scaled.py")
    assert finished.returncode == 1
    assert "self: Scaled {'mul': 2} → {'mul': 3}" in finished.stderr


def test_a_marker_ends_the_warm_up(shell):
    marked = TRAIN.replace("w = jnp.ones(4)\n", "w = jnp.ones(4)\nimport jitinspect\n").replace(
        "    w = step", "    if n == 17: jitinspect.mark('warm')\n    w = step"
    )
    shell.write("train.py", marked)
    limit = ["--fail-on-recompile", "--warmup", "warm"]
    finished = shell.forked("run", "-q", *limit, "train.py")
    assert finished.returncode == 1 and "1 compilation after mark('warm')" in finished.stderr
    assert shell.run([sys.executable, "train.py"]).returncode == 0
    shell.write("train.py", marked.replace("n == 17", "n == 99"))
    assert "never reached jitinspect.mark('warm')" in shell.forked("run", "-q", *limit, "train.py").stderr


def test_a_lock_file_is_written_and_then_held_to(shell):
    shell.write("train.py", TRAIN)
    assert "wrote" in shell.forked("run", "--lock", "compiles.lock", "train.py").stderr
    assert "step(f32[4], f32[17,8])" in (shell.folder / "compiles.lock").read_text()
    moved = "\n\n" + TRAIN
    shell.write("train.py", moved)
    assert shell.forked("run", "-q", "--lock", "compiles.lock", "train.py").returncode == 0
    shell.write("train.py", moved.replace("32, 17,", "32, 18,"))
    finished = shell.forked("run", "-q", "--lock", "compiles.lock", "train.py")
    assert finished.returncode == 1
    assert (
        "new: step(f32[4], f32[18,8])" in finished.stderr
        and "gone: step(f32[4], f32[17,8])" in finished.stderr
    )
    assert shell.forked("run", "-q", "--lock", "compiles.lock", "--update-lock", "train.py").returncode == 0
    assert shell.forked("run", "-q", "--lock", "compiles.lock", "train.py").returncode == 0


def test_annotations_stand_at_the_lines_of_the_program(shell):
    shell.write("train.py", TRAIN)
    finished = shell.forked("run", "-q", "--max-compiles", "1", "--format", "github", "train.py")
    commands = [line for line in finished.stderr.splitlines() if line.startswith("::")]
    assert [command.partition("title")[0] for command in commands] == [
        "::error file=train.py,line=8,", "::warning file=train.py,line=8,",
    ]  # fmt: skip


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run"], 2, "Missing argument"),
        (["run", "trian.py"], 3, "did you mean train.py?"),
        (["run", "-m", "no_such_module"], 3, "no such module"),
        (["run", "--max-compiles", "many", "train.py"], 2, "not a number"),
        (["run", "--warmup", "3", "train.py"], 2, "--warmup needs --fail-on-recompile"),
        (["run", "--fail-on-recompile", "--warmup", "-3", "train.py"], 2, "neither a number of calls"),
        (["run", "--max-compile-seconds", "nan", "train.py"], 2, "must be 0 or more"),
        (["run", "--update-lock", "train.py"], 2, "--update-lock needs --lock FILE"),
        (["run", "--record", "no/such/folder.jsonl", "train.py"], 2, "No such file or directory"),
        (["run", "--lock", "damaged.lock", "train.py"], 3, "not a jitinspect lock file"),
        (["run", "broken.py"], 3, "broken.py:1"),
        (["summary", "none.jsonl"], 3, "cannot be read"),
        (["summary", "none-*.jsonl"], 3, "none-*.jsonl: no recordings there"),
        (["view", "rec.jsonl"], 3, "jitinspect summary reads recordings"),
    ],
)
def test_a_mistake_is_answered_before_anything_runs(shell, arguments, code, said):
    shell.write("train.py", "print('it ran')")
    shell.write("broken.py", "def f(:\n")
    shell.write("damaged.lock", "{")
    shell.write("rec.jsonl", '{"record":"begin","schema":1}\n')
    finished = shell.forked(*arguments)
    assert (finished.returncode, finished.stdout) == (code, "") and said in finished.stderr


def test_no_file_is_left_in_the_folder(shell):
    shell.write("train.py", TRAIN)
    before = set(os.listdir(shell.folder))
    shell("run", "train.py", PYTHONDONTWRITEBYTECODE="1")
    assert set(os.listdir(shell.folder)) == before


TEARING = """
import sys, threading, traceback
import jax, numpy as np

@jax.jit
def f(x):
    return x

class Compiling:
    sizes = iter(range(1, 100))
    def write(self, text):
        thread = threading.Thread(target=f, args=(np.ones(next(self.sizes), np.float32),))
        thread.start()
        thread.join()
        sys.__stderr__.write(text)
    def flush(self):
        sys.__stderr__.flush()

def caught():
    try:
        1 / 0
    except ZeroDivisionError:
        traceback.print_exc()

sys.stderr = Compiling()
{fails}
"""


@pytest.mark.parametrize(
    "fails",
    ["caught()", "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()", "1 / 0"],
    ids=["caught", "in a thread", "uncaught"],
)
def test_no_row_tears_a_traceback_in_two(shell, fails):
    """What the program's stderr gets has JAX compile in another thread, at each piece."""
    shell.write("program.py", TEARING.format(fails=fails))
    told = shell("run", "program.py").stderr.splitlines()
    begins, ends = (
        told.index("Traceback (most recent call last):"),
        told.index("ZeroDivisionError: division by zero"),
    )
    assert begins < ends and not any("COMPILED" in line for line in told[begins:ends])
    assert sum(line.startswith("COMPILED") for line in told[: told.index("")]) > 2


IMPORTS_LATER = """
import jax, jax.monitoring
compiled = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, seconds, **_: compiled.append(event) if event.endswith("backend_compile_duration") else None
)
f = jax.jit(lambda x: x + 1)
f(1.0)
import jax.experimental.pallas
f(1.0)
import jax.extend.backend
f(1.0)
print(len(compiled))
"""


def test_a_part_of_jax_that_is_imported_later_does_what_it_does_without(shell):
    """Pallas brings settings that traces depend on. It must not be there before, because of who looks on."""
    shell.write("later.py", IMPORTS_LATER)
    bare = shell.run([sys.executable, "later.py"]).stdout
    watched = shell("run", "-o", "run.json", "later.py")
    assert watched.stdout == bare
    report = json.loads((shell.folder / "run.json").read_text())
    told = [one for one in report["compilations"] if one["function"] == "<lambda>"]
    assert len(told) == int(bare)
    for one in told[1:]:
        (reason,) = one["reasons"]
        assert (reason["kind"], reason["where"]) == ("config", "JAX's settings")
        assert "pallas_grid_context" in reason["now"] and "jax.experimental.pallas" in reason["hint"]
