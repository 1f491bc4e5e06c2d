"""`jitinspect run --otlp`: what reaches a collector, and that the program is what it is without one."""

import json
import signal
import subprocess
import sys

import pytest

from tests.e2e.conftest import COMMAND
from tests.support.collector import collecting

TRAIN = """
import sys, time, jax, numpy as np
@jax.jit
def step(w, x):
    return w - 0.1 * x.sum()
began = time.time_ns()
for n in (32, 17, 32):
    w = step(np.ones(4, np.float32), np.ones((n, 8), np.float32))
print("trained", sys.argv[1:])
"""
DISTURBED = """
import json, os, threading
try:
    os.wait()
except ChildProcessError:
    children = False
print(json.dumps({
    "began": began, "ended": time.time_ns(), "pid": os.getpid(), "children": children,
    "threads": [one.name for one in threading.enumerate()],
    "modules": [name for name in ("opentelemetry", "requests", "urllib3") if name in sys.modules],
}))
"""
NOWHERE = "http://127.0.0.1:9"


def test_each_compilation_is_a_span_with_its_times_and_its_cause(shell):
    shell.write("train.py", TRAIN + DISTURBED)
    with collecting() as collector:
        settings = {
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=abc",
            "OTEL_RESOURCE_ATTRIBUTES": "team=speech,host.name=h1",
        }
        finished = shell("run", "--record", "r.jsonl", "--otlp", collector.url, "train.py", "-v", **settings)
    assert finished.returncode == 0 and "not delivered" not in finished.stderr, finished.stderr
    trained, told = finished.stdout.splitlines()
    told = json.loads(told)
    assert trained == "trained ['-v']"
    assert (told["children"], told["threads"], told["modules"]) == (False, ["MainThread"], [])
    assert {path for path, _ in collector.requests} == {"/v1/traces"}
    assert {headers["api-key"] for _, headers in collector.requests} == {"abc"}

    recorded = [json.loads(line) for line in (shell.folder / "r.jsonl").read_text().splitlines()]
    compilations = [one for one in recorded if one["record"] == "compilation" and one["kind"] != "internal"]
    first, second = collector.whole()
    for span, one in zip((first, second), compilations, strict=True):
        assert span.name == f"compilation {one['function']}"
        assert span["jax.signature"] == one["signature"] and span["jitinspect.called_at"] == one["at"]
        assert span["jitinspect.avoidable"] is one["avoidable"]
        assert span["jitinspect.seconds"] == pytest.approx(sum(one["seconds"].values()))
        assert (span.end - span.start) / 1e9 == pytest.approx(one["ended"] - one["began"], abs=1e-6)
        assert [stage.name for stage in collector.stages(span)] == ["trace", "lower", "compile"]
        assert all(span.start <= stage.start <= stage.end <= span.end for stage in collector.stages(span))
    assert told["began"] <= first.start < first.end <= second.start < second.end <= told["ended"]
    assert second["jitinspect.cause"] == "x: f32[32,8] → f32[17,8]" and second["jitinspect.avoidable"]
    assert (first["jitinspect.cause"], first["code.line.number"]) == ("first call of step", 3)
    whose = first.resource
    assert (whose["service.name"], whose["process.pid"]) == ("train", told["pid"])
    assert (whose["host.name"], whose["team"]) == ("h1", "speech")


ENDINGS = {
    "raise ValueError('no')": 1,
    "sys.exit(3)": 3,
    "import os; os._exit(4)": 4,
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)": -signal.SIGKILL,
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_however_a_program_ends_what_it_compiled_arrives(shell, ending):
    shell.write("train.py", f"{TRAIN}sys.stdout.flush()\n{ending}\n")
    with collecting() as collector:
        finished = shell("run", "-q", "--otlp", collector.url, "train.py", OTEL_SERVICE_NAME="mine")
        assert (finished.stdout, finished.returncode) == ("trained []\n", ENDINGS[ending])
        assert "spans" not in finished.stderr
        assert [span["jax.function"] for span in collector.awaited(2)] == ["step", "step"]
    assert {span.resource["service.name"] for span in collector.spans} == {"mine"}


def test_a_collector_that_is_down_or_hangs_costs_one_line(shell):
    shell.write("train.py", TRAIN + "sys.exit(3)")
    bare = shell.run([sys.executable, "train.py"])
    down = shell("run", "-q", "--otlp", NOWHERE, "train.py")
    assert (down.stdout, down.returncode) == (bare.stdout, 3)
    lost = "note: 8 of 8 spans were not delivered to"
    assert down.stderr == f"{lost} {NOWHERE}/v1/traces: Connection refused\n"
    with collecting(hangs=True) as collector:
        hangs = shell("run", "-q", "--otlp", collector.url, "train.py")
    assert (hangs.stdout, hangs.returncode) == (bare.stdout, 3)
    assert hangs.stderr == f"{lost} {collector.url}/v1/traces: no answer within 3 s\n"


def test_ctrl_c_ends_the_program_and_its_spans_are_delivered(shell):
    shell.write("train.py", TRAIN + "sys.stdout.flush()\ntime.sleep(60)\n")
    with collecting() as collector:
        command = [str(COMMAND), "run", "-q", "--otlp", collector.url, "train.py"]
        running = subprocess.Popen(
            command, cwd=shell.folder, env=shell.environ, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        assert running.stdout.readline() == "trained []\n"
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=60)
        assert running.returncode == -signal.SIGINT and "spans" not in told
        assert len(collector.whole()) == 2


FORKS = """
import os, sys
def compiled(how, times):
    import jax, numpy as np
    jax.jit(lambda x: x * times)(np.ones(3, np.float32))
    print(how, os.getpid(), flush=True)
def child(how, end):
    pid = os.fork()
    if not pid:
        compiled(how, 3)
        end(0)
    os.waitpid(pid, 0)
child("before the import", os._exit)
import jax
child("behind it", sys.exit)
compiled("parent", 2)
"""


def test_children_that_the_program_forks_send_their_own(shell):
    shell.write("forks.py", FORKS)
    with collecting() as collector:
        finished = shell(
            "run", "--record", "r.jsonl", "--otlp", collector.url, "forks.py", PYTHONWARNINGS="ignore"
        )
        assert finished.returncode == 0, finished.stderr
        wholes = collector.awaited(3)
    printed = [line.rsplit(" ", 1) for line in finished.stdout.splitlines()]
    assert [how for how, _ in printed] == ["before the import", "behind it", "parent"]
    assert [span.resource["process.pid"] for span in wholes] == [int(pid) for _, pid in printed]
    assert len(collector.spans) == 12 and finished.stderr.count("COMPILED") == 1
    assert (shell.folder / "r.jsonl").read_text().count('"record":"compilation"') == 1


@pytest.mark.parametrize(
    ("url", "code", "told"),
    [
        ("localhost:4318", 2, "this is not the URL of a collector\nhint:  --otlp http://localhost:4318"),
        (NOWHERE, 6, "--otlp needs opentelemetry-sdk\nhint:  pip install 'jitinspect[otlp]'"),
    ],
)
def test_what_cannot_be_sent_is_told_before_the_program_starts(shell, url, code, told):
    """The second without the extra: a Python that finds none of OpenTelemetry's packages."""
    shell.write("train.py", "open('started', 'w')")
    shell.write("sitecustomize.py", WITHOUT_OPENTELEMETRY)
    path = {"PYTHONPATH": f".:{shell.environ.get('PYTHONPATH', '')}"}
    finished = shell("run", "--otlp", url, "train.py", **path)
    assert (finished.returncode, finished.stdout) == (code, "") and told in finished.stderr
    assert not (shell.folder / "started").exists()


WITHOUT_OPENTELEMETRY = """
from importlib import metadata
found = metadata.Distribution.discover.__func__
def others(cls, *, context=None, **fields):
    for one in found(cls, context=context, **fields):
        if not one.metadata["Name"].startswith("opentelemetry"):
            yield one
metadata.Distribution.discover = classmethod(others)
"""


def test_without_the_option_the_environment_sends_nothing(shell):
    shell.write("train.py", TRAIN)
    with collecting() as collector:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "PYTHONPROFILEIMPORTTIME": "1"}
        finished = shell("run", "-q", "train.py", **settings)
    assert "jitinspect.programs.watch" in finished.stderr
    assert "opentelemetry" not in finished.stderr and "programs.telemetry" not in finished.stderr
    assert not collector.requests
