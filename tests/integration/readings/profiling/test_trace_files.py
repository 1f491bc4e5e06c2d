"""Traces from files: which, of what, and with whose HLO."""

import gzip
import os
import shutil
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest

from jitinspect.errors import LoadError
from jitinspect.readings.profiling.trace_files import read_traces, trace_files
from tests.support import made_traces


@jax.jit
def step(x):
    y = x @ x
    return jnp.sin(y)


LINES = {"y = x @ x", "return jnp.sin(y)"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trace")
    x = step(jnp.ones((200, 200))).block_until_ready()
    with jax.profiler.trace(str(folder)):
        for _ in range(4):
            step(x).block_until_ready()
    return folder


@pytest.fixture
def made(tmp_path):
    """A TPU's trace without HLO, and its HLO beside it."""
    (tmp_path / "user.py").write_text(made_traces.PYTHON)
    (tmp_path / "hlo.txt").write_text(made_traces.STEP.format(file=tmp_path / "user.py"))
    (tmp_path / "made.xplane.pb").write_bytes(made_traces.xspace(made_traces.tpu(), made_traces.TASK))
    return tmp_path


def test_a_folder_that_jax_wrote(folder):
    profile = read_traces(folder).profile
    (function,) = profile.functions
    assert (function.function, function.calls, function.executables) == ("step", 4, 1)
    assert function.definition.endswith(f"test_trace_files.py:{step.__wrapped__.__code__.co_firstlineno}")
    assert {line.text for line in profile.by_line} == LINES
    assert sum(line.seconds for line in profile.by_line) == pytest.approx(profile.op_seconds)
    assert 0 < profile.covered_seconds < profile.wall_seconds
    assert profile.compile_seconds is None and profile.host_seconds is None and profile.untested is None


def test_the_file_itself_and_zipped(folder, tmp_path):
    (file,) = trace_files(folder)
    zipped = tmp_path / "host.xplane.pb.gz"
    zipped.write_bytes(gzip.compress(file.read_bytes()))
    assert read_traces(file).profile == read_traces(zipped).profile == read_traces(folder).profile


def test_the_newest_date_unless_told(folder, tmp_path):
    (file,) = trace_files(folder)
    for date in ("2026_01_02_03_04_05", "2025_11_30_00_00_00"):
        place = tmp_path / "plugins" / "profile" / date
        place.mkdir(parents=True)
        shutil.copy(file, place)
    assert [one.parent.name for one in trace_files(tmp_path)] == ["2026_01_02_03_04_05"]
    (told,) = trace_files(tmp_path / "plugins" / "profile" / "2025_11_30_00_00_00")
    assert told.parent.name == "2025_11_30_00_00_00"


def test_several_hosts_are_added_up(folder, tmp_path):
    (file,) = trace_files(folder)
    for host in ("a", "b"):
        shutil.copy(file, tmp_path / f"{host}.xplane.pb")
    one, both = read_traces(folder).profile, read_traces(tmp_path).profile
    assert both.op_seconds == pytest.approx(2 * one.op_seconds)
    assert both.functions[0].calls == one.functions[0].calls
    assert both.devices == ("a CPU:0", "b CPU:0")


def test_hlo_that_is_given(made):
    without = read_traces(made).profile
    assert without.without_hlo == ("jit_step",) and without.by_line[0].file is None
    assert without.untested == "TPU:0" and without.functions[0].calls == 2
    profile = read_traces(made, [made / "hlo.txt"]).profile
    assert [(line.text, round(line.seconds * 1e9)) for line in profile.by_line] == [
        ("y = x @ x", 600), ("return jnp.tanh(y)", 200),
    ]  # fmt: skip
    assert profile.functions[0].definition.endswith("user.py:2") and profile.without_hlo == ()
    assert profile.wall_seconds == pytest.approx(5e-6)


def test_a_dumped_module_is_hlo_too(made, folder):
    module = step.lower(jnp.ones((200, 200))).compile().runtime_executable().hlo_modules()[0]
    proto = module.as_serialized_hlo_module_proto()
    (made / "module.pb").write_bytes(made_traces.text(1, proto))
    (made / "made.xplane.pb").write_bytes(
        made_traces.xspace(
            made_traces.Plane(
                "/device:GPU:0",
                {"Stream": [("k", 0, 100, {"hlo_op": "wrapped_sine", "hlo_module": "jit_step"})]},
            )
        )
    )
    assert read_traces(made, [made / "module.pb"]).profile.by_line[0].text == "return jnp.sin(y)"


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "is not a trace"), (b"hello\n", "is not a trace"), (b"\x1f\x8b", "")]
)
def test_what_is_no_trace(tmp_path, content, message):
    file = tmp_path / f"no.xplane.pb{'' if message else '.gz'}"
    file.write_bytes(content)
    with pytest.raises(LoadError, match=message or "cannot be read"):
        read_traces(tmp_path)


def test_a_trace_that_is_cut_off(folder, tmp_path):
    (file,) = trace_files(folder)
    (tmp_path / "cut.xplane.pb").write_bytes(file.read_bytes()[:-100])
    with pytest.raises(LoadError, match="is not a trace"):
        read_traces(tmp_path)


def test_folders_without_a_trace(tmp_path):
    with pytest.raises(LoadError, match="there is no trace in"):
        read_traces(tmp_path)
    with pytest.raises(LoadError, match="no such file or folder"):
        read_traces(tmp_path / "nowhere")


def test_what_is_no_hlo(made):
    for name, content in (("a.txt", "hello"), ("b.json", '{"artifacts": []}'), ("c.json", "{")):
        (made / name).write_text(content)
        with pytest.raises(LoadError, match="has no compiled HLO"):
            read_traces(made, [made / name])


NO_BACKEND = """
import sys
from pathlib import Path
from jitinspect.readings.profiling.trace_files import read_traces
print(len(read_traces(Path(sys.argv[1])).profile.by_line))
from jax._src import xla_bridge
assert not xla_bridge.backends_are_initialized()
"""


def test_no_backend_starts(folder):
    """Not even where there is none of that name."""
    finished = subprocess.run(
        [sys.executable, "-c", NO_BACKEND, str(folder)],
        env={**os.environ, "JAX_PLATFORMS": "absent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout == "2\n", finished.stderr
