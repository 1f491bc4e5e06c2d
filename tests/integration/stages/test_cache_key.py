"""What changes the key, component by component, on real JAX; and that the key is JAX's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from jitinspect.specs import parse_argument
from jitinspect.stages.inspection import Listeners, Request, inspect
from jitinspect.stages.key_comparison import compare
from tests.support.prefork import printed

ROOT = Path(__file__).resolve().parent.parent.parent.parent
ALWAYS = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
FOLDER_IS_HASHED = jax.__version_info__ < (0, 11)
CALLBACKS_ARE_KEPT = not FOLDER_IS_HASHED
MODULE = """
import jax, jax.numpy as jnp, numpy as np
W = np.arange(3, dtype="float32")
def f(x):
    return {"out": jnp.sin(x) * W}
"""


@pytest.fixture
def key(write):
    """The key of a function in a module that is written again for each call."""
    made = []

    def key(text=MODULE, function="f", args=("f32[3]",), **request):
        made.append(text)
        name = f"keyed{len(made)}"
        write(f"{name}.py", text)
        arguments = tuple(map(parse_argument, args))
        asked = Request("key", f"{name}:{function}", (), arguments, key=True, **request)
        return inspect(asked, Listeners()).keys[0]

    return key


def differing(old, new):
    """Component → the causes of its difference."""
    return {d.component: [change.what for change in d.why] for d in compare(old, new, "").disk}


@pytest.mark.parametrize(
    "text",
    [
        "\n\n# moved\n" + MODULE,
        MODULE.replace("(x)", "(y)").replace("sin(x)", "sin(y)"),
        MODULE.replace("return", "with jax.named_scope('s'): return"),
    ],
    ids=["moved lines", "renamed argument", "named_scope"],
)
def test_what_is_not_in_the_key_on_disk(key, text):
    assert differing(key(), key(text)) == {}


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ('"out"', '"result"', "results"),
        ("W = ", "W = 1 + ", "constant tensor<3xf32>"),
        ("sin(x)", "cos(x)", "operations stablehlo.cosine"),
        ("sin(x)", "sin(x * 2)", "constant tensor<f32>"),
        ("sin(x)", "sin(x)[::-1]", "operations stablehlo.reverse"),
    ],
)
def test_what_changes_the_computation(key, old, new, cause):
    found = differing(key(), key(MODULE.replace(old, new)))
    assert list(found) == ["computation"] and cause in found["computation"]


def test_a_function_with_another_name_is_another_module(key):
    found = differing(key(), key(MODULE.replace("def f", "def g"), "g"))
    assert found == {"computation": ["module"]}


def test_donation_is_part_of_the_computation(key):
    assert differing(key(), key(donate=("x",)))["computation"] == ["donated"]


def test_a_setting_goes_by_its_name(key):
    text = MODULE.replace("jnp.sin(x) * W", "x @ x")
    before = key(text, args=("f32[3,3]",))
    with jax.default_matmul_precision("highest"):
        now = key(text, args=("f32[3,3]",))
    assert now.memory.context == {"jax_default_matmul_precision": "highest"}
    assert differing(before, now) == {"computation": ["setting jax_default_matmul_precision"]}


def test_committed_or_not_is_in_computation_and_options(key):
    found = differing(key(), key(args=("f32[3]@cpu:0",)))
    assert set(found) == {"computation", "compile_options"}
    assert all("argument x" in causes for causes in found.values())


def test_static_values_and_types_are_in_the_key(key):
    text = "def f(x, n=2):\n    return x * n\n"
    before, now = key(text, static=("n",)), key(text, static=("n",), args=("f32[4]", "n=3"))
    assert before.memory.static == {"n": "2 (its default)"} and now.memory.static == {"n": "3"}
    assert differing(before, now) == {"computation": ["argument x", "static n"]}


def test_paths_weak_types_and_meshes_are_in_the_key(key):
    text = "def f(p, s):\n    return p['w'] * s\n"
    memory = key(text, args=("{'w': f32[8]@P('d')}", "f32[]{weak}"), mesh=(("d", 1),)).memory
    assert memory.args == ("p['w']: f32[8]@P('d')", "s: f32[]{weak}") and memory.context == {"mesh": "d=1"}


def test_compiler_options_are_compile_options(key):
    text = MODULE.replace("def f", "@jax.jit\ndef f")
    option = "@jax.jit(compiler_options={'xla_cpu_enable_fast_math': True})"
    found = differing(key(text), key(text.replace("@jax.jit", option)))
    assert found == {"compile_options": ["xla_cpu_enable_fast_math"]}


def test_every_combination_of_a_sweep_has_a_key(write):
    write("swept.py", "def f(x):\n    return x + 1\n")
    asked = Request("key", "swept:f", (), (parse_argument("f32[B]"),), dims={"B": (1, 2)}, key=True)
    keys = inspect(asked).keys
    assert [(k.dims, k.memory.args) for k in keys] == [({"B": 1}, ("x: f32[1]",)), ({"B": 2}, ("x: f32[2]",))]
    assert keys[0].disk.key != keys[1].disk.key


def test_show_makes_the_key_without_a_second_trace_or_lowering(write):
    write("shown.py", "def f(x):\n    return x + 2\n")
    stages = ("jaxpr", "stablehlo", "hlo")
    report = inspect(Request("show", "shown:f", stages, (parse_argument("f32[3]"),), key=True))
    assert [event.phase for event in report.events] == ["trace", "lower", "compile"]
    assert report.keys[0].disk.entry is not None


class Process:
    """Python processes in one folder, each with its own environment."""

    def __init__(self, folder):
        self.folder = folder

    def python(self, *arguments, **environ):
        kept = {n: v for n, v in os.environ.items() if not n.startswith("JAX_") and n != "XLA_FLAGS"}
        finished = subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, capture_output=True, text=True, check=False,
            env={**kept, "PYTHONPATH": str(ROOT), **environ}, timeout=300,
        )  # fmt: skip
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def key(self, *arguments, **environ):
        command = ["key", "mod:f", "--shape", "3", "--json", *arguments]
        if environ.keys() <= {"XLA_FLAGS"} and not any(name.startswith("JAX_") for name in os.environ):
            return json.loads(printed(command, self.folder, environ.get("XLA_FLAGS")))
        return json.loads(self.python("-m", "jitinspect", *command, **environ))

    def against(self, *arguments, **environ):
        """Component → causes, compared with the key that was saved before."""
        document = self.key("--against", "key.json", *arguments, **environ)
        disk = document["against"]["disk"]
        return {d["component"]: [change["what"] for change in d["why"]] for d in disk}


@pytest.fixture
def process(tmp_path):
    (tmp_path / "mod.py").write_text(MODULE)
    return Process(tmp_path)


def test_the_key_is_the_name_of_the_file_that_jax_writes(process):
    cache = process.folder / "cache"
    environ = {**ALWAYS, "JAX_COMPILATION_CACHE_DIR": str(cache)}
    before = process.key(**environ)["key"]["disk"]
    assert before["entry"]["present"] is False and before["entry"]["obstacles"] == []
    assert not cache.exists()
    process.python("-c", "import jax, mod, numpy; jax.jit(mod.f)(numpy.ones(3, 'float32'))", **environ)
    assert f"{before['key']}-cache" in os.listdir(cache)
    entry = process.key(**environ)["key"]["disk"]["entry"]
    assert entry["present"] and entry["bytes"] > 0 and entry["written"].endswith("+00:00")


def test_an_xla_flag_is_named(process):
    process.key("--save", "key.json")
    found = process.against(XLA_FLAGS="--xla_cpu_enable_fast_math=true")
    assert set(found) == {"XLA flags", "compile_options"}
    assert found["XLA flags"] == ["--xla_cpu_enable_fast_math (XLA_FLAGS)"]
    assert found["compile_options"] == ["xla_cpu_enable_fast_math"]


@pytest.mark.parametrize(
    "environ", [{"XLA_FLAGS": "--xla_dump_max_hlo_modules=3"}, {"JAX_ENABLE_X64": "1"}], ids=["dump", "x64"]
)
def test_environment_settings_that_are_not_in_the_key_on_disk(process, environ):
    process.key("--save", "key.json")
    assert process.against(**environ) == {}


def test_a_word_of_the_command_line_is_named(process):
    program = (
        "import sys, jax, mod; from jitinspect.jaxapi.keys.disk_key import disk_key\n"
        "made = disk_key(jax.jit(mod.f).trace(jax.ShapeDtypeStruct((3,), 'float32')).lower())\n"
        "print(made.inputs['XLA flags'], made.inputs['compile_options'].get('--xla_mine (sys.argv)'))"
    )
    assert process.python("-c", program, "--xla_mine=3") == "{'--xla_mine (sys.argv)': '3'} 3\n"


def test_the_path_of_the_cache_folder(process):
    process.key("--save", "key.json", JAX_COMPILATION_CACHE_DIR="/tmp/a")
    found = process.against(JAX_COMPILATION_CACHE_DIR="/tmp/b")
    option = "xla_gpu_per_fusion_autotune_cache_dir (by the cache folder's path)"
    assert found == ({"compile_options": [option]} if FOLDER_IS_HASHED else {})


def test_the_number_of_devices(process):
    process.key("--save", "key.json")
    found = process.against(XLA_FLAGS="--xla_force_host_platform_device_count=4")
    assert found == {"accelerator_config": ["devices"]}


def test_another_device_is_another_device_id(process):
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    arguments = ("-m", "jitinspect", "key", "mod:f", "--json", "-q")
    process.python(*arguments, "--arg", "f32[3]@cpu:0", "--save", "key.json", **flags)
    now = process.python(*arguments, "--arg", "f32[3]@cpu:1", "--against", "key.json", **flags)
    (difference,) = json.loads(now)["against"]["disk"]
    causes = [change["what"] for change in difference["why"]]
    assert difference["component"] == "compile_options" and "device ids" in causes


def test_compression_is_reported(process):
    """With and without `zstandard`: a module of that name is put where JAX finds it, or does not."""
    process.key("--save", "key.json")
    before = json.loads((process.folder / "key.json").read_text())["key"]["disk"]["inputs"]["compression"]
    blocked = "raise ImportError\n" if before["algorithm"] == "zstandard" else ""
    (process.folder / "zstandard.py").write_text(blocked)
    assert process.against(PYTHONPATH=f"{ROOT}{os.pathsep}{process.folder}") == {"compression": ["algorithm"]}


def test_why_an_entry_would_not_be_written(process):
    (process.folder / "mod.py").write_text(
        "import jax\ndef f(x):\n    jax.debug.print('{}', x)\n    return x\n"
    )
    (process.folder / "file").write_text("")
    obstacles = process.key(JAX_COMPILATION_CACHE_DIR="file")["key"]["disk"]["entry"]["obstacles"]
    assert obstacles[0] == "file is not a folder"
    assert "calls back to the host" in obstacles[1] or CALLBACKS_ARE_KEPT
    assert obstacles[-1].startswith("only if its compilation takes 1 s or more")
    entry = process.key(JAX_COMPILATION_CACHE_DIR="gs://bucket/cache")["key"]["disk"]["entry"]
    assert entry["present"] is None


@pytest.mark.skipif(CALLBACKS_ARE_KEPT, reason="this JAX keeps what calls back to the host")
def test_a_callback_is_really_not_kept(process):
    _run_with_callback(process, kept=False)


@pytest.mark.skipif(not CALLBACKS_ARE_KEPT, reason="this JAX does not keep what calls back to the host")
def test_a_callback_is_really_kept(process):
    _run_with_callback(process, kept=True)


def _run_with_callback(process, kept):
    (process.folder / "mod.py").write_text(
        "import jax\ndef f(x):\n    jax.debug.print('{}', x)\n    return x\n"
    )
    environ = {**ALWAYS, "JAX_COMPILATION_CACHE_DIR": str(process.folder / "cache")}
    disk = process.key(**environ)["key"]["disk"]
    assert (disk["entry"]["obstacles"] == []) == kept
    process.python("-c", "import jax, mod, numpy; jax.jit(mod.f)(numpy.ones(3, 'float32'))", **environ)
    assert (f"{disk['key']}-cache" in os.listdir(process.folder / "cache")) == kept
